package claims_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// withID makes a key of that ID, or of none, the issuer's, beside those it has.
func withID(issuer *claimstest.Issuer, id string) *claimstest.Key {
	key := claimstest.MustKey("ES256")
	key.ID = id
	issuer.Publish(key)
	return key
}

// signedBy is a token that names the key's ID, if it has one.
func signedBy(issuer *claimstest.Issuer, key *claimstest.Key) string {
	token := claimstest.Token{Key: key}
	if key.ID == "" {
		token.Header = map[string]any{"kid": claimstest.Omit}
	}
	return issuer.Mint(token)
}

// An issuer that replaces a key which has no ID, or keeps its ID, is followed
// at once: the new tokens are accepted, and those of the withdrawn key no more.
func TestVerifier_replacedKey(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"without ID": "", "same ID": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := newIssuer(t, claimstest.Config{})
			verifier := newVerifier(t, issuer, nil)
			old := withID(issuer, id)
			_, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, old)))
			require.NoError(t, err)
			issuer.Revoke(old)
			replaced := withID(issuer, id)
			before := issuer.KeySetRequests()
			for range 3 {
				_, err = verifier.Authenticate(t.Context(), bearer(signedBy(issuer, replaced)))
				require.NoError(t, err)
			}
			caller, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, old)))
			assertRefused(t, caller, err, claims.ReasonSignature)
			assert.Equal(t, 1, issuer.KeySetRequests()-before)
		})
	}
}

// Tokens that no key verifies cost one fetch in a cooldown all together, and
// wait no longer for keys than one Timeout.
func TestVerifier_forgedSignatures_fetches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{})
		verifier := newVerifier(t, issuer, nil)
		_, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, issuer.Key())))
		require.NoError(t, err)
		foreign, nameless := claimstest.MustKey("ES256"), claimstest.MustKey("ES256")
		foreign.ID, nameless.ID = issuer.Key().ID, ""
		before, began := issuer.KeySetRequests(), time.Now()
		for time.Since(began) < 5*time.Minute {
			for _, key := range []*claimstest.Key{foreign, nameless} {
				caller, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, key)))
				assertRefused(t, caller, err, claims.ReasonSignature)
			}
			time.Sleep(time.Second)
		}
		assert.Equal(t, 10, issuer.KeySetRequests()-before)
	})
}

// However many keys fit that no ID tells apart, each of them is tried.
func TestVerifier_severalKeysWithoutID(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	var keys []*claimstest.Key
	for range 12 {
		keys = append(keys, withID(issuer, ""))
	}
	verifier := newVerifier(t, issuer, nil)
	for range 2 {
		for i, key := range keys {
			_, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, key)))
			require.NoError(t, err, "key %d", i)
		}
	}
}

// A flood of tokens without a key ID does not keep those out whose key verified
// lately, however far down it stands.
func TestVerifier_severalKeysWithoutID_flood(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	var keys []*claimstest.Key
	for range 12 {
		keys = append(keys, withID(issuer, ""))
	}
	verifier := newVerifier(t, issuer, nil)
	last := keys[len(keys)-1]
	_, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, last)))
	require.NoError(t, err)
	foreign := claimstest.MustKey("ES256")
	foreign.ID = ""
	for range 200 {
		caller, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, foreign)))
		assertRefused(t, caller, err, claims.ReasonSignature)
	}
	_, err = verifier.Authenticate(t.Context(), bearer(signedBy(issuer, last)))
	assert.NoError(t, err)
}

// One static key needs no ID.
func TestVerifier_oneStaticKey(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	keys, err := jwks.NewSet(issuer.Key().Public())
	require.NoError(t, err)
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.Keys = keys })
	_, err = verifier.Authenticate(t.Context(), bearer(signedBy(issuer, issuer.Key())))
	require.NoError(t, err)
	foreign := claimstest.MustKey("ES256")
	caller, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, foreign)))
	assertRefused(t, caller, err, claims.ReasonSignature)
}

// pinned leaves out all keys but one.
type pinned struct {
	*jwks.Cache
	thumbprint string
}

func (p pinned) Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error) {
	keys, err := p.Cache.Lookup(ctx, keyID, algorithm)
	if err != nil || keys[0].Thumbprint() != p.thumbprint {
		return nil, jwks.ErrUnknownKey
	}
	return keys, nil
}

// What embeds a Cache may leave keys out: it is never gone round.
func TestVerifier_embeddedCacheIsNotGoneRound(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	old := withID(issuer, "1")
	cache, err := jwks.NewCache(jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
	require.NoError(t, err)
	found, err := cache.Lookup(t.Context(), "1", "ES256")
	require.NoError(t, err)
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Keys = pinned{cache, found[0].Thumbprint()}
	})
	_, err = verifier.Authenticate(t.Context(), bearer(signedBy(issuer, old)))
	require.NoError(t, err)
	issuer.Revoke(old)
	caller, err := verifier.Authenticate(t.Context(), bearer(signedBy(issuer, withID(issuer, "1"))))
	assertRefused(t, caller, err, claims.ReasonSignature)
}

// A key without ID, alone in its set, is found by any ID. Once it has another
// beside it a token that was verified by it before is refused as a new one is.
func TestVerifier_rememberedBesideAnotherKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{})
		first, alone := issuer.Key(), withID(issuer, "")
		issuer.Revoke(first)
		verifier := newVerifier(t, issuer, nil)
		token := issuer.Mint(claimstest.Token{
			Key: alone, Header: map[string]any{"kid": "any"},
			Claims: map[string]any{"exp": time.Now().Add(2 * time.Hour).Unix()},
		})
		for range 2 {
			_, err := verifier.Authenticate(t.Context(), bearer(token))
			require.NoError(t, err)
		}
		withID(issuer, "2")
		time.Sleep(15 * time.Minute)
		_, _ = verifier.Authenticate(t.Context(), bearer(token)) // has the keys fetched
		synctest.Wait()
		time.Sleep(time.Minute)
		caller, err := verifier.Authenticate(t.Context(), bearer(token))
		assertRefused(t, caller, err, claims.ReasonUnknownKey)
	})
}
