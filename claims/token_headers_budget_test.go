//go:build !race

// The race detector has pools lose things at random, so make test runs these
// tests without it.

package claims

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// A token that is remembered costs no allocation, however many issuers there
// are whose headers differ.
func TestBudget_headersOfEachIssuer(t *testing.T) {
	const n = 200
	var tokens []Credentials
	var configs []Config
	for i := range n {
		issuer, err := claimstest.New(claimstest.Config{URL: fmt.Sprintf("https://i%d.example", i)})
		require.NoError(t, err)
		keys, err := jwks.Parse(issuer.KeySet())
		require.NoError(t, err)
		configs = append(configs, Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
		})
		tokens = append(tokens, Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{
			Header: map[string]any{"x": i},
		})})
	}
	issuers, err := NewIssuers(configs[0])
	require.NoError(t, err)
	for _, cfg := range configs[1:] {
		require.NoError(t, issuers.Add(cfg))
	}
	table := issuers.trusted.Load()
	authenticate := func() {
		for _, token := range tokens {
			_, err := table.pipeline.identify(t.Context(), token, table)
			require.NoError(t, err)
		}
	}
	authenticate()
	assert.Equal(t, n, table.pipeline.headers.known.Load().Len())
	assert.Less(t, testing.AllocsPerRun(5, authenticate), n/10.0, "what else goes on is less than one a token")
}
