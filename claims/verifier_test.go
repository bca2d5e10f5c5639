package claims_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// newVerifier returns a verifier that trusts the issuer, reached directly.
func newVerifier(
	t testing.TB, issuer *claimstest.Issuer, change func(*claims.Config),
) *claims.Verifier {
	t.Helper()
	keys, err := jwks.NewCache(jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
	require.NoError(t, err)
	cfg := claims.Config{
		Issuer:    issuer.URL(),
		Audiences: []string{claimstest.Audience},
		Keys:      keys,
	}
	if change != nil {
		change(&cfg)
	}
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	return verifier
}

func newIssuer(t testing.TB, cfg claimstest.Config) *claimstest.Issuer {
	t.Helper()
	if cfg.URL == "" {
		cfg.URL = "https://issuer.example"
	}
	issuer, err := claimstest.New(cfg)
	require.NoError(t, err)
	return issuer
}

func bearer(token string) claims.Credentials {
	return claims.Credentials{Scheme: "Bearer", Token: token}
}

func TestVerifier_acceptsEveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{
		"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
	} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			issuer := newIssuer(t, claimstest.Config{Algorithm: alg})
			verifier := newVerifier(t, issuer, nil)
			caller, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{
				Subject: "alice", ClientID: "shop", Scope: "orders:read orders:write",
				Claims: map[string]any{"tenant": "t1"},
			})))
			require.NoError(t, err)
			assert.Equal(t, "https://issuer.example", caller.Issuer())
			assert.Equal(t, "alice", caller.Subject())
			assert.Equal(t, "shop", caller.ClientID())
			assert.Equal(t, []string{claimstest.Audience}, caller.Audience())
			assert.Equal(t, []string{"orders:read", "orders:write"}, caller.Scopes())
			assert.NotEmpty(t, caller.ID())
			assert.WithinDuration(t, time.Now().Add(5*time.Minute), caller.ExpiresAt(), 2*time.Second)
			assert.WithinDuration(t, time.Now(), caller.IssuedAt(), 2*time.Second)
			assert.True(t, caller.NotBefore().IsZero())
			var mine struct{ Tenant string }
			require.NoError(t, caller.Decode(&mine))
			assert.Equal(t, "t1", mine.Tenant)
		})
	}
}
