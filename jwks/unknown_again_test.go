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

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// replaceable is an issuer whose one key has the same ID, or none, whichever it
// is.
type replaceable struct {
	mu       sync.Mutex
	document []byte
	requests int
	wait     time.Duration
}

func (r *replaceable) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	r.requests++
	document, wait := r.document, r.wait
	r.mu.Unlock()
	time.Sleep(wait)
	w.Header().Set("Cache-Control", "max-age=86400")
	_, _ = w.Write(document)
}

func (r *replaceable) publish(algorithm, id string) *claimstest.Key {
	key := claimstest.MustKey(algorithm)
	key.ID = id
	r.mu.Lock()
	defer r.mu.Unlock()
	r.document = document(key, testKey("RS256")) // a second one, so that none is alone
	return key
}

func (r *replaceable) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

func (r *replaceable) cache(t *testing.T) *jwks.Cache {
	t.Helper()
	return newCache(t, jwks.Config{URL: issuerURL + "/jwks", Client: &http.Client{Transport: everywhere{r}}})
}

// A key that was replaced under its ID, or has none, is found at once.
func TestCache_LookupAgain_replacedKey(t *testing.T) {
	for name, id := range map[string]string{"without ID": "", "reused ID": "1"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var issuer replaceable
				issuer.publish("ES256", id)
				cache := issuer.cache(t)
				tried, err := cache.Lookup(t.Context(), id, "ES256")
				require.NoError(t, err)
				replaced := issuer.publish("ES256", id)
				found, err := cache.LookupAgain(t.Context(), time.Now(), id, "ES256", tried)
				require.NoError(t, err)
				require.Len(t, found, 1)
				requireVerifies(t, found[0], replaced)
				assert.Equal(t, 2, issuer.count())

				// Others that tried the old one find the new one held.
				found, err = cache.LookupAgain(t.Context(), time.Now(), id, "ES256", tried)
				require.NoError(t, err)
				require.Len(t, found, 1)
				assert.Equal(t, 2, issuer.count())
			})
		})
	}
}

// So is one that was replaced by one of another type.
func TestCache_Lookup_replacedByAnotherType(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var issuer replaceable
		issuer.publish("ES256", "1")
		cache := issuer.cache(t)
		_, err := cache.Lookup(t.Context(), "1", "ES256")
		require.NoError(t, err)
		require.NoError(t, lookup(t, cache, issuer.publish("EdDSA", "1")))
	})
}

// Tokens that no key verifies cost one fetch in a cooldown, together with those
// of unknown keys, whichever key they name.
func TestCache_LookupAgain_flood(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var issuer replaceable
		issuer.publish("ES256", "1")
		cache := issuer.cache(t)
		require.NoError(t, cache.Ready(t.Context()))
		began := time.Now()
		for n := 0; time.Since(began) < 10*cooldown; n++ {
			for _, id := range []string{"", "1"} {
				tried, err := cache.Lookup(t.Context(), id, "ES256")
				require.NoError(t, err)
				found, err := cache.LookupAgain(t.Context(), time.Now(), id, "ES256", tried)
				require.ErrorIs(t, err, jwks.ErrUnknownKey)
				require.Empty(t, found)
			}
			_, err := cache.Lookup(t.Context(), fmt.Sprint("invented", n), "ES256")
			require.ErrorIs(t, err, jwks.ErrUnknownKey)
			_, err = cache.Lookup(t.Context(), "1", "ES384")
			require.ErrorIs(t, err, jwks.ErrKeyMismatch)
			time.Sleep(time.Second)
		}
		assert.Equal(t, 1+10, issuer.count())
		// And the next key is found within one.
		tried, err := cache.Lookup(t.Context(), "", "ES256")
		require.NoError(t, err)
		issuer.publish("ES256", "")
		_, err = cache.LookupAgain(t.Context(), time.Now(), "", "ES256", tried)
		assert.NoError(t, err)
	})
}

// Keys that were asked for after a token came need not be asked for again for
// it.
func TestCache_LookupAgain_newKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var issuer replaceable
		issuer.publish("ES256", "")
		cache := issuer.cache(t)
		since := time.Now()
		time.Sleep(time.Nanosecond)
		tried, err := cache.Lookup(t.Context(), "", "ES256")
		require.NoError(t, err)
		_, err = cache.LookupAgain(t.Context(), since, "", "ES256", tried)
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		assert.Equal(t, 1, issuer.count())
	})
}

// However many wait, it is 256, and none for longer than a Timeout from when
// its token came, the time for the look-up before included.
func TestCache_LookupAgain_waits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var issuer replaceable
		issuer.publish("ES256", "")
		cache := issuer.cache(t)
		tried, err := cache.Lookup(t.Context(), "", "ES256")
		require.NoError(t, err)
		issuer.wait = 30 * time.Second
		began := time.Now()
		time.Sleep(3 * time.Second)
		var waiting sync.WaitGroup
		var refused atomic.Int32
		for range 1000 {
			waiting.Go(func() {
				_, err := cache.LookupAgain(t.Context(), began, "", "ES256", tried)
				assert.ErrorIs(t, err, jwks.ErrUnknownKey)
				refused.Add(1)
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 1000-256, refused.Load())
		waiting.Wait()
		assert.Equal(t, 5*time.Second, time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = cache.LookupAgain(ctx, time.Now(), "", "ES256", tried)
		assert.ErrorIs(t, err, jwks.ErrUnknownKey)
		issuer.wait = 0
	})
}

func TestCache_LookupAgain_nothingHeld(t *testing.T) {
	t.Parallel()
	_, err := new(jwks.Cache).LookupAgain(t.Context(), time.Now(), "", "ES256", nil)
	assert.ErrorIs(t, err, jwks.ErrUnknownKey)
}

// Only the key ID that a fetch is made for is remembered as missing: one that
// joins it, and comes with the next fetch, is not.
func TestCache_remembersWhatAFetchIsMadeFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		slow(issuer, time.Second)
		next := claimstest.MustKey("ES256")
		go func() { _, _ = cache.Lookup(t.Context(), "invented", "ES256") }()
		synctest.Wait()
		require.ErrorIs(t, lookup(t, cache, next), jwks.ErrUnknownKey)
		issuer.Publish(next)
		time.Sleep(cooldown)
		assert.NoError(t, lookup(t, cache, next), "within one cooldown")
	})
}
