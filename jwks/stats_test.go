package jwks_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A service that nobody asks is idle, not failing: alerts tell the two apart.
func TestStats_idle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		began := time.Now()
		for time.Since(began) < 5*time.Hour {
			want := jwks.StateFresh
			if time.Since(began) >= defaultLife {
				want = jwks.StateIdle
			}
			require.Equal(t, want, cache.Stats().State)
			time.Sleep(time.Minute)
		}
		require.NoError(t, lookup(t, cache, issuer.Key()))
		require.Equal(t, jwks.StateFresh, cache.Stats().State)

		issuer.Fail(http.StatusServiceUnavailable)
		time.Sleep(2 * defaultLife)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		require.Equal(t, jwks.StateStale, cache.Stats().State, "it was asked, and fetching fails")
		time.Sleep(2 * time.Hour)
		require.Equal(t, jwks.StateUnavailable, cache.Stats().State, "and is not known to work again")
	})
}

// What the cache says of itself is so at every time.
func TestStats_overTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		first := time.Now()
		require.NoError(t, lookup(t, cache, issuer.Key()))
		s := cache.Stats()
		assert.Equal(t, first, s.LastAttempt)
		assert.EqualValues(t, 1, s.Generation)
		time.Sleep(time.Minute)
		s = cache.Stats()
		assert.Equal(t, time.Minute, s.Age)
		assert.Equal(t, first, s.LastAttempt)
		assert.WithinRange(t, s.NextAttempt, first.Add(time.Minute), first.Add(defaultLife), "ahead of time")

		second := time.Now()
		require.NoError(t, lookup(t, cache, issuer.Rotate("ES256")))
		s = cache.Stats()
		assert.EqualValues(t, 2, s.Generation)
		assert.Equal(t, second, s.LastAttempt)
		assert.Zero(t, s.Age)

		time.Sleep(cooldown)
		require.NoError(t, lookup(t, cache, issuer.Rotate("ES256")))
		assert.EqualValues(t, 3, cache.Stats().Generation)

		issuer.Fail(http.StatusInternalServerError)
		time.Sleep(defaultLife)
		third := time.Now()
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		s = cache.Stats()
		assert.Equal(t, 1, s.Failures)
		assert.EqualValues(t, 3, s.Generation)
		assert.WithinRange(t, s.NextAttempt, third, third.Add(2*time.Second), "a failure is soon followed by another")
	})
}
