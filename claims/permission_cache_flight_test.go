package claims_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// Requests of one principal that arrive together ask once.
func TestPermissionCache_singleFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p"), took: time.Second}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{})
		var requests sync.WaitGroup
		for i := range 100 {
			requests.Go(func() { assert.Equal(t, allowed, mayBy(t, cache, fmt.Sprint(i%3), time.Minute)) })
		}
		requests.Wait()
		assert.Equal(t, 3, by.calls())
		assert.Equal(t, 3, cache.Len())
	})
}

// To forget one principal is nothing to those who wait for an answer about
// another.
func TestPermissionCache_forgetsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p"), took: time.Second}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{})
		var requests sync.WaitGroup
		for _, name := range []string{"alice", "bob"} {
			requests.Go(func() { assert.Equal(t, allowed, mayBy(t, cache, name, time.Minute)) })
		}
		synctest.Wait()
		cache.Forget(claims.Principal{Subject: "bob"})
		requests.Wait()
		synctest.Wait()
		assert.Equal(t, 3, by.calls(), "twice of bob")
		assert.Equal(t, 2, cache.Len())
	})
}

// The source is asked about 64 principals at a time; the others wait for their
// turn, and no longer than a call may take.
func TestPermissionCache_turns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most, calls atomic.Int32
		slow := source(func(context.Context, claims.Principal) (claims.Grants, error) {
			calls.Add(1)
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			time.Sleep(2 * time.Second)
			return everywhere("p"), nil
		})
		cache := cacheOf(t, slow, claims.PermissionCacheConfig{Timeout: 5 * time.Second})
		outcomes := make([]truth, 256)
		start := time.Now()
		var requests sync.WaitGroup
		for i := range outcomes {
			requests.Go(func() { outcomes[i] = mayBy(t, cache, fmt.Sprint(i), time.Minute) })
		}
		requests.Wait()
		assert.EqualValues(t, 64, most.Load())
		assert.LessOrEqual(t, time.Since(start), 6*time.Second)
		count := map[truth]int{}
		for _, outcome := range outcomes {
			count[outcome]++
		}
		assert.Equal(t, map[truth]int{allowed: 128, undecided: 128}, count, "a third turn would end after 6 s")
		assert.EqualValues(t, 192, calls.Load(), "and 64 have none before 5 s")
		time.Sleep(2 * time.Second) // these end
	})
}

// However many principals there are, what waits for the source has a bound.
func TestPermissionCache_tooBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p"), took: 4 * time.Second}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{})
		require.Equal(t, allowed, mayBy(t, cache, "alice", time.Minute))
		var requests sync.WaitGroup
		for i := range 4096 {
			requests.Go(func() { _, _ = cache.Permissions(t.Context(), claims.Principal{Subject: fmt.Sprint(i)}) })
		}
		synctest.Wait()
		start := time.Now()
		assert.Equal(t, undecided, mayBy(t, cache, "bob", time.Minute), "at once")
		assert.Zero(t, time.Since(start))
		assert.Equal(t, allowed, mayBy(t, cache, "alice", time.Minute), "whom it knows")
		requests.Wait()
		assert.Equal(t, allowed, mayBy(t, cache, "bob", time.Minute), "later")
	})
}

// A source that hangs is waited for no longer than Timeout, also one that does
// not look at its context.
func TestPermissionCache_hangs(t *testing.T) {
	t.Parallel()
	for name, heeds := range map[string]bool{"and heeds its context": true, "and does not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				released := make(chan struct{})
				var calls atomic.Int32
				hanging := source(func(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
					calls.Add(1)
					if !heeds {
						ctx = context.WithoutCancel(ctx)
					}
					select {
					case <-released:
					case <-ctx.Done():
					}
					return everywhere("p"), nil // all the same
				})
				cache := cacheOf(t, hanging, claims.PermissionCacheConfig{Timeout: 3 * time.Second})
				start := time.Now()
				assert.Equal(t, undecided, mayBy(t, cache, "alice", time.Minute))
				assert.LessOrEqual(t, time.Since(start), 3*time.Second)
				start = time.Now()
				assert.Equal(t, undecided, mayBy(t, cache, "alice", time.Minute))
				assert.LessOrEqual(t, time.Since(start), 3*time.Second)
				if !heeds {
					assert.EqualValues(t, 1, calls.Load(), "one call of a principal at a time")
				}
				close(released)
				time.Sleep(5 * time.Second)
				assert.Equal(t, allowed, mayBy(t, cache, "alice", time.Minute))
			})
		})
	}
}

// A call whose goroutine ends, as that of a test that fails, is a failure like
// any.
func TestPermissionCache_goexit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var well atomic.Bool
		cache := cacheOf(t, source(func(context.Context, claims.Principal) (claims.Grants, error) {
			if !well.Load() {
				runtime.Goexit()
			}
			return everywhere("p"), nil
		}), claims.PermissionCacheConfig{})
		for i := range 65 {
			start := time.Now()
			assert.Equal(t, undecided, mayBy(t, cache, fmt.Sprint(i), time.Minute))
			if !assert.LessOrEqual(t, time.Since(start), 5*time.Second, "%d wait for ever", i) {
				break
			}
		}
		well.Store(true)
		time.Sleep(time.Second)
		assert.Equal(t, allowed, mayBy(t, cache, "0", time.Minute))
	})
}

// A request that gives up ends at once, and those that wait with it do not.
func TestPermissionCache_waiterGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p"), took: 3 * time.Second}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{})
		start := time.Now()
		var requests sync.WaitGroup
		requests.Go(func() {
			assert.Equal(t, undecided, mayBy(t, cache, "alice", time.Second), "the one that asked first")
			assert.Equal(t, time.Second, time.Since(start))
		})
		synctest.Wait()
		requests.Go(func() { assert.Equal(t, allowed, mayBy(t, cache, "alice", time.Minute)) })
		requests.Wait()
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, allowed, mayBy(t, cache, "alice", 0), "what is remembered needs no time")
		assert.Equal(t, 1, by.calls())
	})
}

// An answer that is forgotten while it is asked for was asked before: it is
// nobody's.
func TestPermissionCache_forgottenInFlight(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]claims.Principal{
		"exactly": {Subject: "alice"}, "all": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				grants, calls := everywhere("p"), 0
				slow := source(func(context.Context, claims.Principal) (claims.Grants, error) {
					mu.Lock()
					calls++
					answer := grants
					mu.Unlock()
					time.Sleep(2 * time.Second)
					return answer, nil
				})
				cache := cacheOf(t, slow, claims.PermissionCacheConfig{TTL: 8 * time.Second})
				revoke := func() {
					mu.Lock()
					grants = claims.Grants{}
					mu.Unlock()
					cache.Forget(forget)
				}
				var requests sync.WaitGroup
				for range 10 {
					requests.Go(func() { assert.Equal(t, refused, mayBy(t, cache, "alice", time.Minute), "it waits again") })
				}
				time.Sleep(time.Second)
				revoke()
				start := time.Now()
				requests.Wait()
				assert.Equal(t, 2, calls)
				assert.Equal(t, 2*time.Second, time.Since(start), "the first is not waited for")

				// And where it is asked ahead of time.
				mu.Lock()
				grants = everywhere("p")
				mu.Unlock()
				cache.Forget(claims.Principal{})
				require.Equal(t, allowed, mayBy(t, cache, "alice", time.Minute))
				time.Sleep(5 * time.Second)
				require.Equal(t, allowed, mayBy(t, cache, "alice", time.Minute), "one is under way")
				synctest.Wait()
				require.Equal(t, 4, calls)
				revoke()
				assert.Equal(t, refused, mayBy(t, cache, "alice", time.Minute))
				time.Sleep(3 * time.Second)
				assert.Equal(t, refused, mayBy(t, cache, "alice", time.Minute))
				assert.Equal(t, 1, cache.Len())
				time.Sleep(10 * time.Second)
			})
		})
	}
}
