package claims_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// A name that looks like another, or that a URL library takes for the same, is
// another.
func confuseNames(t *testing.T) {
	t.Parallel()
	const issuer, api = "https://office.example/caf\u00e9", "https://files.example/caf\u00e9"
	keys, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer, Audiences: []string{api}, Keys: keys,
	})
	require.NoError(t, err)
	token := func(iss, aud string) claims.Credentials {
		return bearer(forged(head(nil), body(m{"iss": iss, "aud": aud})))
	}
	_, err = verifier.Authenticate(t.Context(), token(issuer, api))
	require.NoError(t, err)
	in := func(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }
	for name, lookalike := range map[string]func(string) string{
		"Cyrillic letters":   in("office", "\u043effi\u0441e", "files", "fil\u0435s"),
		"Greek letters":      in("office", "\u03bfffice", "files", "f\u03b9les"),
		"fullwidth":          in("office", "\uff4fffice", "files", "\uff46iles"),
		"fullwidth slash":    in("example/", "example\uff0f"),
		"ligature":           in("ffi", "\ufb03", "fi", "\ufb01"),
		"punycode":           in("office", "xn--ffie-45dv", "files", "xn--fils-x4d"),
		"ideographic dot":    in(".example", "\u3002example"),
		"decomposed":         in("\u00e9", "e\u0301"),
		"soft hyphen":        in("example", "exam\u00adple"),
		"zero-width joiner":  in("example", "exam\u200dple"),
		"right-to-left mark": func(s string) string { return s + "\u200f" },
		"trailing slash":     func(s string) string { return s + "/" },
		"trailing dot":       in(".example/", ".example./"),
		"port":               in(".example/", ".example:443/"),
		"upper case host":    in("example", "EXAMPLE"),
		"upper case scheme":  in("https:", "HTTPS:"),
		"upper case path":    in("/caf", "/Caf"),
		"percent encoding":   in("\u00e9", "%C3%A9"),
		"encoded letter":     in("example/c", "example/%63"),
		"dot segment":        in("example/", "example/x/../"),
		"user information":   in("https://", "https://x@"),
		"query":              func(s string) string { return s + "?" },
		"fragment":           func(s string) string { return s + "#" },
		"line break":         func(s string) string { return s + "\n" },
		"space before":       func(s string) string { return " " + s },
		"space after":        func(s string) string { return s + " " },
		"no-break space":     func(s string) string { return s + "\u00a0" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NotEqual(t, issuer, lookalike(issuer))
			require.NotEqual(t, api, lookalike(api))
			caller, err := verifier.Authenticate(t.Context(), token(lookalike(issuer), api))
			assertRefused(t, caller, err, claims.ReasonIssuer)
			caller, err = verifier.Authenticate(t.Context(), token(issuer, lookalike(api)))
			assertRefused(t, caller, err, claims.ReasonAudience)
		})
	}
}

// The one separator of scopes is the space (RFC 6749 section 3.3), and nothing
// is trimmed from them.
func confuseScopes(t *testing.T) {
	t.Parallel()
	issuer := newForgerIssuer(t)
	verifier := newVerifier(t, issuer, nil)
	for _, tt := range []struct {
		name  string
		scope any
		has   bool
	}{
		{"spaces around", "  orders:write  x ", true},
		{"tab", "orders:write\tx", false},
		{"line feed", "x\norders:write", false},
		{"no-break space", "orders:write\u00a0x", false},
		{"fullwidth space", "x\u3000orders:write", false},
		{"zero-width space", "orders:write\u200b", false},
		{"comma", "x,orders:write", false},
		{"space in an array", []string{"x orders:write", " orders:write"}, false},
		{"another case", "Orders:Write", false},
		{"fullwidth colon", "orders\uff1awrite", false},
		{"prefix", "orders", false},
		{"wildcard", "orders:* *", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller, err := verifier.Authenticate(t.Context(),
				bearer(forged(head(nil), body(m{"scope": tt.scope}))))
			require.NoError(t, err)
			assert.Equal(t, tt.has, caller.HasScope("orders:write"))
		})
	}
}

// Secrets and public keys never mix (RFC 8725 sections 2.1 and 3.1).
func confuseKeys(t *testing.T) {
	t.Parallel()
	public, err := x509.MarshalPKIXPublicKey(forger()["rs256"].private.Public())
	require.NoError(t, err)
	encoded := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	secret := material("shared secret", 64)
	symmetricOf := func(t *testing.T, secret []byte) (*claims.Verifier, error) {
		t.Helper()
		return claims.NewSymmetricVerifier([][]byte{secret}, claims.Config{
			Issuer: issuerURL, Audiences: []string{claimstest.Audience},
			Algorithms: []string{"HS256", "HS384", "HS512"},
		})
	}
	t.Run("HS256 with the public key as the secret", func(t *testing.T) {
		t.Parallel()
		for _, kid := range []any{"rs256", claimstest.Omit} {
			for _, key := range [][]byte{public, encoded, encodeJSON(forger()["rs256"].jwk)} {
				refuseUnasked(t, 0, signedHMAC(key, "HS256", kid), claims.ReasonAlgorithm)
			}
		}
	})
	t.Run("public key as the secret of a symmetric verifier", func(t *testing.T) {
		t.Parallel()
		for _, key := range [][]byte{public, encoded, encodeJSON(forger()["rs256"].jwk)} {
			verifier, err := symmetricOf(t, key)
			require.ErrorContains(t, err, "public key")
			assert.Nil(t, verifier)
		}
	})
	t.Run("HMAC to an asymmetric verifier", func(t *testing.T) {
		t.Parallel()
		for alg := range hmacHashes {
			refuseUnasked(t, 0, signedHMAC(secret, alg, "p256"), claims.ReasonAlgorithm)
		}
	})
	t.Run("asymmetric token to a symmetric verifier", func(t *testing.T) {
		t.Parallel()
		verifier, err := symmetricOf(t, secret)
		require.NoError(t, err)
		for _, id := range issuerKeys {
			for _, alg := range forger()[id].algorithms {
				token := forgedBy(id, alg, head(m{"alg": alg, "kid": id}), body(nil))
				caller, err := verifier.Authenticate(t.Context(), bearer(token))
				assertRefused(t, caller, err, claims.ReasonAlgorithm)
			}
		}
		for alg := range hmacHashes { // it is there to be used
			_, err := verifier.Authenticate(t.Context(), bearer(signedHMAC(secret, alg, claimstest.Omit)))
			require.NoError(t, err)
		}
	})
}

var hmacHashes = map[string]crypto.Hash{
	"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512,
}

func signedHMAC(secret []byte, algorithm string, kid any) string {
	input := b64([]byte(head(m{"alg": algorithm, "kid": kid}))) + "." + b64([]byte(body(nil)))
	mac := hmac.New(hmacHashes[algorithm].New, secret)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}
