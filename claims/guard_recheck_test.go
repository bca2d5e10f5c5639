package claims_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// A transport that asks by itself leaves the request to its handler, and tells
// nobody.
func TestGuard_Recheck(t *testing.T) {
	t.Parallel()
	type message struct{ workspace string }
	looked, allowed := 0, true
	byMessage := claims.RequestFunc("message", func(_ context.Context, _ *claims.Claims, m *message) (bool, error) {
		looked++
		return m.workspace != "", nil
	})
	inMessage := claims.InWorkspaceOf("message", func(m *message) string {
		looked++
		return m.workspace
	}, claims.Permissions("p"))
	function := claims.Func("allowed", func(context.Context, *claims.Claims) (bool, error) { return allowed, nil })
	by := &counted{grants: claims.Grants{Workspaces: map[string][]string{"acme": {"p"}}}}
	cache := cacheOf(t, by, claims.PermissionCacheConfig{})
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: cache, Observer: record.observe})
	for name, pending := range map[string]bool{"one message": false, "a stream": true} {
		by.set(claims.Grants{Workspaces: map[string][]string{"acme": {"p"}}}, nil)
		cache.Forget(claims.Principal{Subject: "alice"})
		allowed = true
		first := &message{"acme"}
		ctx, err := decide(t.Context(), guard, attempt{
			Credentials: presented, Pending: pending, Request: first,
			Needs: claims.All(byMessage, inMessage, function, claims.ReportOnly(byMessage)),
		})
		require.NoError(t, err, name)
		if pending {
			require.NoError(t, guard.Recheck(ctx), "before the message")
			require.True(t, guard.IsPending(ctx))
			require.NoError(t, guard.Complete(ctx, first))
		}
		*first, looked = message{}, 0
		record.take()
		require.NoError(t, guard.Recheck(ctx), name)
		allowed = false
		assertRefusal(t, claims.ErrForbidden, guard.Recheck(ctx))
		allowed = true
		by.set(claims.Grants{}, nil)
		require.NoError(t, guard.Recheck(ctx), name)
		cache.Forget(claims.Principal{Subject: "alice"})
		assertRefusal(t, claims.ErrForbidden, guard.Recheck(ctx))
		assert.Zero(t, looked, name)
		assert.Empty(t, record.take(), name)
	}
	assertRefusal(t, claims.ErrNoToken, guard.Recheck(t.Context()))
	assertRefusal(t, claims.ErrNoToken, (*claims.Guard)(nil).Recheck(claims.NewContext(t.Context(), says(t, m{}))))
}

// Who needs another token is told for which scope, at the end as at the start.
func TestGuard_Ended_scope(t *testing.T) {
	t.Parallel()
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice", "scope": "read"}), claims.GuardConfig{Observer: record.observe})
	expired := claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil)
	for _, pending := range []bool{false, true} {
		needs := claims.Scopes("read")
		if pending {
			needs = claims.All(needs, claims.RequestFunc("m",
				func(context.Context, *claims.Claims, string) (bool, error) { return true, nil }))
		}
		ctx, err := decide(t.Context(), guard, attempt{Credentials: presented, Pending: pending, Needs: needs})
		require.NoError(t, err)
		record.take()
		refusal := assertRefusal(t, claims.ErrInvalidToken, guard.Ended(ctx, expired))
		assert.Equal(t, "read", refusal.Scope())
		told := record.take()
		require.Len(t, told, 1)
		assert.Equal(t, "read", told[0].Err.Scope())
		assert.NoError(t, guard.Ended(ctx, nil))
	}
	assert.Equal(t, error(expired), guard.Ended(t.Context(), expired), "of nobody")
	assert.Equal(t, error(expired), (*claims.Guard)(nil).Ended(t.Context(), expired))
}
