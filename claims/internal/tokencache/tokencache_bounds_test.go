package tokencache

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type entry = Entry[string]

// overhead is what a token takes beside its text.
const overhead = 500

func sumOf(i int) Sum {
	whole := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
	return Sum(whole[:16])
}

// held is a token with a payload of that many bytes.
func held(i, size int, expires time.Time) *entry {
	return &entry{Sum: sumOf(i), Value: strings.Repeat("x", size), Size: size + overhead, ExpiresAt: expires}
}

// It is nearly full before it evicts a token, and never holds more.
func TestTokenCache_capacity(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, capacity := range []int{1, 8, 100, 10_000, 100_000} {
		cache := New[string](capacity)
		for i := range capacity {
			cache.Add(held(i, 10, now.Add(time.Hour)), now)
		}
		tokens, _ := cache.Len()
		assert.GreaterOrEqual(t, tokens, capacity*95/100, "of %d", capacity)
		for i := range 1000 {
			cache.Add(held(capacity+i, 10, now.Add(time.Hour)), now)
			last := sumOf(capacity + i)
			require.NotNil(t, cache.Find(&last, now))
		}
		tokens, _ = cache.Len()
		assert.LessOrEqual(t, tokens, capacity+ways-1)
	}
}

// How many tokens are held by what they take, as claims.Config has it.
func TestTokenCache_capacityOfLarge(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, tt := range []struct{ size, held int }{
		{size: 2 << 10, held: 10_000},
		{size: 4 << 10, held: 5_000},
		{size: 8 << 10, held: 2_500},
		{size: 16 << 10, held: 1_250},
		{size: 16<<10 + 1, held: 0},
	} {
		cache := New[string](10_000)
		for i := range 10_000 {
			cache.Add(&entry{Sum: sumOf(i), Size: tt.size, ExpiresAt: now.Add(time.Hour)}, now)
		}
		tokens, _ := cache.Len()
		assert.LessOrEqual(t, tokens, tt.held, "of %d bytes", tt.size)
		assert.GreaterOrEqual(t, tokens, tt.held*95/100, "of %d bytes", tt.size)
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
		cache := New[string](tokens)
		for i := range 10 * tokens {
			cache.Add(held(i, size, now.Add(time.Hour)), now)
		}
		held, counted := cache.Len()
		assert.LessOrEqual(t, counted, bound, "%d bytes", size)
		assert.GreaterOrEqual(t, held, min(tokens*9/10, tokens*meanSize/(size+overhead)/2))
		runtime.GC()
		runtime.ReadMemStats(&after)
		grown := int(after.HeapAlloc) - int(before.HeapAlloc)
		assert.LessOrEqual(t, grown, bound, "%d tokens of %d bytes", held, size)
		runtime.KeepAlive(cache)
	}
	cache := New[string](tokens)
	cache.Add(held(1, ways*meanSize, now.Add(time.Hour)), now)
	held, _ := cache.Len()
	assert.Zero(t, held, "more than a place has")
}

// The token that was not used for longest is evicted, and an expired one before
// it.
func TestTokenCache_order(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(i int) time.Time { return now.Add(time.Duration(i) * time.Second) }
	cache := New[string](ways) // one place
	for i := range ways {
		cache.Add(held(i, 10, at(3600)), at(i))
	}
	find := func(i int, when time.Time) bool {
		sum := sumOf(i)
		return cache.Find(&sum, when) != nil
	}
	require.True(t, find(0, at(10)))
	cache.Add(held(100, 10, at(20)), at(11))
	assert.False(t, find(1, at(12)), "it was used last at its own second")
	assert.True(t, find(0, at(12)))
	cache.Add(held(101, 10, at(3600)), at(20))
	assert.False(t, find(100, at(500)), "it has expired")
	assert.True(t, find(2, at(500)))

	cache.Add(held(101, 20, at(3600)), at(501))
	tokens, _ := cache.Len()
	assert.Equal(t, ways, tokens, "the same token again takes the place of the first")
}

func BenchmarkTokenCache_hitRatio(b *testing.B) {
	const clients = 20_000
	now := time.Now()
	for _, share := range []int{1, 5, 10, 25, 50, 100} {
		b.Run(fmt.Sprintf("cache=%d%%", share), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			zipf := rand.NewZipf(random, 1.07, 1, clients-1)
			cache := New[string](clients * share / 100)
			hits, requests := 0, 0
			for b.Loop() {
				requests++
				when := now.Add(time.Duration(requests) * time.Millisecond)
				i := int(zipf.Uint64())
				sum := sumOf(i)
				if cache.Find(&sum, when) != nil {
					hits++
					continue
				}
				cache.Add(held(i, 10, when.Add(time.Hour)), when)
			}
			b.ReportMetric(100*float64(hits)/float64(requests), "%hits")
		})
	}
}

// Of the hash all 256 bits are compared, though its first 64 choose the place.
func TestTokenCache_wholeHash(t *testing.T) {
	t.Parallel()
	cache := New[string](100)
	now := time.Now()
	var sum Sum
	binary.LittleEndian.PutUint64(sum[:], 12345)
	cache.Add(&entry{Sum: sum, ExpiresAt: now.Add(time.Hour)}, now)
	require.NotNil(t, cache.Find(&sum, now))
	for i := range sum {
		other := sum // with few places, they and the tag are often the same
		other[i] ^= 0x80
		assert.Nil(t, cache.Find(&other, now), "byte %d", i)
	}
}
