package claims_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func TestFunc(t *testing.T) {
	t.Parallel()
	cause := errors.New("postgres: password hunter2 refused")
	own := claims.NewError(claims.ErrForbidden, "own_reason", cause)
	for _, tt := range []struct {
		name    string
		allowed bool
		err     error
		class   error // nil if the caller is allowed
		reason  claims.Reason
	}{
		{name: "true", allowed: true},
		{name: "false", class: claims.ErrForbidden, reason: claims.ReasonPermission},
		{name: "error", err: cause, class: claims.ErrUnavailable, reason: claims.ReasonUndecided},
		{
			name: "true and an error", allowed: true, err: cause,
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
		{
			name: "context", err: context.DeadlineExceeded,
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
		{
			name: "forbidden", err: claims.ErrForbidden,
			class: claims.ErrForbidden, reason: claims.ReasonPermission,
		},
		{
			name: "forbidden and true", allowed: true, err: claims.ErrForbidden,
			class: claims.ErrForbidden, reason: claims.ReasonPermission,
		},
		{
			name: "forbidden, wrapped", err: fmt.Errorf("%w: %w", cause, claims.ErrForbidden),
			class: claims.ErrForbidden, reason: claims.ReasonPermission,
		},
		{
			name: "insufficient scope", err: claims.ErrInsufficientScope,
			class: claims.ErrInsufficientScope, reason: claims.ReasonScope,
		},
		{
			name: "insufficient authentication", err: claims.ErrInsufficientAuthentication,
			class: claims.ErrInsufficientAuthentication, reason: claims.ReasonAuthentication,
		},
		{
			name: "unavailable", err: claims.ErrUnavailable,
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
		// As when f finds that the token was revoked.
		{
			name: "invalid token", err: claims.ErrInvalidToken,
			class: claims.ErrInvalidToken, reason: claims.ReasonRejected,
		},
		{
			name: "no token", err: claims.ErrNoToken,
			class: claims.ErrNoToken, reason: claims.ReasonNoToken,
		},
		{
			name: "invalid request", err: claims.ErrInvalidRequest,
			class: claims.ErrInvalidRequest, reason: claims.ReasonMalformedCredentials,
		},
		{name: "refusal", err: own, class: claims.ErrForbidden, reason: "own_reason"},
		{
			name: "refusal and true", allowed: true, err: own,
			class: claims.ErrForbidden, reason: "own_reason",
		},
		{
			name: "refusal, wrapped", err: fmt.Errorf("x: %w", own),
			class: claims.ErrForbidden, reason: "own_reason",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			type key struct{}
			ctx := context.WithValue(t.Context(), key{}, 1)
			caller := callerWith(t, "")
			needs := claims.Func("f", func(got context.Context, who *claims.Claims) (bool, error) {
				assert.Equal(t, 1, got.Value(key{}))
				assert.Equal(t, caller, who)
				return tt.allowed, tt.err
			})
			err := needs.Check(ctx, caller)
			if tt.class == nil {
				require.NoError(t, err)
				return
			}
			var refusal *claims.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, tt.reason, refusal.Reason())
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, refusal.Text(), "hunter2")
			if errors.Is(tt.err, cause) {
				assert.ErrorIs(t, err, cause, "operators are told")
			}
		})
	}
}

func TestRequestFunc(t *testing.T) {
	t.Parallel()
	cause := errors.New("secret-cause-text")
	for _, tt := range []struct {
		name    string
		request any
		allowed bool
		err     error
		class   error
		reason  claims.Reason
		calls   int
	}{
		{name: "true", request: &message{"a"}, allowed: true, calls: 1},
		{name: "false", request: &message{"a"}, class: claims.ErrForbidden, reason: claims.ReasonPermission, calls: 1},
		{name: "error", request: &message{"a"}, allowed: true, err: cause, class: claims.ErrUnavailable, reason: claims.ReasonUndecided, calls: 1},
		{name: "scope", request: &message{"a"}, allowed: true, err: claims.ErrInsufficientScope, class: claims.ErrInsufficientScope, reason: claims.ReasonScope, calls: 1},
		{name: "no request", allowed: true, class: claims.ErrForbidden, reason: claims.ReasonPermission},
		{name: "value for a pointer", request: message{"a"}, allowed: true, class: claims.ErrForbidden, reason: claims.ReasonPermission},
		{name: "another type", request: "a", allowed: true, class: claims.ErrForbidden, reason: claims.ReasonPermission},
		{name: "nil pointer of the type", request: (*message)(nil), allowed: true, calls: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller, calls := callerWith(t, ""), 0
			needs := claims.RequestFunc("f", func(_ context.Context, who *claims.Claims, r *message) (bool, error) {
				calls++
				assert.Equal(t, caller, who)
				assert.Equal(t, tt.request, any(r))
				return tt.allowed, tt.err
			})
			require.NoError(t, needs.Validate())
			ctx, err := ask(t.Context(), guardOf(t, caller, claims.GuardConfig{}), needs, tt.request)
			assert.Equal(t, tt.calls, calls)
			refusal := assertRefusal(t, tt.class, err)
			if tt.class != nil {
				assert.Nil(t, ctx)
				assert.Equal(t, tt.reason, refusal.Reason())
				assert.NotContains(t, refusal.Error()+refusal.Text(), "secret-cause-text")
				return
			}
			assert.NoError(t, claims.Allowed(ctx, needs), "a part of the same request")
			assert.NoError(t, needs.Check(ctx, caller))
		})
	}
	assert.Equal(t, `RequestFunc("f")`, claims.RequestFunc[*message]("f", nil).String())
	assert.Error(t, claims.RequestFunc[*message]("f", nil).Validate())
}

// What Func and RequestFunc ask for themselves, they may ask of the request
// that they decide about.
func TestFunc_asksForMore(t *testing.T) {
	t.Parallel()
	caller := permitted(t, m{"sub": "alice"})
	refund := claims.Permissions("refund")
	guard := guardOf(t, caller, claims.GuardConfig{Permissions: granting(everywhere("refund"))})
	for name, needs := range map[string]claims.Requirement{
		"Check": claims.Func("f", func(ctx context.Context, who *claims.Claims) (bool, error) {
			return refund.Check(ctx, who) == nil, nil
		}),
		"Allowed": claims.Func("f", func(ctx context.Context, _ *claims.Claims) (bool, error) {
			return claims.Allowed(ctx, refund) == nil, nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, err := ask(t.Context(), guard, claims.Authenticated(), nil)
			require.NoError(t, err)
			require.NoError(t, claims.Allowed(ctx, needs), "of a part")
			_, err = ask(t.Context(), guard, needs, nil)
			assert.NoError(t, err, "of the operation")
		})
	}
}
