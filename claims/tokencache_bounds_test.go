package claims

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func sumOf(i int) tokenSum {
	return sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
}

// held is a token with a payload of that many bytes.
func held(i, size int, expires time.Time) *cachedToken {
	payload := strings.Repeat("x", size)
	return &cachedToken{sum: sumOf(i), claims: &Claims{payload: payload, expiresAt: expires}}
}

// It is nearly full before a token has to give way, and never holds more.
func TestTokenCache_capacity(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, capacity := range []int{1, 8, 100, 10_000, 100_000} {
		cache := &tokenCache{tokens: capacity}
		for i := range capacity {
			cache.add(held(i, 10, now.Add(time.Hour)), now)
		}
		tokens, _ := cache.len()
		assert.GreaterOrEqual(t, tokens, capacity*95/100, "of %d", capacity)
		for i := range 1000 {
			cache.add(held(capacity+i, 10, now.Add(time.Hour)), now)
			last := sumOf(capacity + i)
			require.NotNil(t, cache.find(&last, now))
		}
		tokens, _ = cache.len()
		assert.LessOrEqual(t, tokens, capacity+ways-1)
	}
}

// Tokens of whatever size take no more memory than the bound.
func TestTokenCache_bytes(t *testing.T) {
	const tokens = 1000
	bound := (tokens + ways) * meanSize
	now := time.Now()
	for _, size := range []int{100, 1000, 4000, 11_000} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		cache := &tokenCache{tokens: tokens}
		for i := range 10 * tokens {
			cache.add(held(i, size, now.Add(time.Hour)), now)
		}
		held, counted := cache.len()
		assert.LessOrEqual(t, counted, bound, "%d bytes", size)
		assert.GreaterOrEqual(t, held, min(tokens*9/10, tokens*meanSize/(size+overhead)/2))
		runtime.GC()
		runtime.ReadMemStats(&after)
		grown := int(after.HeapAlloc) - int(before.HeapAlloc)
		assert.LessOrEqual(t, grown, bound, "%d tokens of %d bytes", held, size)
		runtime.KeepAlive(cache)
	}
	cache := &tokenCache{tokens: tokens}
	cache.add(held(1, ways*meanSize, now.Add(time.Hour)), now)
	held, _ := cache.len()
	assert.Zero(t, held, "more than a place has")
}

// Real tokens take what is counted for them, and less than is documented.
func TestTokenCache_memoryOfTokens(t *testing.T) {
	const tokens = 5_000
	c := newCounting(t, func(cfg *Config) { cfg.TokenCache = tokens })
	v := c.verifier(t)
	list := make([]Request, tokens)
	for i := range list {
		list[i] = c.mint(claimstest.Token{
			Subject: fmt.Sprintf("user-%d", i), ClientID: "shop", Scope: "orders:read orders:write",
			Claims: map[string]any{"permissions": []string{"orders:read", "orders:refund"}, "x": strings.Repeat("y", 300)},
		})
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, r := range list {
		_, err := v.Authenticate(t.Context(), r)
		require.NoError(t, err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held, counted := v.gate.cache.len()
	assert.GreaterOrEqual(t, held, tokens*95/100)
	grown := int(after.HeapAlloc) - int(before.HeapAlloc)
	t.Logf("%d tokens, %d bytes each, counted as %d", held, grown/held, counted/held)
	assert.LessOrEqual(t, grown, tokens*meanSize)
	assert.InDelta(t, 1, float64(counted)/float64(grown), 0.25, "what is counted is what is taken")
	runtime.KeepAlive(list)
}

// The token that was not used for longest gives way, and an expired one before it.
func TestTokenCache_order(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(i int) time.Time { return now.Add(time.Duration(i) * time.Second) }
	cache := &tokenCache{tokens: ways} // one place
	for i := range ways {
		cache.add(held(i, 10, at(3600)), at(i))
	}
	find := func(i int, when time.Time) bool {
		sum := sumOf(i)
		return cache.find(&sum, when) != nil
	}
	require.True(t, find(0, at(10)))
	cache.add(held(100, 10, at(20)), at(11))
	assert.False(t, find(1, at(12)), "it was used last at its own second")
	assert.True(t, find(0, at(12)))
	cache.add(held(101, 10, at(3600)), at(20).Add(maxLeeway))
	assert.False(t, find(100, at(500)), "it has expired")
	assert.True(t, find(2, at(500)))

	cache.add(held(101, 20, at(3600)), at(501))
	tokens, _ := cache.len()
	assert.Equal(t, ways, tokens, "the same token again takes the place of the first")
}

// For the race detector: look-ups, additions, removals and rotations at once.
func TestTokenCache_churn(t *testing.T) {
	t.Parallel()
	c := newCounting(t, func(cfg *Config) { cfg.TokenCache = 16 })
	v := c.verifier(t)
	list := make([]Request, 64)
	for i := range list {
		list[i] = c.mint(claimstest.Token{Subject: fmt.Sprint(i)})
	}
	var workers sync.WaitGroup
	for seed := range 8 {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(seed), 0))
			for range 300 {
				i := random.IntN(len(list))
				caller, err := v.Authenticate(t.Context(), list[i])
				if assert.NoError(t, err) {
					assert.Equal(t, fmt.Sprint(i), caller.Subject())
				}
				if held := v.gate.cache.table.Load(); random.IntN(10) == 0 && held != nil {
					if token := held.places[0].tokens[random.IntN(ways)].Load(); token != nil {
						v.gate.cache.remove(token)
					}
				}
			}
		})
	}
	workers.Wait()
	tokens, _ := v.gate.cache.len()
	assert.LessOrEqual(t, tokens, 16)
}

func BenchmarkTokenCache_hitRatio(b *testing.B) {
	const clients = 20_000
	now := time.Now()
	for _, share := range []int{1, 5, 10, 25, 50, 100} {
		b.Run(fmt.Sprintf("cache=%d%%", share), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			zipf := rand.NewZipf(random, 1.07, 1, clients-1)
			cache := &tokenCache{tokens: clients * share / 100}
			hits, requests := 0, 0
			for b.Loop() {
				requests++
				when := now.Add(time.Duration(requests) * time.Millisecond)
				i := int(zipf.Uint64())
				sum := sumOf(i)
				if cache.find(&sum, when) != nil {
					hits++
					continue
				}
				cache.add(held(i, 10, when.Add(time.Hour)), when)
			}
			b.ReportMetric(100*float64(hits)/float64(requests), "%hits")
		})
	}
}
