//go:build !race

package dpop_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

// A plain token costs the same whether bound ones are taken or not, and a proof
// a bounded number of allocations.
func TestBudget_Confirmer(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{})
	cfg := claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}}
	without, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	c := newConfirmer(t, dpop.Config{InsecureSkipReplays: true})
	cfg.Confirmers = []claims.Confirmer{c}
	with, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	plain := claims.Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{})}
	allocations := func(v *claims.Verifier, by claims.Credentials) float64 {
		return testing.AllocsPerRun(200, func() {
			_, err := v.Authenticate(t.Context(), by)
			require.NoError(t, err)
		})
	}
	assert.InDelta(t, allocations(without, plain), allocations(with, plain), 0.5)

	key := claimstest.MustKey("EdDSA")
	token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": key.Thumbprint()}}})
	proof := key.Prove(claimstest.Proof{Method: "GET", URL: orderURL, Token: token})
	assert.LessOrEqual(t, allocations(with, claims.Credentials{
		Scheme: "DPoP", Token: token, Proof: &request{"GET", orderURL, []string{proof}, map[string]string{}},
	}), 40.0)
}
