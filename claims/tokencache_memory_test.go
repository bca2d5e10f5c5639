package claims

import (
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

// Real tokens take what is counted for them, and less than is documented.
func TestTokenCache_memoryOfTokens(t *testing.T) {
	const tokens = 5_000
	c := newCounting(t, func(cfg *Config) { cfg.MaxTokens = tokens })
	v := c.verifier(t)
	list := make([]Credentials, tokens)
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
	held, counted := v.pipeline.cache.Len()
	assert.GreaterOrEqual(t, held, tokens*95/100)
	grown := int(after.HeapAlloc) - int(before.HeapAlloc)
	t.Logf("%d tokens, %d bytes each, counted as %d", held, grown/held, counted/held)
	assert.LessOrEqual(t, grown, tokens*2<<10)
	assert.InDelta(t, 1, float64(counted)/float64(grown), 0.25, "what is counted is what is taken")
	runtime.KeepAlive(list)
}

// For the race detector: look-ups, additions, removals and rotations at once.
func TestTokenCache_churn(t *testing.T) {
	t.Parallel()
	c := newCounting(t, func(cfg *Config) { cfg.MaxTokens = 16 })
	v := c.verifier(t)
	list := make([]Credentials, 64)
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
				if random.IntN(10) != 0 {
					continue
				}
				w := v.pipeline.load(list[i], v)
				v.pipeline.hash.Sum(&w.hash, w.seeded)
				if token := v.pipeline.cache.Find(&w.hash, time.Now()); token != nil {
					v.pipeline.cache.Remove(token)
				}
				w.release()
			}
		})
	}
	workers.Wait()
	tokens, _ := v.pipeline.cache.Len()
	assert.LessOrEqual(t, tokens, 16)
}

// The strings of a list are parts of the text, but for permissions, which may
// have names before them; their headers come on top.
func TestClaims_size(t *testing.T) {
	t.Parallel()
	c := &facts{
		payload: "12345", audience: []string{"1"}, scopes: []string{"2", "3"}, granted: []string{"4"},
	}
	assert.Equal(t, 5+overhead+4*16+1, c.size())
}
