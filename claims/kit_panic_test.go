package claims_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// assertPanic checks that an error says that it cannot be decided, for a panic,
// and where that was.
func assertPanic(t testing.TB, err error, text string) {
	t.Helper()
	require.ErrorIs(t, err, claims.ErrUnavailable)
	refusal := claims.AsError(err)
	assert.NotContains(t, refusal.Error(), text, "clients are not told")
	cause := refusal.Unwrap()
	require.Error(t, cause)
	assert.Contains(t, cause.Error(), text)
	assert.Contains(t, cause.Error(), "_test.go:", "the stack")
}
