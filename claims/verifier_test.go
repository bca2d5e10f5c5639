package claims_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

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
