package claims_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func TestFromContext(t *testing.T) {
	t.Parallel()
	caller, ok := claims.FromContext(t.Context())
	assert.False(t, ok)
	assert.Nil(t, caller)

	alice, bob := callerWith(t, "a"), callerWith(t, "b")
	ctx := claims.NewContext(t.Context(), alice)
	caller, ok = claims.FromContext(ctx)
	assert.True(t, ok)
	assert.Equal(t, alice, caller)

	inner, cancel := context.WithCancel(claims.NewContext(ctx, bob))
	defer cancel()
	caller, ok = claims.FromContext(inner)
	assert.True(t, ok)
	assert.Equal(t, bob, caller)
	caller, _ = claims.FromContext(ctx)
	assert.Equal(t, alice, caller)

	// Nobody is not a caller, and hides the one before.
	caller, ok = claims.FromContext(claims.NewContext(ctx, nil))
	assert.False(t, ok)
	assert.Nil(t, caller)
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		scope any // of the caller, nil if there is none
		needs claims.Requirement
		class error
	}{
		{name: "public, nobody", needs: claims.Public()},
		{name: "public, somebody", scope: "", needs: claims.Public()},
		{name: "zero value, nobody", class: claims.ErrNoToken},
		{name: "authenticated, nobody", needs: claims.Authenticated(), class: claims.ErrNoToken},
		{name: "authenticated, somebody", scope: "", needs: claims.Authenticated()},
		{name: "scope, nobody", needs: claims.Scopes("a"), class: claims.ErrNoToken},
		{name: "scope held", scope: "a", needs: claims.Scopes("a")},
		{
			name: "scope lacking", scope: "b", needs: claims.Scopes("a"),
			class: claims.ErrInsufficientScope,
		},
		{name: "func, nobody", needs: yes, class: claims.ErrNoToken},
		{name: "func true", scope: "", needs: yes},
		{name: "func false", scope: "", needs: no, class: claims.ErrForbidden},
		{name: "func undecided", scope: "", needs: lost, class: claims.ErrUnavailable},
		{name: "invalid, nobody", needs: claims.All(claims.Public()), class: claims.ErrNoToken},
		{
			name: "invalid, somebody", scope: "", needs: claims.All(claims.Public()),
			class: claims.ErrForbidden,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if tt.scope != nil {
				ctx = claims.NewContext(ctx, callerWith(t, tt.scope))
			}
			err := claims.Allowed(ctx, tt.needs)
			if tt.class == nil {
				require.NoError(t, err)
				return
			}
			var refusal *claims.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, tt.class, refusal.Class())
		})
	}
}

// authenticator is a claims.Authenticator.
type authenticator func(context.Context, claims.Credentials) (*claims.Claims, error)

func (f authenticator) Authenticate(ctx context.Context, r claims.Credentials) (*claims.Claims, error) {
	return f(ctx, r)
}

// Who sent no token is told what to ask for.
func TestGuard_noToken(t *testing.T) {
	t.Parallel()
	guard := guardOf(t, callerWith(t, "a"), claims.GuardConfig{})
	for scope, needs := range map[string]claims.Requirement{
		"":    claims.Authenticated(),
		"a b": claims.All(claims.Scopes("a"), claims.Scopes("b")),
	} {
		_, err := decide(t.Context(), guard, attempt{
			Needs: needs, Fault: claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, nil),
		})
		assert.Equal(t, scope, assertRefusal(t, claims.ErrNoToken, err).Scope())
		_, err = decide(t.Context(), guard, attempt{Needs: needs, Credentials: bearer("a b")})
		assert.Empty(t, assertRefusal(t, claims.ErrInvalidRequest, err).Scope(), "nothing would help")
	}
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	alice := callerWith(t, "a")
	own := claims.NewError(claims.ErrInvalidToken, claims.ReasonRejected, nil)
	for _, tt := range []struct {
		name   string
		caller *claims.Claims
		err    error
		needs  claims.Requirement
		class  error
		reason claims.Reason
	}{
		{name: "allowed", caller: alice, needs: claims.Scopes("a")},
		{name: "allowed, zero value", caller: alice},
		{
			name: "not permitted", caller: alice, needs: claims.Scopes("b"),
			class: claims.ErrInsufficientScope, reason: claims.ReasonScope,
		},
		{
			name: "undecided", caller: alice, needs: lost,
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
		{name: "refusal", err: own, class: claims.ErrInvalidToken, reason: claims.ReasonRejected},
		{
			name: "refusal and a caller", caller: alice, err: own,
			class: claims.ErrInvalidToken, reason: claims.ReasonRejected,
		},
		{
			name: "refusal and Public", err: own, needs: claims.Public(),
			class: claims.ErrInvalidToken, reason: claims.ReasonRejected,
		},
		{
			name: "sentinel", err: claims.ErrUnavailable,
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
		{
			name: "unclassified error", err: errors.New("x"),
			class: claims.ErrInvalidToken, reason: claims.ReasonRejected,
		},
		{name: "neither caller nor error", class: claims.ErrNoToken, reason: claims.ReasonNoToken},
		{
			name: "neither, and Public", needs: claims.Public(),
			class: claims.ErrNoToken, reason: claims.ReasonNoToken,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request := claims.Credentials{Scheme: "Bearer", Token: "x"}
			auth := authenticator(func(ctx context.Context, r claims.Credentials) (*claims.Claims, error) {
				assert.Equal(t, t.Context(), ctx)
				assert.Equal(t, request, r)
				return tt.caller, tt.err
			})
			caller, err := authorize(t.Context(), auth, request, tt.needs)
			if tt.class == nil {
				require.NoError(t, err)
				assert.Equal(t, tt.caller, caller)
				return
			}
			assert.Nil(t, caller)
			refusal, ok := err.(*claims.Error)
			require.True(t, ok, "%T", err)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, tt.reason, refusal.Reason())
		})
	}
}
