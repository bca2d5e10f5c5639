package claimstest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// Logger returns a logger that writes to the log of a test, which shows where
// the test fails or go test is given -v, and to nobody once the test has ended:
// for [jwks.Config].Logger of what is tested.
//
// [jwks.Config]: https://pkg.go.dev/github.com/sallyport-go/sallyport/jwks#Config
func Logger(tb testing.TB) *slog.Logger {
	w := &testLog{tb: tb}
	tb.Cleanup(w.end)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug, ReplaceAttr: withoutTime,
	}))
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// testLog is an [io.Writer] of lines.
type testLog struct {
	tb testing.TB

	mu    sync.Mutex
	ended bool // past that, to log panics
}

func (w *testLog) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// Write implements [io.Writer].
func (w *testLog) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return 0, context.Canceled
	}
	w.tb.Log(strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}
