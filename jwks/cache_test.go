package jwks_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

func TestCache_isLazy(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		time.Sleep(48 * time.Hour)
		assert.Nil(t, cache.Set())
		assert.Zero(t, issuer.KeySetRequests())

		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, 1, issuer.KeySetRequests())
		require.NotNil(t, cache.Set())
		requireKey(t, cache.Set(), issuer.Key())

		time.Sleep(48 * time.Hour)
		assert.Nil(t, cache.Set(), "too old")
		assert.Equal(t, 1, issuer.KeySetRequests(), "nobody asked")
	})
}

func TestCache_firstLookupsShareOneFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		cache := newCache(t, jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
		slow(issuer, time.Second)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { assert.NoError(t, lookup(t, cache, issuer.Key())) })
		}
		wg.Wait()
		assert.Equal(t, 1, issuer.KeySetRequests())
		assert.Equal(t, 1, issuer.Requests("/.well-known/openid-configuration"))
	})
}

func TestCache_firstCallersCancellationHarmsNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		slow(issuer, 2*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		start := time.Now()
		wg.Go(func() {
			_, err := cache.Lookup(ctx, issuer.Key().ID, "ES256")
			requireUnavailable(t, err)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, time.Second, time.Since(start), "released at once")
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				assert.NoError(t, lookup(t, cache, issuer.Key()))
				assert.Equal(t, 2*time.Second, time.Since(start))
			})
		}
		time.Sleep(time.Second)
		cancel()
		wg.Wait()
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
}

func TestCache_fetchOutlivesItsOnlyCaller(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := cache.Lookup(ctx, issuer.Key().ID, "ES256")
		assert.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		require.NotNil(t, cache.Set())
		assert.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
}

func TestCache_waitersObeyTheirOwnDeadlines(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		slow(issuer, 4*time.Second)
		start := time.Now()
		var wg sync.WaitGroup
		for _, patience := range []time.Duration{time.Second, 3 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			wg.Go(func() {
				_, err := cache.Lookup(ctx, issuer.Key().ID, "ES256")
				unavailable := requireUnavailable(t, err)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, time.Second, unavailable.RetryAfter)
				assert.Equal(t, patience, time.Since(start))
			})
			wg.Go(func() {
				assert.ErrorIs(t, cache.Ready(ctx), context.DeadlineExceeded)
				assert.Equal(t, patience, time.Since(start))
			})
		}
		wg.Wait()
		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, 4*time.Second, time.Since(start))
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
}

func TestCache_Ready(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		issuer.Fail(http.StatusNotFound)
		failed := requireUnavailable(t, cache.Ready(t.Context()))
		assert.Nil(t, cache.Set())
		assert.Equal(t, 1, issuer.KeySetRequests())
		requireUnavailable(t, cache.Ready(t.Context()))
		assert.Equal(t, 1, issuer.KeySetRequests(), "too early to try again")

		issuer.Intercept(nil)
		time.Sleep(failed.RetryAfter)
		assert.NoError(t, cache.Ready(t.Context()))
		assert.NotNil(t, cache.Set())
		for range 100 {
			assert.NoError(t, cache.Ready(t.Context()))
		}
		assert.Equal(t, 2, issuer.KeySetRequests())

		time.Sleep(defaultLife + time.Hour)
		assert.NoError(t, cache.Ready(t.Context()), "fetches anew, without any look-up")
		assert.Equal(t, 3, issuer.KeySetRequests())
	})
}

func TestUnavailableError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the caller's own reason"))
		stall(issuer)
		_, err := cache.Lookup(ctx, "any", "ES256")
		unavailable := requireUnavailable(t, err)
		assert.NotErrorIs(t, err, jwks.ErrKeyMismatch)
		assert.ErrorIs(t, unavailable.Unwrap(), context.Canceled)
		assert.Equal(t, "jwks: key set unavailable: of https://issuer.example/jwks: context canceled", err.Error())
	})
}

func TestCache_zero(t *testing.T) {
	t.Parallel()
	cache := new(jwks.Cache)
	_, err := cache.Lookup(t.Context(), "any", "ES256")
	requireUnavailable(t, err)
	assert.ErrorContains(t, err, "NewCache")
	requireUnavailable(t, cache.Ready(t.Context()))
	assert.False(t, cache.Refuses("any", "ES256"))
	assert.Nil(t, cache.Set())
	assert.Equal(t, jwks.StateEmpty, cache.Stats().State)
}
