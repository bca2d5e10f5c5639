package jwks_test

import (
	"log/slog"
	"os"
	"testing"
)

// TestMain keeps quiet: the caches of the tests have much to tell.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
