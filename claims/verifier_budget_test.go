//go:build !race

// The race detector has pools lose things at random, so make test runs these
// tests without it.

package claims_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// primitive checks the signature of a token by the standard library alone.
func primitive(t *testing.T, public crypto.PublicKey, token claims.Credentials) func() bool {
	t.Helper()
	last := strings.LastIndexByte(token.Token, '.')
	input, signature := []byte(token.Token[:last]), unb64(token.Token[last+1:])
	switch public := public.(type) {
	case ed25519.PublicKey:
		return func() bool { return ed25519.Verify(public, input, signature) }
	case *ecdsa.PublicKey:
		der, err := asn1.Marshal(struct{ R, S *big.Int }{
			new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]),
		})
		require.NoError(t, err)
		return func() bool {
			digest := sha256.Sum256(input)
			return ecdsa.VerifyASN1(public, digest[:], der)
		}
	case *rsa.PublicKey:
		if strings.Contains(string(unb64(token.Token[:strings.IndexByte(token.Token, '.')])), "PS256") {
			return func() bool {
				digest := sha256.Sum256(input)
				return rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, nil) == nil
			}
		}
		return func() bool {
			digest := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
		}
	}
	return nil
}

// Beside what the signature check itself allocates, verifying a token costs six
// allocations and 1.5 KB at most.
func TestBudget_uncached(t *testing.T) {
	for _, algorithm := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		issuer := newIssuer(t, claimstest.Config{Algorithm: algorithm})
		verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.MaxTokens = -1 })
		token := accessToken(issuer, claimstest.Token{})
		verify := func() {
			_, err := verifier.Authenticate(t.Context(), token)
			require.NoError(t, err)
		}
		verify()
		set, err := jwks.Parse(issuer.KeySet())
		require.NoError(t, err)
		check := primitive(t, set.Keys()[0].Public(), token)
		require.True(t, check(), algorithm)
		bare := func() { check() }
		assert.LessOrEqual(t, testing.AllocsPerRun(100, verify), testing.AllocsPerRun(100, bare)+6, algorithm)
		assert.LessOrEqual(t, bytesPerRun(verify), bytesPerRun(bare)+1536, algorithm)
	}
}

// bytesPerRun is what f allocates, in the best of several runs.
func bytesPerRun(f func()) uint64 {
	f()
	return allocated(0, f)
}

// A token that was verified before costs no allocation.
func TestBudget_cached(t *testing.T) {
	issuer := newIssuer(t, claimstest.Config{Algorithm: "RS256"})
	verifier := newVerifier(t, issuer, nil)
	issuers, err := claims.NewIssuers(configOf(t, issuer))
	require.NoError(t, err)
	token := accessToken(issuer, claimstest.Token{})
	for _, auth := range []claims.Authenticator{verifier, issuers} {
		verify := func() {
			_, err := auth.Authenticate(t.Context(), token)
			require.NoError(t, err)
		}
		verify()
		assert.Zero(t, testing.AllocsPerRun(100, verify))
	}
}

// What is refused before its signature is looked at costs no more than a parse,
// and what is refused by form next to nothing.
func TestBudget_refused(t *testing.T) {
	issuer := newIssuer(t, claimstest.Config{Algorithm: "RS256"})
	verifier := newVerifier(t, issuer, nil)
	good := accessToken(issuer, claimstest.Token{})
	_, err := verifier.Authenticate(t.Context(), good)
	require.NoError(t, err)
	with := func(name string, value any) claims.Credentials {
		return accessToken(issuer, claimstest.Token{Claims: map[string]any{name: value}})
	}
	for _, tt := range []struct {
		name   string
		token  claims.Credentials
		allocs float64
	}{
		{"another issuer", with("iss", "https://other.example"), 4},
		{"another audience", with("aud", "x"), 4},
		{"expired", with("exp", 1), 4},
		{"unknown key", accessToken(issuer, claimstest.Token{Header: map[string]any{"kid": "x"}}), 1},
		{"algorithm", accessToken(issuer, claimstest.Token{Header: map[string]any{"alg": "none"}}), 1},
		{"not base64url", bearer(good.Token[:len(good.Token)-9] + "!" + good.Token[len(good.Token)-8:]), 1},
		{"garbage", bearer(strings.Repeat("garbage.", 100)), 0},
		{"too large", bearer(strings.Repeat("A", 1<<20)), 0},
		{"dots", bearer(strings.Repeat(".", 1<<20)), 0},
	} {
		refuse := func() {
			_, err := verifier.Authenticate(t.Context(), tt.token)
			require.ErrorIs(t, err, claims.ErrInvalidToken)
		}
		refuse()
		assert.LessOrEqual(t, testing.AllocsPerRun(100, refuse), tt.allocs, tt.name)
	}
}
