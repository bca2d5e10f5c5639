package claims_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// A call that does not return, and does not heed its context, is given up, and the
// source is asked again: its principal is not locked out.
func TestPermissionCache_hungCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hung, calls := make(chan struct{}), 0
		cache := cacheOf(t, source(func(context.Context, claims.Principal) (claims.Grants, error) {
			if calls++; calls == 1 {
				<-hung
			}
			return everywhere("p"), nil
		}), claims.PermissionCacheConfig{Timeout: 3 * time.Second})
		alice := holderOf(t, cache, m{"sub": "alice"})
		start := time.Now()
		assert.Equal(t, undecided, alice.may())
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, undecided, alice.after(time.Second-ns), "a failure is kept for a second")
		assert.Equal(t, allowed, alice.after(ns))
		close(hung)
		synctest.Wait()
		assert.Equal(t, allowed, alice.may())
		assert.Equal(t, 2, calls)
	})
}

// Who is forgotten all the time is waited for no longer than one answer may take.
func TestPermissionCache_forgottenAllTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p"), took: 10 * time.Millisecond}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{Timeout: time.Second})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			for ctx.Err() == nil {
				time.Sleep(7 * time.Millisecond)
				cache.Forget(claims.Principal{})
			}
		}()
		start := time.Now()
		assert.Equal(t, undecided, holderOf(t, cache, m{"sub": "alice"}).may())
		assert.Less(t, time.Since(start), 1100*time.Millisecond)
		stop()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, allowed, holderOf(t, cache, m{"sub": "alice"}).may())
	})
}

// An instant answer is never taken for one that does not come.
func TestPermissionCache_instant(t *testing.T) {
	t.Parallel()
	by := source(func(context.Context, claims.Principal) (claims.Grants, error) { return everywhere("p"), nil })
	for range 200 {
		cache := cacheOf(t, by, claims.PermissionCacheConfig{})
		outcomes := make(chan error, 16)
		for range cap(outcomes) {
			go func() {
				_, err := cache.Permissions(t.Context(), claims.Principal{Subject: "alice"})
				outcomes <- err
			}()
		}
		for range cap(outcomes) {
			require.NoError(t, <-outcomes)
		}
	}
}

// A source without a cache has its time too.
func TestPermissionSource_timeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
			Permissions: source(func(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
				<-ctx.Done()
				return claims.Grants{}, ctx.Err()
			}),
		})
		start := time.Now()
		_, err := ask(t.Context(), guard, claims.Permissions("p"), nil)
		assertRefusal(t, claims.ErrUnavailable, err)
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestNewGuard_wrong(t *testing.T) {
	t.Parallel()
	_, err := claims.NewGuard(nil, claims.GuardConfig{Permissions: (*claims.PermissionCache)(nil)})
	require.ErrorContains(t, err, "auth is nil")
	assert.ErrorContains(t, err, "nil pointer")
	_, err = claims.NewGuard(permissionVerifier(), claims.GuardConfig{Permissions: &claims.PermissionCache{}})
	assert.ErrorContains(t, err, "NewPermissionCache")
}

// What is tried refuses nobody, not even by a panic, and nobody is told of the trials of
// a list's items.
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

// Of a decision that a message can still settle, what can not be decided without it
// waits.
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
