package claims_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func TestNewGuard_wrong(t *testing.T) {
	t.Parallel()
	_, err := claims.NewGuard(nil, claims.GuardConfig{Permissions: (*claims.PermissionCache)(nil)})
	require.ErrorContains(t, err, "auth is nil")
	assert.ErrorContains(t, err, "nil pointer")
	_, err = claims.NewGuard(permissionVerifier(), claims.GuardConfig{Permissions: &claims.PermissionCache{}})
	assert.ErrorContains(t, err, "NewPermissionCache")
}

// What is tried refuses nobody, not even by a panic, and nobody is told of the
// trials of a list's items.
func TestReportOnly_panics(t *testing.T) {
	t.Parallel()
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Observer: record.observe})
	calls := 0
	trial := claims.ReportOnly(claims.Func("new", func(context.Context, *claims.Claims) (bool, error) {
		calls++
		panic("a fault")
	}))
	ctx, err := ask(t.Context(), guard, trial, nil)
	require.NoError(t, err)
	decisions := record.take()
	require.Len(t, decisions, 1)
	assert.Nil(t, decisions[0].Err)
	assert.Equal(t, claims.ErrUnavailable, decisions[0].Reported.Class())
	kept, err := claims.Filter(ctx, []int{1, 2}, func(int) claims.Requirement { return trial })
	require.NoError(t, err)
	assert.Len(t, kept, 2)
	assert.Equal(t, 1, calls)
	assert.Empty(t, record.take())
}

// A caller who has gone is no outage.
func TestLogDecisions_callerGone(t *testing.T) {
	t.Parallel()
	records, _ := logged(t, slog.LevelDebug, func(observer claims.Observer) {
		guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
			Observer: observer,
			Permissions: source(func(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
				return claims.Grants{}, ctx.Err()
			}),
		})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := ask(ctx, guard, claims.Permissions("p"), nil)
		assertRefusal(t, claims.ErrUnavailable, err)
	})
	require.Len(t, records, 1)
	assert.Equal(t, "DEBUG", records[0]["level"])
}

// Of a decision that a message can still settle, what cannot be decided without
// it waits.
func TestGuard_pendingUndecided(t *testing.T) {
	t.Parallel()
	refuses := claims.RequestFunc("refuses", func(context.Context, *claims.Claims, string) (bool, error) { return false, nil })
	for _, needs := range []claims.Requirement{claims.All(lost, refuses), claims.All(refuses, lost)} {
		guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{})
		_, err := ask(t.Context(), guard, needs, "x")
		assertRefusal(t, claims.ErrForbidden, err)
		ctx, err := decide(t.Context(), guard, attempt{Credentials: presented, Needs: needs, Pending: true})
		require.NoError(t, err)
		assertRefusal(t, claims.ErrForbidden, guard.Complete(ctx, "x"))
	}
}
