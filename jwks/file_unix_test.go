//go:build unix

package jwks_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A pipe would block when opened, until somebody writes to it.
func TestFile_notRegular(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{t.TempDir(), pipe} {
		_, _, err := jwks.File(path).KeySet(t.Context(), false)
		assert.Equal(t, jwks.FaultFile, jwks.FaultOf(err))
	}
}
