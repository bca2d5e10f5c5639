package jwks_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A scheduled fetch runs between 72 and 88 % of the fresh life, not at the same
// time everywhere, and never before.
func TestCache_refreshAhead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const life = 1000 * time.Second
		issuer := newIssuer(t, issuerURL)
		intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=1000")
		})
		type instance struct {
			cache    *jwks.Cache
			requests *recorder
		}
		var instances []instance
		for range 100 {
			requests := &recorder{next: issuer.Client().Transport}
			instances = append(instances, instance{newCache(t, jwks.Config{
				URL: issuer.JWKSURL(), Client: &http.Client{Transport: requests},
			}), requests})
		}
		start := time.Now()
		for time.Since(start) < life {
			for _, i := range instances {
				require.NoError(t, lookup(t, i.cache, issuer.Key()))
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		var after []time.Duration
		for _, i := range instances {
			require.Len(t, i.requests.when(), 2)
			after = append(after, i.requests.when()[1].Sub(start))
		}
		first, last := slices.Min(after), slices.Max(after)
		assert.GreaterOrEqual(t, first, 720*time.Second)
		assert.LessOrEqual(t, last, 881*time.Second)
		// Each half of the range is missed with a chance of 2^-100.
		assert.Less(t, first, 800*time.Second)
		assert.Greater(t, last, 800*time.Second)
	})
}

func TestCache_servesWhileTheIssuerStalls(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		stall(issuer)
		start := time.Now()
		for time.Since(start) < defaultLife+time.Hour-time.Second {
			atOnce(t, func() { require.NoError(t, lookup(t, cache, issuer.Key())) })
			time.Sleep(time.Second)
		}
		assert.Greater(t, issuer.KeySetRequests(), 10)

		// One fetch at a time: 5 s each, and up to 66 s between.
		time.Sleep(5 * time.Second)
		before := issuer.KeySetRequests()
		issuer.Intercept(nil)
		time.Sleep(66 * time.Second)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, before+1, issuer.KeySetRequests())
	})
}

func TestCache_refreshIsSingleFlight(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		slow(issuer, 3*time.Second)
		time.Sleep(defaultLife * 9 / 10)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				for range 10 {
					assert.NoError(t, lookup(t, cache, issuer.Key()))
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

// Good keys serve for an hour past their freshness, to the second.
func TestCache_staleLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		start := time.Now()
		issuer.Fail(http.StatusServiceUnavailable)
		for time.Since(start) < defaultLife+time.Hour-time.Minute {
			atOnce(t, func() { require.NoError(t, lookup(t, cache, issuer.Key())) })
			require.NoError(t, cache.Ready(t.Context()))
			time.Sleep(time.Minute)
		}
		time.Sleep(defaultLife + time.Hour - time.Nanosecond - time.Since(start))
		require.NoError(t, lookup(t, cache, issuer.Key()))
		require.NoError(t, cache.Ready(t.Context()))
		require.NotNil(t, cache.Set())
		_, err := cache.Lookup(t.Context(), "unknown", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		synctest.Wait()

		time.Sleep(time.Nanosecond)
		assert.Nil(t, cache.Set())
		unavailable := requireUnavailable(t, lookup(t, cache, issuer.Key()))
		assert.ErrorContains(t, unavailable, "503", "the cause is said")
		requireUnavailable(t, cache.Ready(t.Context()))
		_, err = cache.Lookup(t.Context(), "unknown", "ES256")
		requireUnavailable(t, err)
		_, err = cache.Lookup(t.Context(), issuer.Key().ID, "RS256")
		requireUnavailable(t, err)

		issuer.Intercept(nil)
		time.Sleep(unavailable.RetryAfter)
		require.NoError(t, lookup(t, cache, issuer.Key()), "it recovers by itself")
	})
}

// After a long silence the keys held are too old, and the look-up waits.
func TestCache_unusedForLong(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		old, rotated := issuer.Key(), issuer.Rotate("")
		issuer.Revoke(old)
		time.Sleep(defaultLife + time.Hour)
		assert.ErrorIs(t, lookup(t, cache, old), jwks.ErrUnknownKey)
		assert.NoError(t, lookup(t, cache, rotated))
	})
}

func TestCache_backoffWithNothingHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		issuer.Fail(http.StatusInternalServerError)
		for n := range 10 {
			failed := requireUnavailable(t, lookup(t, cache, issuer.Key()))
			require.Equal(t, n+1, issuer.KeySetRequests())
			requireBackoff(t, n, failed.RetryAfter, false)

			// RetryAfter is true: no fetch before, one after.
			time.Sleep(failed.RetryAfter / 2)
			again := requireUnavailable(t, lookup(t, cache, issuer.Key()))
			if n > 0 { // the first is rounded up to a second
				left := failed.RetryAfter - failed.RetryAfter/2
				require.Equal(t, max(left, time.Second), again.RetryAfter)
				time.Sleep(left - time.Nanosecond)
				requireUnavailable(t, lookup(t, cache, issuer.Key()))
				requireUnavailable(t, cache.Ready(t.Context()))
				require.Equal(t, n+1, issuer.KeySetRequests())
				time.Sleep(time.Nanosecond)
			} else {
				time.Sleep(failed.RetryAfter - failed.RetryAfter/2)
			}
		}
		issuer.Intercept(nil)
		require.NoError(t, lookup(t, cache, issuer.Key()))

		// Success ends the row of failures.
		issuer.Fail(http.StatusInternalServerError)
		time.Sleep(defaultLife + time.Hour)
		failed := requireUnavailable(t, lookup(t, cache, issuer.Key()))
		requireBackoff(t, 0, failed.RetryAfter, false)
	})
}

func TestCache_backoffWithKeysHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		requests := &recorder{next: issuer.Client().Transport}
		cache := newCache(t, jwks.Config{
			URL: issuer.JWKSURL(), Client: &http.Client{Transport: requests},
		})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Fail(http.StatusInternalServerError)
		start := time.Now()
		for time.Since(start) < 30*time.Minute {
			require.NoError(t, lookup(t, cache, issuer.Key()))
			synctest.Wait()
			time.Sleep(50 * time.Millisecond)
		}
		times := requests.when()[1:]
		require.Greater(t, len(times), 20)
		var pauses []time.Duration
		for n := 1; n < len(times); n++ {
			pause := times[n].Sub(times[n-1])
			requireBackoff(t, n-1, pause, true)
			if n > 6 {
				pauses = append(pauses, pause)
			}
		}
		assert.Greater(t, slices.Max(pauses)-slices.Min(pauses), time.Second, "no jitter")

		issuer.Intercept(nil)
		time.Sleep(66 * time.Second)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		assert.Len(t, requests.when(), len(times)+2)
		time.Sleep(defaultLife * 7 / 10)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		assert.Len(t, requests.when(), len(times)+2, "fresh again")
	})
}

// A set that shrinks is a revocation.
func TestCache_revocation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		revoked, kept := issuer.Key(), issuer.Rotate("")
		require.NoError(t, lookup(t, cache, revoked))
		issuer.Revoke(revoked)
		time.Sleep(defaultLife * 9 / 10)
		require.NoError(t, lookup(t, cache, kept))
		synctest.Wait()
		assert.Len(t, cache.Set().Keys(), 1)
		assert.ErrorIs(t, lookup(t, cache, revoked), jwks.ErrUnknownKey)
		assert.NoError(t, lookup(t, cache, kept))
	})
}
