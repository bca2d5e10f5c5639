package jwks_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// parsed is an issuer's key as another set has it.
func parsed(t *testing.T, key *claimstest.Key) *jwks.Key {
	t.Helper()
	set, err := jwks.Parse(document(key))
	require.NoError(t, err)
	return set.Keys()[0]
}

// A key is held as long as a look-up would find it, whichever fetch brought it,
// and to ask is to use the set.
func TestCache_Holds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		key, other := cache.Set().Keys()[0], parsed(t, issuer.Rotate("ES256"))
		assert.True(t, cache.Holds(key, time.Now()))
		assert.False(t, cache.Holds(other, time.Now()), "it was not fetched yet")

		before := issuer.KeySetRequests()
		time.Sleep(defaultLife)
		assert.True(t, cache.Holds(key, time.Now()))
		synctest.Wait()
		assert.Equal(t, before+1, issuer.KeySetRequests(), "what is due is fetched, and nobody waits")
		assert.True(t, cache.Holds(key, time.Now()), "a set that has it still, from another fetch")
		assert.True(t, cache.Holds(other, time.Now()))

		issuer.Revoke(issuer.Key())
		time.Sleep(defaultLife)
		cache.Holds(key, time.Now())
		synctest.Wait()
		assert.False(t, cache.Holds(other, time.Now()), "it was withdrawn")
		assert.True(t, cache.Holds(key, time.Now()))

		issuer.Fail(http.StatusServiceUnavailable)
		time.Sleep(24 * time.Hour)
		assert.False(t, cache.Holds(key, time.Now()), "no set may be used")
	})
}

// What was never asked for is not fetched for it.
func TestCache_Holds_empty(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		key := parsed(t, issuer.Key())
		assert.False(t, cache.Holds(key, time.Now()))
		synctest.Wait()
		assert.Zero(t, issuer.KeySetRequests())
	})
}
