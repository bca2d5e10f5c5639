package dpop_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

// FuzzConfirmer shows any text as a proof: none passes but what the key has
// signed for this request, and each refusal is the fault of the proof.
func FuzzConfirmer(f *testing.F) {
	key, rsa := claimstest.MustKey("ES256"), claimstest.MustKey("PS256")
	right := proofOf(key, claimstest.Proof{})
	signed := right[:strings.LastIndex(right, ".")]
	for _, seed := range []string{
		right, right + "=", right + ", " + right, rfcProof, rfcTokenProof, "..", "a.b.c", "",
		proofOf(key, claimstest.Proof{URL: "https://evil.example"}),
		proofOf(rsa, claimstest.Proof{}),
		proofOf(key, claimstest.Proof{Header: m{"jwk": with(key, "d", "AAAA")}}),
		proofOf(key, claimstest.Proof{Header: m{"jwk": m{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "alg": "EdDSA"}}),
		proofOf(key, claimstest.Proof{Header: m{"jwk": m{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "alg": "PS256"}}),
		proofOf(key, claimstest.Proof{Claims: m{"iat": 1e300, "jti": "\u0000"}}),
		key.Sign([]byte(`{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"","y":""}}`), []byte(`{}`)),
	} {
		f.Add(seed)
	}
	c := newConfirmer(f, dpop.Config{InsecureSkipReplays: true})
	f.Fuzz(func(t *testing.T, proof string) {
		_, err := ask(t, c, key, orderURL, proof)
		if err == nil {
			// Of an ECDSA signature there are two that say the same.
			assert.Equal(t, signed, proof[:strings.LastIndex(proof, ".")])
			return
		}
		assert.Equal(t, claims.ErrInvalidToken, claims.AsError(err).Class())
	})
}

// FuzzConfirmer_htu has any two URLs compared: they are one or not, whichever
// is whose, and each is one with itself if it is one at all.
func FuzzConfirmer_htu(f *testing.F) {
	for _, pair := range [][2]string{
		{orderURL, "https://API.example:443/a/../orders?x#y"}, {"http://[::1]:80", "http://[0::1]/"},
		{"https://api.example/%2e%2e/%7e", "https://u@api.example./~"}, {"https://a\\b", "https://a%"},
	} {
		f.Add(pair[0], pair[1])
	}
	key := claimstest.MustKey("EdDSA")
	c := newConfirmer(f, dpop.Config{InsecureSkipReplays: true})
	same := func(t *testing.T, a, b string) bool {
		_, err := ask(t, c, key, a, proofOf(key, claimstest.Proof{Claims: m{"htu": b}}))
		return err == nil
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 2000 || strings.ToValidUTF8(a+b, "") != a+b {
			return
		}
		assert.Equal(t, same(t, a, b), same(t, b, a), "%q %q", a, b)
		if same(t, a, b) {
			assert.True(t, same(t, a, a) && same(t, b, b), "%q %q", a, b)
		}
	})
}
