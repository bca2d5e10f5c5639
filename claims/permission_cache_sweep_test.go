package claims

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func filled(t testing.TB, n int) *PermissionCache {
	cache := cached(t, granted{"p"}, PermissionCacheConfig{TTL: time.Hour, Max: 4 * n})
	for i := range n {
		know(t, cache, "old", i)
	}
	return cache
}

// know brings a principal into the cache, if they are not there.
func know(t testing.TB, cache *PermissionCache, subject string, i int) string {
	a, origin := cache.answer(t.Context(), Principal{Issuer: "i", Subject: subject, ClientID: fmt.Sprint(i)})
	require.Nil(t, a.err)
	return origin
}

// A pattern lets others in after every few principals, whatever they do to the
// answers meanwhile; what they learn then stays, and what was there goes.
func TestPermissionCache_forgetsInSteps(t *testing.T) {
	t.Parallel()
	const n = 10 * sweepStep
	cache := filled(t, n)
	s := cache.beginSweep(Principal{Subject: "old"})
	other := cache.beginSweep(Principal{Subject: "none"})
	steps, before := 1, cache.Len()
	for cache.advance(s) {
		require.LessOrEqual(t, before-cache.Len(), sweepStep)
		require.Equal(t, originSource, know(t, cache, "new", steps), "one that is unknown")
		require.Equal(t, originSource, know(t, cache, "old", steps), "one that is forgotten")
		if s.at != nil { // the next to look at goes
			cache.Forget(s.at.Value.(*answer).who)
		}
		cache.advance(other)
		steps++
		before = cache.Len()
	}
	assert.GreaterOrEqual(t, steps, n/sweepStep-1)
	for cache.advance(other) {
	}
	assert.Empty(t, cache.sweeps)
	for i := 1; i < steps; i++ {
		assert.Equal(t, originCache, know(t, cache, "new", i))
		assert.Equal(t, originCache, know(t, cache, "old", i), "asked since")
	}
	assert.Equal(t, 2*(steps-1), cache.Len())
}

// An exact principal is found without a look at the others.
func TestPermissionCache_forgetsOne(t *testing.T) {
	t.Parallel()
	cache := filled(t, 10)
	cache.Forget(Principal{"i", "old", "3"})
	assert.Equal(t, 9, cache.Len())
	assert.Equal(t, originSource, know(t, cache, "old", 3))
	cache.Forget(Principal{"i", "unknown", "3"})
	assert.Equal(t, 10, cache.Len())
}

// Those who forget and those who ask do not get in each other's way, and what
// is forgotten is so as soon as Forget returns.
func TestPermissionCache_forgetsAtOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	version := map[string]int{}
	cache := cached(t, grantedTo(func(who Principal) Grants {
		mu.Lock()
		defer mu.Unlock()
		return Grants{Permissions: []string{fmt.Sprint(version[who.Subject])}}
	}), PermissionCacheConfig{TTL: time.Hour, Max: 300})
	var wg sync.WaitGroup
	for writer := range 4 {
		subject := fmt.Sprint("user-", writer)
		wg.Go(func() {
			for i := range 100 {
				mu.Lock()
				version[subject] = i
				mu.Unlock()
				cache.Forget(Principal{Subject: subject})
				a, _ := cache.answer(t.Context(), Principal{"i", subject, fmt.Sprint(i % 7)})
				assert.True(t, a.err == nil && a.granted.has("", fmt.Sprint(i)), "%s %d: %v", subject, i, a.granted.everywhere)
			}
		})
		wg.Go(func() {
			for i := range 500 {
				cache.answer(t.Context(), Principal{"i", fmt.Sprint("user-", i%4), fmt.Sprint(i % 100)})
			}
		})
	}
	wg.Wait()
	assert.Empty(t, cache.sweeps)
}
