package dpop_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

func decode(segment string) string {
	b, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// A nonce is given with a refusal, counts for its time, and is renewed with a
// success before it ends; iat does not count beside it.
func TestConfirmer_nonce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConfirmer(t, dpop.Config{RequireNonce: true, NonceLifetime: time.Minute})
		key := claimstest.MustKey("EdDSA")
		try := func(nonce string, more m) (string, error) {
			return ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{Nonce: nonce, Claims: more}))
		}
		first, err := try("", nil)
		assertRefused(t, claims.ReasonNonce, err)
		require.NotEmpty(t, first)
		for _, iat := range []time.Duration{0, -time.Hour, time.Hour} {
			next, err := try(first, m{"iat": time.Now().Add(iat).Unix()})
			require.NoError(t, err)
			assert.Empty(t, next, "it is fresh")
		}
		_, err = try(first, m{"iat": claimstest.Omit})
		assertRefused(t, claims.ReasonProof, err)

		time.Sleep(30 * time.Second)
		second, err := try(first, nil)
		require.NoError(t, err)
		require.NotEmpty(t, second)
		assert.NotEqual(t, first, second)
		time.Sleep(30*time.Second - 1)
		_, err = try(first, nil)
		require.NoError(t, err)
		time.Sleep(1 * time.Nanosecond)
		third, err := try(first, nil)
		assertRefused(t, claims.ReasonNonce, err)
		require.NotEmpty(t, third)
		_, err = try(second, nil)
		require.NoError(t, err)
	})
}

// A proof counts as long as its nonce, and is remembered as long.
func TestConfirmer_nonceReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, key := newConfirmer(t, dpop.Config{RequireNonce: true, NonceLifetime: time.Hour}), claimstest.MustKey("EdDSA")
		nonce, _ := ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{}))
		proof := proofOf(key, claimstest.Proof{Nonce: nonce, Claims: m{"iat": 1}})
		_, err := ask(t, c, key, orderURL, proof)
		require.NoError(t, err)
		for range 59 {
			time.Sleep(time.Minute)
			_, err = ask(t, c, key, orderURL, proof)
			assertRefused(t, claims.ReasonProofUsed, err)
		}
		time.Sleep(time.Minute)
		_, err = ask(t, c, key, orderURL, proof)
		assertRefused(t, claims.ReasonNonce, err)
	})
}

// What is no nonce of this server's is refused, and so is one that was changed.
func TestConfirmer_foreignNonce(t *testing.T) {
	t.Parallel()
	key := claimstest.MustKey("EdDSA")
	secret, older := []byte(strings.Repeat("s", 32)), []byte(strings.Repeat("o", 32))
	with := func(secrets ...[]byte) *dpop.Confirmer {
		return newConfirmer(t, dpop.Config{RequireNonce: true, NonceSecrets: secrets})
	}
	nonceOf := func(c *dpop.Confirmer) string {
		nonce, err := ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{}))
		assertRefused(t, claims.ReasonNonce, err)
		return nonce
	}
	here, old := nonceOf(with(secret)), nonceOf(with(older))
	changed := []byte(here)
	changed[9]++
	for _, tt := range []struct {
		name, nonce string
		by          *dpop.Confirmer
		accept      bool
	}{
		{name: "of a replica", nonce: here, by: with(secret), accept: true},
		{name: "of the secret before", nonce: old, by: with(secret, older), accept: true},
		{name: "of another secret", nonce: old, by: with(secret)},
		{name: "of no secret that is known", nonce: here, by: newConfirmer(t, dpop.Config{RequireNonce: true})},
		{name: "changed", nonce: string(changed), by: with(secret)},
		{name: "cut off", nonce: here[:len(here)-1], by: with(secret)},
		{name: "longer", nonce: here + "A", by: with(secret)},
		{name: "empty", nonce: "", by: with(secret)},
		{name: "anything", nonce: "eyJ7S_zG.eyJH0-Z.HX4w-7v", by: with(secret)},
		{name: "anything as long", nonce: strings.Repeat("A", len(here)), by: with(secret)},
	} {
		next, err := ask(t, tt.by, key, orderURL, proofOf(key, claimstest.Proof{Nonce: tt.nonce}))
		if tt.accept {
			assert.NoError(t, err, tt.name)
			continue
		}
		assertRefused(t, claims.ReasonNonce, err)
		assert.NotEmpty(t, next, tt.name)
	}
}

// A nonce from a replica whose clock is ahead counts a little earlier than it
// was made, and not long before.
func TestConfirmer_nonceAhead(t *testing.T) {
	t.Parallel()
	key, secret := claimstest.MustKey("EdDSA"), []byte(strings.Repeat("s", 32))
	later := func(d time.Duration) (nonce string) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(d)
			c := newConfirmer(t, dpop.Config{RequireNonce: true, NonceSecrets: [][]byte{secret}})
			nonce, _ = ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{}))
		})
		return nonce
	}
	soon, late := later(5*time.Second), later(6*time.Second)
	synctest.Test(t, func(t *testing.T) { // at the same time as the others began
		c := newConfirmer(t, dpop.Config{RequireNonce: true, NonceSecrets: [][]byte{secret}})
		_, err := ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{Nonce: soon}))
		assert.NoError(t, err)
		_, err = ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{Nonce: late}))
		assertRefused(t, claims.ReasonNonce, err)
	})
}
