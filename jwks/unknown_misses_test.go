package jwks_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A key ID that a fetch did not bring leaves the next one to others.
func TestCache_remembersMisses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		ask := func(id string) int {
			before := issuer.KeySetRequests()
			_, err := cache.Lookup(t.Context(), id, "ES256")
			require.ErrorIs(t, err, jwks.ErrUnknownKey)
			return issuer.KeySetRequests() - before
		}
		assert.Equal(t, 1, ask("one"))
		assert.Equal(t, 0, ask("two"), "in the cooldown")
		time.Sleep(30 * time.Second)
		assert.Equal(t, 0, ask("one"), "remembered")
		assert.Equal(t, 1, ask("two"))
		time.Sleep(30 * time.Second)
		assert.Equal(t, 1, ask("one"), "forgotten after a minute")
		stats := cache.Stats()
		assert.EqualValues(t, 1, stats.CooldownHits)
		assert.EqualValues(t, 1, stats.MissHits)
	})
}

// Whoever gives up waiting does not keep the miss from being remembered.
func TestCache_remembersWhoGaveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		slow(issuer, 2*time.Second)
		requests := issuer.KeySetRequests()
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := cache.Lookup(ctx, "invented", "ES256")
			cancel()
			require.ErrorIs(t, err, jwks.ErrUnknownKey)
			time.Sleep(14 * time.Second)
		}
		assert.Equal(t, 1, issuer.KeySetRequests()-requests)
		assert.EqualValues(t, 3, cache.Stats().MissHits)
	})
}

// While the issuer hangs, invented key IDs hold few requests, and those that
// are remembered none.
func TestCache_missesWaitInBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		_, err := cache.Lookup(t.Context(), "remembered", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		time.Sleep(31 * time.Second)
		stall(issuer)
		var waiting sync.WaitGroup
		var refused atomic.Int32
		for n := range 1000 {
			waiting.Go(func() {
				_, err := cache.Lookup(t.Context(), fmt.Sprint(n), "ES256")
				assert.ErrorIs(t, err, jwks.ErrUnknownKey)
				refused.Add(1)
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 1000-256, refused.Load())
		atOnce(t, func() {
			_, err := cache.Lookup(t.Context(), "remembered", "ES256")
			assert.ErrorIs(t, err, jwks.ErrUnknownKey)
			assert.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		})
		waiting.Wait()
	})
}

// A fetch that fails tells nothing about a key ID.
func TestCache_failureIsNoMiss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		issuer.Rotate("")
		issuer.Fail(http.StatusInternalServerError)
		require.ErrorIs(t, lookupCurrent(t.Context(), issuer, cache), jwks.ErrUnknownKey)
		assert.Zero(t, cache.Stats().Failures, "the scheduled fetches are not put off")
		issuer.Intercept(nil)
		time.Sleep(30 * time.Second)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
	})
}
