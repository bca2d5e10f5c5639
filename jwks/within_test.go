package jwks_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// Keys that are young enough cost nothing. Older ones are fetched anew before
// it answers, whatever their max-age, and once for all who wait.
func TestCache_FreshWithin(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, cache.FreshWithin(t.Context(), time.Minute), "none were held")
		assert.Equal(t, 1, issuer.KeySetRequests())
		withdrawn := parsed(t, issuer.Key())

		time.Sleep(time.Minute - time.Second)
		atOnce(t, func() { assert.NoError(t, cache.FreshWithin(t.Context(), time.Minute)) })
		assert.Equal(t, 1, issuer.KeySetRequests(), "they are young enough")

		before := issuer.Key()
		issuer.Rotate("")
		issuer.Revoke(before)
		time.Sleep(time.Second)
		slow(issuer, 100*time.Millisecond)
		assert.True(t, cache.Holds(withdrawn, time.Now()), "it is not due")
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { assert.NoError(t, cache.FreshWithin(t.Context(), time.Minute)) })
		}
		all.Wait()
		assert.Equal(t, 2, issuer.KeySetRequests())
		assert.False(t, cache.Holds(withdrawn, time.Now()))
	})
}

// Keys that were fetched just now are too old for who wants them younger still:
// a fetch a second, and between them it is refused at once.
func TestCache_FreshWithin_oneASecond(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		for range 3 {
			before := issuer.KeySetRequests()
			time.Sleep(time.Second)
			assert.NoError(t, cache.FreshWithin(t.Context(), 100*time.Millisecond))
			time.Sleep(500 * time.Millisecond)
			atOnce(t, func() { requireUnavailable(t, cache.FreshWithin(t.Context(), 100*time.Millisecond)) })
			assert.Equal(t, before+1, issuer.KeySetRequests())
		}
	})
}

// Where the issuer is down the keys held are too old, though look-ups use them.
func TestCache_FreshWithin_outage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Fail(http.StatusServiceUnavailable)
		assert.NoError(t, cache.FreshWithin(t.Context(), time.Minute), "they are young enough")
		time.Sleep(time.Minute)
		err := cache.FreshWithin(t.Context(), time.Minute)
		requireUnavailable(t, err)
		assert.ErrorContains(t, err, "more than 1m0s ago")
		assert.NoError(t, lookup(t, cache, issuer.Key()))

		issuer.Intercept(nil)
		time.Sleep(time.Second)
		assert.NoError(t, cache.FreshWithin(t.Context(), time.Minute))
	})
}

// Whatever the issuer does, it waits for one Timeout, two fetches included, and
// no longer than its context allows.
func TestCache_FreshWithin_waits(t *testing.T) {
	for name, tt := range map[string]struct {
		ahead   time.Duration // how long a fetch is under way already
		allowed time.Duration // by the context; 0 for no limit
		wait    time.Duration
	}{
		"one fetch":               {wait: 5 * time.Second},
		"a fetch before its own":  {ahead: 2 * time.Second, wait: 5 * time.Second},
		"no longer than it may":   {allowed: time.Second, wait: time.Second},
		"nor with one before its": {ahead: time.Second, allowed: 4500 * time.Millisecond, wait: 4500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer, cache := issuerAndCache(t)
				require.NoError(t, lookup(t, cache, issuer.Key()))
				time.Sleep(time.Minute)
				stall(issuer)
				if tt.ahead > 0 {
					go func() { _ = cache.FreshWithin(context.Background(), time.Minute) }()
					time.Sleep(tt.ahead)
				}
				ctx := t.Context()
				if tt.allowed > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.allowed)
					defer cancel()
				}
				began := time.Now()
				requireUnavailable(t, cache.FreshWithin(ctx, time.Minute))
				assert.Equal(t, tt.wait, time.Since(began))
				synctest.Wait()
			})
		})
	}
}

// A fetch that had begun too early does not do: it is followed by another.
func TestCache_FreshWithin_fetchUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		slow(issuer, 3*time.Second)
		go func() { _ = lookup(t, cache, issuer.Key()) }()
		time.Sleep(2 * time.Second)
		longLived(issuer) // quick from now on
		began := time.Now()
		assert.NoError(t, cache.FreshWithin(t.Context(), 2*time.Second))
		assert.Equal(t, time.Second, time.Since(began), "the rest of one, and one of its own")
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

// A Cache that was not made by NewCache has nowhere to ask.
func TestCache_FreshWithin_zero(t *testing.T) {
	t.Parallel()
	requireUnavailable(t, new(jwks.Cache).FreshWithin(t.Context(), time.Hour))
}
