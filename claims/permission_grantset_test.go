package claims

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type grantedTo func(who Principal) Grants

func (g grantedTo) Permissions(_ context.Context, who Principal) (Grants, error) { return g(who), nil }

func cached(t testing.TB, source PermissionSource, cfg PermissionCacheConfig) *PermissionCache {
	t.Helper()
	cache, err := NewPermissionCache(source, cfg)
	require.NoError(t, err)
	return cache
}

// Principals whose grants are equal have one set, whatever the order; others
// have their own, and what nobody has any more is gone.
func TestPermissionCache_sharesEqualGrants(t *testing.T) {
	t.Parallel()
	cache := cached(t, grantedTo(func(who Principal) Grants {
		switch who.ClientID {
		case "a":
			return Grants{Permissions: []string{"p", "q", "p"}, Workspaces: map[string][]string{"v": {"r"}, "w": {"s", "r"}}}
		case "b":
			return Grants{Permissions: []string{"q", "p"}, Workspaces: map[string][]string{"w": {"r", "s"}, "v": {"r"}}}
		case "swapped":
			return Grants{Permissions: []string{"q", "p"}, Workspaces: map[string][]string{"v": {"r", "s"}, "w": {"r"}}}
		case "joined":
			return Grants{Permissions: []string{"pq"}, Workspaces: map[string][]string{"v": {"r"}, "w": {"r", "s"}}}
		}
		return Grants{Permissions: []string{who.Subject}}
	}), PermissionCacheConfig{Max: 50, TTL: time.Hour})
	set := func(subject, client string) *grantSet {
		a, _ := cache.answer(t.Context(), Principal{"i", subject, client})
		return a.granted
	}
	one := set("alice", "a")
	assert.Same(t, one, set("bob", "a"))
	assert.Same(t, one, set("bob", "b"))
	assert.NotSame(t, one, set("bob", "swapped"))
	assert.NotSame(t, one, set("bob", "joined"))
	assert.Len(t, cache.shared.byHash, 3)
	cache.Forget(Principal{"i", "alice", "a"})
	assert.Same(t, one, set("carol", "a"))
	for i := range 200 {
		set(fmt.Sprint(i), "")
	}
	assert.Len(t, cache.shared.byHash, 50)
	cache.Forget(Principal{})
	assert.Empty(t, cache.shared.byHash)
	assert.NotSame(t, one, set("dave", "a"))
}

// A hash that another set has is no reason to grant what that does.
func TestPermissionCache_sharesNothingByHashAlone(t *testing.T) {
	t.Parallel()
	cache := cached(t, granted{"own"}, PermissionCacheConfig{})
	hash := newGrantSet(Grants{Permissions: []string{"own"}}).hashOf(cache.shared.seed)
	cache.shared.byHash[hash] = newGrantSet(Grants{Permissions: []string{"admin"}})
	got, err := cache.Permissions(t.Context(), Principal{Subject: "alice"})
	require.NoError(t, err)
	assert.Equal(t, Grants{Permissions: []string{"own"}}, got)
}

// To ask a PermissionCache that something else wraps costs a copy and no
// sorting: as many allocations for many permissions as for few.
//
// It is not parallel: what others allocate would count.
func TestPermissionCache_permissionsAreSorted(t *testing.T) {
	for _, n := range []int{2, 1000} {
		var list granted
		for i := range n {
			list = append(list, fmt.Sprint(n-i))
		}
		cache := cached(t, list, PermissionCacheConfig{})
		assert.LessOrEqual(t, testing.AllocsPerRun(10, func() {
			_, err := cache.Permissions(t.Context(), Principal{Subject: "alice"})
			require.NoError(t, err)
		}), 3.0, n)
	}
}

func BenchmarkPermissionCache_Permissions(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		var list granted
		for i := range n {
			list = append(list, fmt.Sprintf("orders:number-%d:write", n-i))
		}
		cache := cached(b, list, PermissionCacheConfig{TTL: time.Hour})
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				_, _ = cache.Permissions(b.Context(), Principal{Subject: "alice"})
			}
		})
	}
}

// To look up a caller whose token is remembered, of so many in random order,
// with the grants of one of twenty roles or with grants of their own.
func BenchmarkPermissionCache_recall(b *testing.B) {
	const each = 10
	for _, n := range []int{100, 10_000} {
		for _, roles := range []int{20, n} {
			cache := cached(b, grantedTo(func(who Principal) Grants {
				var i int
				_, _ = fmt.Sscan(who.Subject, &i)
				var list []string
				for k := range each {
					list = append(list, fmt.Sprintf("orders:%d:%d:write", k, i%roles))
				}
				return Grants{Permissions: list}
			}), PermissionCacheConfig{TTL: time.Hour, Max: 2 * n})
			callers, wanted := make([]*call, n), make([]string, n)
			guard := &Guard{permissions: cache}
			for i := range n {
				caller := Claims{&facts{}}
				caller.subject = fmt.Sprint(i)
				a, _ := cache.answer(b.Context(), caller.Principal())
				caller.answer.Store(a.standing)
				callers[i] = &call{caller: caller, guard: guard}
				wanted[i] = fmt.Sprintf("orders:%d:%d:write", i%each, i%roles)
			}
			order := rand.Perm(n)
			b.Run(fmt.Sprintf("of=%d/roles=%d", n, roles), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					k := order[i%n]
					a := cache.recall(&callers[k].caller)
					if a == nil || !granting(a, wanted[k]) {
						b.Fatal("not granted")
					}
				}
			})
		}
	}
}

func granting(a *answer, permission string) bool { return a.granted.has("", permission) }
