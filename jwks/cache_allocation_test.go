package jwks_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// No goroutine and no connection outlives a fetch. Not parallel, as it counts.
func TestCache_leavesNoGoroutine(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{})
	before := runtime.NumGoroutine()
	for range 20 {
		cache := newCache(t, jwks.Config{Issuer: issuer.URL()})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { assert.NoError(t, lookup(t, cache, issuer.Key())) })
		}
		wg.Wait()
		assert.NoError(t, lookup(t, cache, issuer.Rotate("")))
	}
	// Eventually needs a goroutine of its own.
	if !assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 },
		30*time.Second, 10*time.Millisecond) {
		stacks := make([]byte, 1<<20)
		t.Logf("%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// A flood of invented key IDs costs no memory, however long they are. Not
// parallel, as the next one.
func TestCache_floodAllocatesNothing(t *testing.T) {
	issuer, cache := issuerAndCache(t)
	require.NoError(t, lookup(t, cache, issuer.Key()))
	_, err := cache.Lookup(t.Context(), "first", "ES256") // begins the cooldown
	require.ErrorIs(t, err, jwks.ErrUnknownKey)
	ctx, id := t.Context(), strings.Repeat("invented", 1000)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for _, id := range []string{"first", id} {
			if _, err := cache.Lookup(ctx, id, "ES256"); err == nil {
				panic("found")
			}
		}
	}))
}

// Not parallel: AllocsPerRun counts those of all goroutines.
func TestCache_knownKeyAllocatesNothing(t *testing.T) {
	issuer, cache := issuerAndCache(t)
	key, ctx := issuer.Key(), t.Context()
	require.NoError(t, lookup(t, cache, key))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := cache.Lookup(ctx, key.ID, "ES256"); err != nil {
			panic(err)
		}
		if _, err := cache.Lookup(ctx, "", "ES256"); err != nil {
			panic(err)
		}
		if _, err := cache.Lookup(ctx, key.ID, "RS256"); err == nil {
			panic("a mismatch")
		}
	}))
}
