package jwks_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// Refuses says what Lookup would, and only where that makes no fetch.
func TestCache_Refuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
		require.NoError(t, err)
		var refusals []jwks.Refusal
		cache, err := jwks.NewCache(jwks.Config{
			Issuer: issuer.URL(), Client: issuer.Client(),
			Observer: func(_ context.Context, e jwks.Event) {
				if e.Kind == jwks.EventRefusal {
					refusals = append(refusals, e.Refusal)
				}
			},
		})
		require.NoError(t, err)
		known := issuer.Key().ID
		refuses := func(want bool, id string) {
			t.Helper()
			requests := issuer.KeySetRequests()
			assert.Equal(t, want, cache.Refuses(id, "ES256"), id)
			synctest.Wait()
			assert.Equal(t, requests, issuer.KeySetRequests(), "it makes no fetch")
		}
		lookup := func(want error, id string) {
			t.Helper()
			_, err := cache.Lookup(t.Context(), id, "ES256")
			assert.ErrorIs(t, err, want)
		}
		refuses(false, "a") // no keys are held
		lookup(nil, known)
		refuses(false, known)
		refuses(false, "a") // a fetch may be made
		lookup(jwks.ErrUnknownKey, "a")
		refusals = nil
		before := cache.Stats()
		refuses(true, "a")
		refuses(true, "b")
		refuses(false, "")
		refuses(false, known)
		assert.Equal(t, []jwks.Refusal{jwks.RefusalKnownMissing, jwks.RefusalCooldown}, refusals)
		after := cache.Stats()
		assert.Equal(t, before.MissHits+1, after.MissHits)
		assert.Equal(t, before.CooldownHits+1, after.CooldownHits)
		time.Sleep(30 * time.Second)
		refuses(true, "a")  // a fetch did not bring it
		refuses(false, "b") // and may bring this one
		time.Sleep(30 * time.Second)
		refuses(false, "a")
		time.Sleep(9 * time.Minute)
		refuses(false, "a") // a refresh is due
	})
}

// While a fetch is under way that may bring a key, nobody is refused for lack
// of it.
func TestCache_Refuses_duringAFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		slow(issuer, 2*time.Second)
		go func() { _, _ = cache.Lookup(t.Context(), "invented", "ES256") }()
		synctest.Wait()
		assert.False(t, cache.Refuses("other", "ES256"))
		time.Sleep(3 * time.Second)
		assert.True(t, cache.Refuses("other", "ES256"))
	})
}

// Nor is anybody while a fetch is due, which a look-up starts.
func TestCache_Refuses_whatIsDue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Fail(http.StatusInternalServerError)
		time.Sleep(defaultLife * 95 / 100)
		_, err := cache.Lookup(t.Context(), "invented", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		synctest.Wait()
		assert.False(t, cache.Refuses("other", "ES256"))
	})
}
