package claims_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// The oldest answer is evicted.
func TestPermissionCache_evicts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p")}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{Max: 4, TTL: time.Hour})
		for i := range 100 {
			time.Sleep(time.Second)
			for j := max(i-3, 0); j <= i; j++ {
				asked(t, cache, fmt.Sprint(j))
			}
			require.Equal(t, i+1, by.calls(), "the last ones are there")
			require.Equal(t, min(i+1, 4), cache.Len())
		}
		calls := by.calls()
		asked(t, cache, "95")
		assert.Equal(t, calls+1, by.calls(), "the one before is not")
		// A request keeps what it knows, and a token that is met again asks
		// again.
		holder := holderOf(t, cache, m{"sub": "alice"})
		require.Equal(t, allowed, holder.may())
		ctx, err := ask(t.Context(), holder.guard, claims.Permissions("p"), nil)
		require.NoError(t, err)
		for i := range 4 {
			time.Sleep(time.Second)
			asked(t, cache, fmt.Sprint("another", i))
		}
		calls = by.calls()
		assert.NoError(t, claims.Allowed(ctx, claims.Permissions("p")))
		assert.Equal(t, calls, by.calls())
		assert.Equal(t, allowed, holder.may())
		assert.Equal(t, calls+1, by.calls())
	})
}

// The newest answer is not evicted, though a failure is valid for the shortest
// time.
func TestPermissionCache_evictsNoNewcomer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p")}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{Max: 1})
		asked(t, cache, "alice")
		by.set(claims.Grants{}, errDown)
		for range 3 {
			_, err := cache.Permissions(t.Context(), claims.Principal{Subject: "bob"})
			assertRefusal(t, claims.ErrUnavailable, err)
		}
		assert.Equal(t, 2, by.calls(), "the failure is kept")
	})
}

// Permissions and workspaces count, a hundred to a principal.
func TestPermissionCache_evictsBySize(t *testing.T) {
	t.Parallel()
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint(i))
		}
		return list
	}
	workspaces := map[string][]string{}
	for _, name := range many(149) {
		workspaces[name] = []string{"p"}
	}
	for name, grants := range map[string]claims.Grants{
		"everywhere":        everywhere(many(299)...),
		"in one workspace":  {Workspaces: map[string][]string{"w": many(298)}},
		"in many of one":    {Workspaces: workspaces},
		"each once, by set": everywhere(append(many(299), many(299)...)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := cacheOf(t, granting(grants), claims.PermissionCacheConfig{Max: 10})
			for i := range 20 {
				asked(t, cache, fmt.Sprint(i))
			}
			assert.Equal(t, 3, cache.Len(), "of 300 each, and 1000 in all")
			cache.Forget(claims.Principal{})
			assert.Zero(t, cache.Len())
		})
	}
	t.Run("one that is larger than all", func(t *testing.T) {
		t.Parallel()
		cache := cacheOf(t, granting(everywhere(many(5000)...)), claims.PermissionCacheConfig{Max: 10})
		for i := range 3 {
			asked(t, cache, fmt.Sprint(i))
			assert.Equal(t, 1, cache.Len())
		}
	})
	t.Run("to the last", func(t *testing.T) {
		t.Parallel()
		for n, want := range map[int]int{99: 2, 100: 1} { // each counts one by itself
			cache := cacheOf(t, granting(everywhere(many(n)...)), claims.PermissionCacheConfig{Max: 2})
			asked(t, cache, "alice")
			asked(t, cache, "bob")
			assert.Equal(t, want, cache.Len(), n)
		}
	})
	t.Run("unless it is said", func(t *testing.T) {
		t.Parallel()
		cache := cacheOf(t, granting(claims.Grants{}), claims.PermissionCacheConfig{})
		for i := range 10_001 {
			asked(t, cache, fmt.Sprint(i))
		}
		assert.Equal(t, 10_000, cache.Len())
	})
	t.Run("the least there is", func(t *testing.T) {
		t.Parallel()
		cache := cacheOf(t, granting(everywhere("p")), claims.PermissionCacheConfig{Max: 1})
		for i := range 3 {
			asked(t, cache, fmt.Sprint(i))
			assert.Equal(t, 1, cache.Len())
		}
	})
}

// What a source does later with what it has answered changes nothing, and
// neither does what is done with what a cache answers.
func TestPermissionCache_copies(t *testing.T) {
	t.Parallel()
	list, inOne := []string{"p", "q", "p"}, []string{"r"}
	workspaces := map[string][]string{"w": inOne}
	cache := cacheOf(t, granting(claims.Grants{Permissions: list, Workspaces: workspaces}), claims.PermissionCacheConfig{})
	want := claims.Grants{Permissions: []string{"p", "q"}, Workspaces: map[string][]string{"w": {"r"}}}
	who := claims.Principal{Subject: "alice"}
	got, err := cache.Permissions(t.Context(), who)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	list[0], list[1], inOne[0] = "admin", "admin", "admin"
	workspaces["x"] = []string{"admin"}
	delete(workspaces, "w")
	got.Permissions[0], got.Workspaces["w"][0] = "admin", "admin"
	got.Workspaces["y"] = nil
	got, err = cache.Permissions(t.Context(), who)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: cache})
	for _, needs := range []claims.Requirement{claims.Permissions("admin"), claims.InWorkspace("x", claims.Permissions("admin"))} {
		_, err = ask(t.Context(), guard, needs, nil)
		assertRefusal(t, claims.ErrForbidden, err)
	}
}

// leftBehind returns how many bytes f leaves behind that are in use.
func leftBehind(f func()) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int(after.HeapAlloc) - int(before.HeapAlloc)
}

// A principal in the cache does not hold the whole token.
//
// It is not parallel: what others hold would count.
func TestPermissionCache_holdsNoTokens(t *testing.T) {
	cache := cacheOf(t, granting(claims.Grants{}), claims.PermissionCacheConfig{})
	const n = 500
	size := leftBehind(func() {
		for i := range n {
			caller := says(t, m{"sub": fmt.Sprint(i), "iss": "https://issuer.example", "x": strings.Repeat("x", 12<<10)})
			_, err := cache.Permissions(t.Context(), caller.Principal())
			require.NoError(t, err)
		}
	})
	assert.Less(t, size/n, 4<<10, "bytes for each")
	assert.Equal(t, n, cache.Len())
}

// What was evicted takes no room, although the tokens of its principals are
// still known.
//
// It is not parallel: what others hold would count.
func TestPermissionCache_frees(t *testing.T) {
	cache := cacheOf(t, source(func(_ context.Context, who claims.Principal) (claims.Grants, error) {
		var list []string
		for i := range 500 {
			list = append(list, fmt.Sprintf("%s may do what number %d says", who.Subject, i))
		}
		return everywhere(list...), nil
	}), claims.PermissionCacheConfig{Max: 5})
	const n = 200
	var callers []*claims.Claims
	for i := range n {
		callers = append(callers, says(t, m{"sub": fmt.Sprint(i)}))
	}
	size := leftBehind(func() {
		for _, caller := range callers {
			_, err := ask(t.Context(), guardOf(t, caller, claims.GuardConfig{Permissions: cache}), claims.Permissions("p"), nil)
			assertRefusal(t, claims.ErrForbidden, err)
		}
	})
	assert.LessOrEqual(t, cache.Len(), 1)
	assert.Less(t, size, 2<<20, "bytes")
	runtime.KeepAlive(callers)
}
