package jwks_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A fetch under way for an unknown key ID delays only those who ask for it.
func TestCache_unknownKeyObeysTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		stall(issuer)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := cache.Lookup(ctx, "unknown", "ES256")
			assert.ErrorIs(t, err, jwks.ErrUnknownKey)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, time.Second, time.Since(start))
		})
		synctest.Wait()
		atOnce(t, func() { assert.NoError(t, lookup(t, cache, issuer.Key())) })
		wg.Wait()
	})
}

func TestCache_rotationWithinTheSameLookup(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		old := issuer.Key()
		require.NoError(t, lookup(t, cache, old))
		rotated := issuer.Rotate("EdDSA")
		require.NoError(t, lookup(t, cache, rotated))
		require.NoError(t, lookup(t, cache, old), "it is published still")
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

func TestCache_concurrentMissesShareOneFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		rotated := issuer.Rotate("")
		slow(issuer, time.Second)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { assert.NoError(t, lookup(t, cache, rotated)) })
			wg.Go(func() {
				_, err := cache.Lookup(t.Context(), fmt.Sprintf("invented %d", i), "ES256")
				assert.ErrorIs(t, err, jwks.ErrUnknownKey)
			})
		}
		wg.Wait()
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

// The cooldown counts from the attempt, not from its end or the last miss.
func TestCache_unknownKeyCooldown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		unknown := func() {
			t.Helper()
			_, err := cache.Lookup(t.Context(), "unknown", "ES256")
			require.ErrorIs(t, err, jwks.ErrUnknownKey)
			require.NotErrorIs(t, err, jwks.ErrUnavailable)
		}
		slow(issuer, 3*time.Second)
		attempt := time.Now()
		unknown()
		assert.Equal(t, 3*time.Second, time.Since(attempt))
		assert.Equal(t, 2, issuer.KeySetRequests())

		rotated := issuer.Rotate("")
		for time.Since(attempt) < cooldown-time.Second {
			atOnce(t, unknown)
			time.Sleep(time.Second)
		}
		time.Sleep(cooldown - time.Nanosecond - time.Since(attempt))
		atOnce(t, unknown)
		assert.ErrorIs(t, lookup(t, cache, rotated), jwks.ErrUnknownKey)
		assert.Equal(t, 2, issuer.KeySetRequests())

		time.Sleep(time.Nanosecond)
		assert.NoError(t, lookup(t, cache, rotated))
		assert.Equal(t, 3, issuer.KeySetRequests())
	})
}

// A failed attempt uses the cooldown up as well: an issuer in trouble is not to
// be asked more often.
func TestCache_unknownKeyWhileTheIssuerIsDown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Fail(http.StatusBadGateway)
		for range 3 {
			attempt := time.Now()
			for time.Since(attempt) < cooldown {
				_, err := cache.Lookup(t.Context(), "unknown", "ES256")
				require.ErrorIs(t, err, jwks.ErrUnknownKey)
				require.NotErrorIs(t, err, jwks.ErrUnavailable,
					"an invented key ID must not choose this")
				require.NoError(t, lookup(t, cache, issuer.Key()))
				time.Sleep(time.Second)
			}
		}
		assert.Equal(t, 1+3, issuer.KeySetRequests())
	})
}

// While nothing is known of the keys, nothing can be said of a key ID.
func TestCache_unknownKeyWithNothingHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		issuer.Fail(http.StatusBadGateway)
		_, err := cache.Lookup(t.Context(), "unknown", "ES256")
		requireUnavailable(t, err)
		assert.Equal(t, 1, issuer.KeySetRequests())

		longLived(issuer)
		time.Sleep(2 * time.Second)
		_, err = cache.Lookup(t.Context(), "unknown", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		assert.LessOrEqual(t, issuer.KeySetRequests(), 3)
	})
}

func TestCache_floodOfUnknownKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		var mu sync.Mutex
		var fetches []time.Time
		intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=86400")
			mu.Lock()
			defer mu.Unlock()
			fetches = append(fetches, time.Now())
		})
		known := issuer.Key()
		require.NoError(t, lookup(t, cache, known))
		const length = 5 * time.Minute
		start := time.Now()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() { // 160 look-ups each, more than 10,000 in all
				for time.Since(start) < length {
					_, err := cache.Lookup(t.Context(), fmt.Sprint(rand.Uint64()), "ES256")
					assert.ErrorIs(t, err, jwks.ErrUnknownKey)
					assert.NotErrorIs(t, err, jwks.ErrUnavailable)
					time.Sleep(length / 160)
				}
			})
		}
		wg.Go(func() {
			for time.Since(start) < length {
				assert.NoError(t, lookup(t, cache, known))
				time.Sleep(time.Second)
			}
		})
		time.Sleep(100 * time.Second)
		rotated, at := issuer.Rotate(""), time.Now()
		for lookup(t, cache, rotated) != nil && time.Since(at) <= length {
			time.Sleep(time.Second)
		}
		assert.LessOrEqual(t, time.Since(at), cooldown, "the flood delays the rotation")
		wg.Wait()

		misses := fetches[1:]
		assert.LessOrEqual(t, len(misses), int(length/cooldown)+1)
		for i := 1; i < len(misses); i++ {
			assert.GreaterOrEqual(t, misses[i].Sub(misses[i-1]), cooldown)
		}
	})
}

// A fetch that began before the rotation does not bring the new key; one that
// follows does.
func TestCache_rotationDuringAFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Intercept(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				before := issuer.KeySet()
				time.Sleep(2 * time.Second)
				_, _ = w.Write(before)
			})
		})
		time.Sleep(defaultLife * 9 / 10)
		require.NoError(t, lookup(t, cache, issuer.Key())) // starts the scheduled fetch
		time.Sleep(time.Second)
		rotated, at := issuer.Rotate(""), time.Now()
		require.NoError(t, lookup(t, cache, rotated))
		assert.Equal(t, 3*time.Second, time.Since(at))
		assert.Equal(t, 3, issuer.KeySetRequests())
	})
}

// The same where the fetch under way fails.
func TestCache_rotationDuringAFetchThatFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		stall(issuer)
		time.Sleep(defaultLife * 9 / 10)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		time.Sleep(time.Second) // which is what is left for the fetch that follows
		issuer.Intercept(nil)
		rotated := issuer.Rotate("")
		require.NoError(t, lookup(t, cache, rotated))
		assert.Equal(t, 3, issuer.KeySetRequests())
	})
}

// A key that does not fit may have been replaced under the same ID: that costs
// as little as an unknown one does.
func TestCache_mismatchIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		for range 100 {
			atOnce(t, func() {
				_, err := cache.Lookup(t.Context(), issuer.Key().ID, "RS256")
				require.ErrorIs(t, err, jwks.ErrKeyMismatch)
			})
			time.Sleep(cooldown)
		}
		assert.Equal(t, 1+50, issuer.KeySetRequests(), "it is remembered for two cooldowns")
	})
}

func TestCache_withoutKeyID(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		keys, err := cache.Lookup(t.Context(), "", "ES256")
		require.NoError(t, err)
		assert.Len(t, keys, 1)
		rotated := issuer.Rotate("EdDSA")
		keys, err = cache.Lookup(t.Context(), "", "EdDSA")
		require.NoError(t, err)
		require.Len(t, keys, 1)
		assert.Equal(t, rotated.ID, keys[0].ID())
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

// A rotation to a key of that ID which is for another algorithm is a mismatch,
// no unknown key.
func TestCache_rotationToAnotherAlgorithm(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		_, err := cache.Lookup(t.Context(), issuer.Rotate("EdDSA").ID, "ES256")
		assert.ErrorIs(t, err, jwks.ErrKeyMismatch)
	})
}
