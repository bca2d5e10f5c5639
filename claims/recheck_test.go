package claims_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// What lasts is asked about anew: a permission that is forgotten or out of time
// counts no more, whichever way it is asked for.
func TestRecheck_revoked(t *testing.T) {
	t.Parallel()
	p := claims.Permissions("p")
	for name, needs := range map[string]claims.Requirement{
		"Permissions":   p,
		"AnyPermission": claims.AnyPermission("x", "p"),
		"AnyOf":         claims.AnyOf(no, p),
		"All":           claims.All(claims.AnyPermission("p", "x"), p),
		"InWorkspace":   claims.InWorkspace("w", claims.AnyPermission("p", "x")),
	} {
		for _, how := range []string{"forgotten", "out of time"} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					by := &counted{grants: everywhere("p")}
					cache := cacheOf(t, by, claims.PermissionCacheConfig{TTL: time.Minute})
					guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: cache})
					ctx, err := ask(t.Context(), guard, needs, nil)
					require.NoError(t, err)
					require.NoError(t, claims.Recheck(ctx))
					require.NoError(t, claims.Allowed(ctx, needs))
					by.set(claims.Grants{}, nil)
					if how == "forgotten" {
						cache.Forget(claims.Principal{Subject: "alice"})
					} else {
						time.Sleep(time.Minute)
					}
					assertRefusal(t, claims.ErrForbidden, claims.Allowed(ctx, needs))
					assertRefusal(t, claims.ErrForbidden, claims.Recheck(ctx))
				})
			})
		}
	}
}

// Over HTTP nothing else ends with the token.
func TestRecheck_expired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		record := &record{}
		caller := says(t, m{"sub": "alice", "exp": time.Now().Add(time.Minute).Unix()})
		guard := guardOf(t, caller, claims.GuardConfig{Observer: record.observe})
		ctx, err := ask(t.Context(), guard, claims.Authenticated(), nil)
		require.NoError(t, err)
		time.Sleep(time.Minute - time.Nanosecond)
		require.NoError(t, claims.Recheck(ctx))
		record.take()
		time.Sleep(time.Nanosecond)
		refusal := assertRefusal(t, claims.ErrInvalidToken, claims.Recheck(ctx))
		assert.Equal(t, claims.ReasonExpired, refusal.Reason())
		decisions := record.take()
		require.Len(t, decisions, 1)
		assert.True(t, decisions[0].Part)
		assert.Equal(t, "invalid_token", decisions[0].Outcome())
	})
}

func TestRecheck_context(t *testing.T) {
	t.Parallel()
	assertRefusal(t, claims.ErrNoToken, claims.Recheck(t.Context()))
	alice, bob := says(t, m{"sub": "alice", "scope": "a"}), says(t, m{"sub": "bob"})
	guard := guardOf(t, alice, claims.GuardConfig{})
	ctx, err := ask(t.Context(), guard, claims.Scopes("a"), nil)
	require.NoError(t, err)
	assert.NoError(t, claims.Recheck(ctx))
	refusal := assertRefusal(t, claims.ErrInsufficientScope, claims.Recheck(claims.NewContext(ctx, bob)))
	assert.Equal(t, "a", refusal.Scope(), "in the name of another, for the same operation")
}

// A guard inside another hides nothing of what that found out.
func TestGuard_nested(t *testing.T) {
	t.Parallel()
	by := &counted{grants: claims.Grants{
		Permissions: []string{"p"}, Workspaces: map[string][]string{"acme": {"orders"}},
	}}
	var limit atomic.Bool
	outer := claims.All(
		claims.Func("limit", func(context.Context, *claims.Claims) (bool, error) { return !limit.Load(), nil }),
		claims.InWorkspaceOf("path", func(w string) string { return w }, claims.Permissions("orders")),
	)
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: by})
	ctx, err := ask(t.Context(), guard, outer, "acme")
	require.NoError(t, err)
	ctx, err = ask(ctx, guard, claims.Permissions("p"), "other")
	require.NoError(t, err)
	assert.Equal(t, 1, by.calls(), "once in a request")
	workspace, ok := claims.WorkspaceFromContext(ctx)
	assert.True(t, ok)
	assert.Equal(t, "acme", workspace)
	assert.NoError(t, claims.Recheck(ctx))
	limit.Store(true)
	assertRefusal(t, claims.ErrForbidden, claims.Recheck(ctx))
}

func TestWorkspaceFromContext(t *testing.T) {
	t.Parallel()
	in := func(workspace string, needs claims.Requirement) claims.Requirement {
		return claims.InWorkspace(workspace, needs)
	}
	p, q := claims.Permissions("p"), claims.Permissions("q")
	named := claims.InWorkspaceOf("named", func(w string) string { return w }, p)
	for _, tt := range []struct {
		name  string
		needs claims.Requirement
		want  string
	}{
		{name: "none", needs: claims.Permissions("everywhere")},
		{name: "fixed", needs: in("a", p), want: "a"},
		{name: "of the request", needs: named, want: "a"},
		{name: "the first of two", needs: claims.All(in("b", q), in("a", p)), want: "b"},
		{name: "not of a refused alternative", needs: claims.AnyOf(in("b", p), in("a", p)), want: "a"},
		{
			name:  "not of a part of one that is refused",
			needs: claims.AnyOf(claims.All(in("a", p), no), claims.Permissions("everywhere")),
		},
		{
			name:  "not of what is only reported",
			needs: claims.All(claims.ReportOnly(in("a", p)), claims.Permissions("everywhere")),
		},
		{name: "not of what challenges ask about", needs: claims.All(claims.AnyOf(in("b", q), in("a", p)), yes), want: "b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
				Observer: (&record{}).observe,
				Permissions: granting(claims.Grants{
					Permissions: []string{"everywhere"},
					Workspaces:  map[string][]string{"a": {"p"}, "b": {"q"}},
				}),
			})
			ctx, err := ask(t.Context(), guard, tt.needs, "a")
			require.NoError(t, err)
			got, ok := claims.WorkspaceFromContext(ctx)
			assert.Equal(t, tt.want != "", ok)
			assert.Equal(t, tt.want, got)
		})
	}
	_, ok := claims.WorkspaceFromContext(t.Context())
	assert.False(t, ok)
}

// The workspace of a stream is that of its first message, whatever becomes of
// that.
func TestWorkspaceFromContext_pending(t *testing.T) {
	t.Parallel()
	type message struct{ workspace string }
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
		Permissions: granting(claims.Grants{Workspaces: map[string][]string{"acme": {"p"}}}),
	})
	ctx, err := decide(t.Context(), guard, attempt{
		Credentials: presented, Pending: true,
		Needs: claims.InWorkspaceOf("first", func(m *message) string { return m.workspace }, claims.Permissions("p")),
	})
	require.NoError(t, err)
	_, ok := claims.WorkspaceFromContext(ctx)
	assert.False(t, ok, "not decided yet")
	assertRefusal(t, claims.ErrForbidden, claims.Recheck(ctx))
	first := &message{"acme"}
	require.NoError(t, guard.Complete(ctx, first))
	*first = message{"other"}
	workspace, _ := claims.WorkspaceFromContext(ctx)
	assert.Equal(t, "acme", workspace)
	assert.NoError(t, claims.Recheck(ctx), "of the workspace that was decided")
}

// Only the Guard that put a decision off says what came of it.
func TestGuard_anothersPending(t *testing.T) {
	t.Parallel()
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Observer: record.observe})
	other := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{})
	ctx, err := decide(t.Context(), guard, attempt{
		Credentials: presented, Pending: true,
		Needs: claims.RequestFunc("first", func(context.Context, *claims.Claims, string) (bool, error) { return true, nil }),
	})
	require.NoError(t, err)
	assert.True(t, guard.IsPending(ctx))
	assert.False(t, other.IsPending(ctx))
	assertRefusal(t, claims.ErrForbidden, other.Complete(ctx, "x"))
	other.Ended(ctx, errDown)
	guard.Ended(ctx, nil)
	assert.True(t, guard.IsPending(ctx))
	assert.Empty(t, record.take())
	require.NoError(t, guard.Complete(ctx, "x"))
	assert.False(t, guard.IsPending(ctx))
	assert.Len(t, record.take(), 1)
}
