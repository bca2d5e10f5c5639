package claims_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	handed "github.com/sallyport-go/sallyport/claims/internal/presented"
)

// asks is an Authenticator that takes note of the tokens that it is asked
// about again.
type asks struct {
	caller *claims.Claims
	tokens []string
}

func (a *asks) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return a.caller, nil
}

func (a *asks) Recheck(ctx context.Context, _ *claims.Claims) error {
	a.tokens = append(a.tokens, handed.Token(ctx))
	return nil
}

// Who is asked again can have the request's own token, of each guard that it
// has passed, and a handler none.
func TestRecheck_token(t *testing.T) {
	t.Parallel()
	outer, inner := &asks{caller: says(t, m{"sub": "a"})}, &asks{caller: says(t, m{"sub": "b"})}
	ctx := t.Context()
	var last *claims.Guard
	for _, of := range []struct {
		token string
		auth  *asks
	}{{"first", outer}, {"second", inner}} {
		guard, err := claims.NewGuard(of.auth, claims.GuardConfig{})
		require.NoError(t, err)
		ctx, err = guard.Authorize(
			ctx, claims.Operation{Requirement: claims.Authenticated()}, bearer(of.token), nil)
		require.NoError(t, err)
		last = guard
	}
	require.Empty(t, handed.Token(ctx))
	require.NoError(t, claims.Recheck(ctx))
	require.NoError(t, last.Recheck(ctx))
	assert.Equal(t, []string{"first"}, outer.tokens)
	assert.Equal(t, []string{"second", "second"}, inner.tokens)
}
