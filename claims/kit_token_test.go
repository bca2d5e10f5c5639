package claims_test

import (
	"testing"

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

func assertRefused(t testing.TB, caller *claims.Claims, err error, reason claims.Reason) {
	t.Helper()
	assert.Nil(t, caller)
	require.Error(t, err)
	var refusal *claims.Error
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, reason, refusal.Reason())
	assert.ErrorIs(t, err, claims.ErrInvalidToken)
	for _, other := range []error{
		claims.ErrNoToken, claims.ErrInvalidRequest, claims.ErrInsufficientAuthentication,
		claims.ErrInsufficientScope, claims.ErrForbidden, claims.ErrUnavailable,
	} {
		assert.NotErrorIs(t, err, other)
	}
}

// accessToken is a token as real ones are, of about 900 bytes where it is
// RS256.
func accessToken(issuer *claimstest.Issuer, change claimstest.Token) claims.Credentials {
	change.Subject, change.ClientID = "0f6ad2bc-7a0b-4b57-9a9f-3f1c7a1b9f10", "shop-backend"
	change.Scope = "orders:read orders:write profile"
	if change.Claims == nil {
		change.Claims = map[string]any{}
	}
	change.Claims["permissions"] = []string{"orders:read", "orders:refund"}
	change.Claims["tenant"] = map[string]any{"id": "t-4711", "plan": "enterprise"}
	change.Claims["email"] = "alice@example.com"
	change.Claims["groups"] = []string{"sales", "support", "emea"}
	return bearer(issuer.Mint(change))
}

// offline returns a verifier of the forger's tokens that makes no requests.
func offline(t testing.TB, change func(*claims.Config)) *claims.Verifier {
	t.Helper()
	return newVerifier(t, newForgerIssuer(t), change)
}

func configOf(t testing.TB, issuer *claimstest.Issuer) claims.Config {
	t.Helper()
	keys, err := jwks.NewCache(jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
	require.NoError(t, err)
	return claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	}
}
