package claims_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// What is forgotten is so in every request that has begun, whatever has become
// of the answer that it has.
func TestPermissionCache_forgottenInLongRequests(t *testing.T) {
	t.Parallel()
	alice := claims.Principal{Subject: "alice"}
	for _, tt := range []struct {
		name string
		// become brings about what becomes of the answer before it is
		// forgotten.
		become func(t *testing.T, cache *claims.PermissionCache, by *counted)
	}{
		{name: "in the cache", become: func(*testing.T, *claims.PermissionCache, *counted) {}},
		{name: "replaced", become: func(t *testing.T, cache *claims.PermissionCache, by *counted) {
			time.Sleep(50 * time.Minute) // the last quarter of its time
			asked(t, cache, "alice")
			synctest.Wait()
			require.Equal(t, 2, by.calls())
		}},
		{name: "replaced twice", become: func(t *testing.T, cache *claims.PermissionCache, by *counted) {
			cache.Forget(claims.Principal{Subject: "bob"})
			time.Sleep(46 * time.Minute)
			asked(t, cache, "alice")
			synctest.Wait()
			cache.Forget(alice)
			asked(t, cache, "alice")
			require.Equal(t, 3, by.calls())
		}},
		{name: "evicted", become: func(t *testing.T, cache *claims.PermissionCache, _ *counted) {
			for i := range 4 {
				time.Sleep(time.Second)
				asked(t, cache, fmt.Sprint(i))
			}
		}},
		{name: "evicted, and there again", become: func(t *testing.T, cache *claims.PermissionCache, _ *counted) {
			for i := range 4 {
				time.Sleep(time.Second)
				asked(t, cache, fmt.Sprint(i))
			}
			asked(t, cache, "alice")
		}},
		{name: "there again after an outage", become: func(t *testing.T, cache *claims.PermissionCache, by *counted) {
			for i := range 4 {
				time.Sleep(time.Second)
				asked(t, cache, fmt.Sprint(i))
			}
			by.set(claims.Grants{}, errDown)
			_, err := cache.Permissions(t.Context(), alice)
			require.Error(t, err)
		}},
	} {
		for _, forget := range []claims.Principal{alice, {}} {
			t.Run(fmt.Sprintf("%s, forget %q", tt.name, forget.Subject), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					by := &counted{grants: everywhere("p")}
					cache := cacheOf(t, by, claims.PermissionCacheConfig{TTL: time.Hour, Max: 4})
					holder := holderOf(t, cache, m{"sub": "alice"})
					ctx, err := ask(t.Context(), holder.guard, claims.Permissions("p"), nil)
					require.NoError(t, err)
					tt.become(t, cache, by)
					by.set(claims.Grants{}, nil)
					cache.Forget(forget)
					assertRefusal(t, claims.ErrForbidden, claims.Recheck(ctx))
					assertRefusal(t, claims.ErrForbidden, claims.Allowed(ctx, claims.Permissions("p")))
					kept, err := claims.Filter(ctx, []int{1}, func(int) claims.Requirement {
						return claims.Permissions("p")
					})
					require.NoError(t, err)
					assert.Empty(t, kept)
					assert.Equal(t, refused, holder.may())
				})
			})
		}
	}
}

// What is forgotten of one costs the others no more than to ask again, and
// those whose answers are in the cache not even that.
func TestPermissionCache_forgetCostsOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p")}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{TTL: time.Hour, Max: 2})
		evicted := holderOf(t, cache, m{"sub": "evicted"})
		kept := holderOf(t, cache, m{"sub": "kept"})
		var requests []context.Context
		for _, holder := range []holder{evicted, kept} {
			ctx, err := ask(t.Context(), holder.guard, claims.Permissions("p"), nil)
			require.NoError(t, err)
			requests = append(requests, ctx)
			time.Sleep(time.Second)
		}
		asked(t, cache, "bob")
		require.Equal(t, 3, by.calls())
		cache.Forget(claims.Principal{Subject: "bob"})
		for range 3 {
			require.NoError(t, claims.Recheck(requests[0]))
			require.NoError(t, claims.Recheck(requests[1]))
		}
		assert.Equal(t, 4, by.calls(), "the one that was evicted, once")
	})
}

// The cause of a failure reaches whoever may see it, also while it is cached.
func TestPermissionSource_cause(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind func(claims.PermissionSource) claims.PermissionSource) {
		record := &record{}
		guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
			Permissions: kind(&counted{err: fmt.Errorf("orders: %w", errDown)}), Observer: record.observe,
		})
		for range 2 {
			_, err := ask(t.Context(), guard, claims.Permissions("p"), nil)
			assertRefusal(t, claims.ErrUnavailable, err)
			assert.EqualError(t, errors.Unwrap(err), "orders: "+errDown.Error())
			assert.NotContains(t, err.Error(), errDown.Error())
			decisions := record.take()
			require.Len(t, decisions, 1)
			assert.ErrorIs(t, decisions[0].Err, errDown)
		}
	})
}
