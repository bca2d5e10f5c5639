package claims_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// maced returns a token signed by HMAC.
func maced(secret []byte, algorithm, payload string) string {
	input := b64([]byte(head(m{"alg": algorithm, "kid": claimstest.Omit}))) + "." + b64([]byte(payload))
	h := hmac.New(hashes[strings.TrimPrefix(algorithm, "HS")].New, secret)
	h.Write([]byte(input))
	return input + "." + b64(h.Sum(nil))
}

func TestSymmetricVerifier(t *testing.T) {
	t.Parallel()
	old, current := material("old secret", 64), material("current secret", 64)
	secrets := [][]byte{current, old}
	cfg := claims.Config{Issuer: "shop", Audiences: []string{claimstest.Audience}}
	verifier, err := claims.NewSymmetricVerifier(secrets, cfg)
	require.NoError(t, err)
	cfg.Algorithms = []string{"HS384", "HS512"}
	others, err := claims.NewSymmetricVerifier(secrets, cfg)
	require.NoError(t, err)
	secrets[0], secrets[1] = material("x", 64), material("y", 64)
	clear(material("current secret", 64))
	require.NoError(t, verifier.Ready(t.Context()))

	payload := body(m{"iss": "shop"})
	for _, tt := range []struct {
		name     string
		verifier *claims.Verifier
		token    string
		reason   claims.Reason
	}{
		{"HS256", verifier, maced(current, "HS256", payload), ""},
		{"secret before", verifier, maced(old, "HS256", payload), ""},
		{"HS384", others, maced(current, "HS384", payload), ""},
		{"HS512", others, maced(current, "HS512", payload), ""},
		{"HS512 not allowed", verifier, maced(current, "HS512", payload), claims.ReasonAlgorithm},
		{"HS256 not allowed", others, maced(current, "HS256", payload), claims.ReasonAlgorithm},
		{"another secret", verifier, maced(material("x", 64), "HS256", payload), claims.ReasonSignature},
		{"no secret", verifier, maced(nil, "HS256", payload), claims.ReasonSignature},
		{"another issuer", verifier, maced(current, "HS256", body(nil)), claims.ReasonIssuer},
		{"expired", verifier, maced(current, "HS256", body(m{"iss": "shop", "exp": longAgo})), claims.ReasonExpired},
		{"other audience", verifier, maced(current, "HS256", body(m{"iss": "shop", "aud": "x"})), claims.ReasonAudience},
		{"bound", verifier, maced(current, "HS256", body(m{"iss": "shop", "cnf": m{}})), claims.ReasonBinding},
		{"ES256", verifier, forged(head(nil), payload), claims.ReasonAlgorithm},
		{"RS256", verifier, forgedBy("rs256", "RS256", head(m{"alg": "RS256"}), payload), claims.ReasonAlgorithm},
		{"none", verifier, forged(head(m{"alg": "none"}), payload), claims.ReasonAlgorithm},
		{
			"cut", verifier, maced(current, "HS256", payload)[:len(maced(current, "HS256", payload))-2],
			claims.ReasonMalformed,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // good ones are remembered
				caller, err := tt.verifier.Authenticate(t.Context(), bearer(tt.token))
				if tt.reason == "" {
					require.NoError(t, err)
					assert.Equal(t, "alice", caller.Subject())
					continue
				}
				assertRefused(t, caller, err, tt.reason)
			}
		})
	}
}

func TestNewSymmetricVerifier_mistakes(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	good := material("secret", 32)
	public, err := x509.MarshalPKIXPublicKey(forger()["rs256"].private.Public())
	require.NoError(t, err)
	anyTenant := func(string) bool { return true }
	for _, tt := range []struct {
		name    string
		secrets [][]byte
		change  func(*claims.Config)
		wrong   []string
	}{
		{name: "good", secrets: [][]byte{good, good, good, good}},
		{name: "none", wrong: []string{"0 secrets"}},
		{name: "too many", secrets: [][]byte{good, good, good, good, good}, wrong: []string{"5 secrets"}},
		{name: "short", secrets: [][]byte{good, good[:31]}, wrong: []string{"secret 1 has 31 bytes", "need 32"}},
		{
			name: "short for HS384", secrets: [][]byte{material("x", 47)}, wrong: []string{"need 48"},
			change: func(cfg *claims.Config) { cfg.Algorithms = []string{"HS384", "HS256"} },
		},
		{
			name: "short for HS512", secrets: [][]byte{material("x", 63)}, wrong: []string{"need 64"},
			change: func(cfg *claims.Config) { cfg.Algorithms = []string{"HS512"} },
		},
		{
			name: "keys", secrets: [][]byte{good}, wrong: []string{"Config.Keys"},
			change: func(cfg *claims.Config) { cfg.Keys = set },
		},
		{
			name: "public algorithms", secrets: [][]byte{good}, wrong: []string{`"RS256"`},
			change: func(cfg *claims.Config) { cfg.Algorithms = []string{"HS256", "RS256"} },
		},
		{
			name: "open issuer", secrets: [][]byte{good}, wrong: []string{"Issuer or TrustTenant"},
			change: func(cfg *claims.Config) {
				cfg.Issuer, cfg.TrustTenant = "https://x.example/{tenant}", anyTenant
			},
		},
		{
			name: "open issuer, no tenant", secrets: [][]byte{good}, wrong: []string{"Issuer or TrustTenant"},
			change: func(cfg *claims.Config) { cfg.Issuer = "https://x.example/{tenant}" },
		},
		{
			name: "issuer with a brace too few", secrets: [][]byte{good}, wrong: []string{"Issuer or TrustTenant"},
			change: func(cfg *claims.Config) { cfg.Issuer = "https://x.example/{tenant" },
		},
		{
			name: "tenant", secrets: [][]byte{good}, wrong: []string{"Issuer or TrustTenant"},
			change: func(cfg *claims.Config) { cfg.TrustTenant = anyTenant },
		},
		{
			name: "everything at once", wrong: []string{"Config.Issuer", "Config.Audiences", "0 secrets"},
			change: func(cfg *claims.Config) { *cfg = claims.Config{} },
		},
		{name: "brackets that are no JSON", secrets: [][]byte{append([]byte("{["), good...), append([]byte("["), good...)}},
		{name: "white space", secrets: [][]byte{bytes.Repeat([]byte(" "), 64)}},
		{name: "PKIX key", secrets: [][]byte{public}, wrong: []string{"secret 0 is a public key"}},
		{
			name:    "PKCS1 key",
			secrets: [][]byte{x509.MarshalPKCS1PublicKey(rsaPublic())}, wrong: []string{"secret 0 is a public key"},
		},
		{
			name: "PEM", wrong: []string{"secret 0 is a public key"},
			secrets: [][]byte{pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})},
		},
		{name: "key set", secrets: [][]byte{issuerKeySet()}, wrong: []string{"secret 0 is a public key"}},
		{name: "certificate", secrets: [][]byte{certificate(t)}, wrong: []string{"secret 0 is a public key"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := claims.Config{Issuer: "shop", Audiences: []string{claimstest.Audience}}
			if tt.change != nil {
				tt.change(&cfg)
			}
			verifier, err := claims.NewSymmetricVerifier(tt.secrets, cfg)
			if len(tt.wrong) == 0 {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Nil(t, verifier)
			for _, wrong := range tt.wrong {
				assert.ErrorContains(t, err, wrong)
			}
		})
	}
}

func TestNewVerifier_pointsToSymmetric(t *testing.T) {
	t.Parallel()
	_, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Audiences: []string{"x"}, Algorithms: []string{"HS256"},
	})
	assert.ErrorContains(t, err, "NewSymmetricVerifier")
}

func rsaPublic() *rsa.PublicKey { return forger()["rs256"].private.Public().(*rsa.PublicKey) }

func certificate(t *testing.T) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	key := forger()["p256"].private
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return der
}
