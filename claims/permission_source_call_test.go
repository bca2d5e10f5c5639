package claims_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// A caller who goes away, or gives up, is no outage, and takes nothing from
// those who wait for the same answer.
func TestPermissionSource_callerGone(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind func(claims.PermissionSource) claims.PermissionSource) {
		for _, how := range []string{"goes away", "gives up", "source heeds it"} {
			t.Run(how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					record := &record{}
					by := kind(source(func(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
						if how != "source heeds it" {
							ctx = context.WithoutCancel(ctx)
						}
						select {
						case <-time.After(2 * time.Second):
							return everywhere("p"), nil
						case <-ctx.Done():
							return claims.Grants{}, fmt.Errorf("query: %w", ctx.Err())
						}
					}))
					guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
						Permissions: by, Observer: record.observe,
					})
					ctx, cancel := context.WithCancel(t.Context())
					if how == "gives up" {
						cancel()
						ctx, cancel = context.WithTimeout(t.Context(), time.Second)
					}
					time.AfterFunc(time.Second, cancel)
					var requests sync.WaitGroup
					requests.Go(func() {
						start := time.Now()
						_, err := ask(ctx, guard, claims.Permissions("p"), nil)
						refusal := assertRefusal(t, claims.ErrUnavailable, err)
						assert.Equal(t, claims.ReasonCanceled, refusal.Reason())
						assert.Equal(t, time.Second, time.Since(start))
					})
					synctest.Wait()
					requests.Go(func() {
						_, err := ask(t.Context(), guard, claims.Permissions("p"), nil)
						assert.NoError(t, err)
					})
					requests.Wait()
					decisions := record.take()
					require.Len(t, decisions, 2)
					assert.Equal(t, "canceled", decisions[0].Outcome())
					assert.Equal(t, "allowed", decisions[1].Outcome())
				})
			})
		}
	})
}

// Also where the cache itself is asked.
func TestPermissionCache_callerGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p"), took: 2 * time.Second}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := cache.Permissions(ctx, claims.Principal{Subject: "alice"})
		assert.Equal(t, claims.ReasonCanceled, claims.AsError(err).Reason())
		_, err = cache.Permissions(t.Context(), claims.Principal{Subject: "alice"})
		assert.NoError(t, err)
		assert.Equal(t, 1, by.calls())
	})
}

// A panic of a source is a cause, with its stack; a goroutine that it ends and
// a call that does not heed its context are no more than a failure.
func TestPermissionSource_faults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(release chan struct{}){
		"panic": func(chan struct{}) { panic(fmt.Errorf("tier: %w", errDown)) },
		"exit":  func(chan struct{}) { runtime.Goexit() },
		"deaf":  func(release chan struct{}) { <-release },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachKind(t, func(t *testing.T, kind func(claims.PermissionSource) claims.PermissionSource) {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					by := kind(source(func(context.Context, claims.Principal) (claims.Grants, error) {
						fault(release)
						return everywhere("p"), nil
					}))
					guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: by})
					start := time.Now()
					_, err := ask(t.Context(), guard, claims.Permissions("p"), nil)
					close(release)
					refusal := assertRefusal(t, claims.ErrUnavailable, err)
					assert.Equal(t, claims.ReasonPermissionsUnavailable, refusal.Reason())
					assert.ErrorContains(t, refusal.Unwrap(), "claims: PermissionSource")
					switch name {
					case "panic":
						var panicked *foreign.PanicError
						require.ErrorAs(t, err, &panicked)
						assert.Contains(t, string(panicked.Stack), "permission_source_call_test.go")
						assert.ErrorIs(t, err, errDown)
					case "exit":
						assert.ErrorIs(t, err, foreign.ErrExited)
					case "deaf":
						assert.ErrorIs(t, err, foreign.ErrLate)
						assert.Equal(t, 5*time.Second, time.Since(start))
					}
				})
			})
		})
	}
}

// The calls of a source that do not return are bounded, as are the requests
// that wait.
func TestPermissionSource_bounded(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind func(claims.PermissionSource) claims.PermissionSource) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			by := kind(source(func(context.Context, claims.Principal) (claims.Grants, error) {
				<-release
				return everywhere("p"), nil
			}))
			guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: by})
			for range 4096 {
				go func() { _, _ = ask(t.Context(), guard, claims.Permissions("p"), nil) }()
			}
			synctest.Wait()
			start := time.Now()
			_, err := ask(t.Context(), guard, claims.Permissions("p"), nil)
			refusal := assertRefusal(t, claims.ErrUnavailable, err)
			assert.ErrorContains(t, refusal.Unwrap(), "too many")
			assert.Zero(t, time.Since(start), "at once")
			close(release)
			synctest.Wait()
			_, err = ask(t.Context(), guard, claims.Permissions("p"), nil)
			assert.NoError(t, err)
		})
	})
}
