package claims_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// A call that does not return, and does not heed its context, is given up, and
// the source is asked again: its principal is not locked out.
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

// A principal who is forgotten all the time is waited for as long as one answer
// may take.
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
