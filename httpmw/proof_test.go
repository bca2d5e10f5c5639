package httpmw_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// confirmer takes note of the proofs that it is shown.
type confirmer struct{ proofs []claims.Proof }

func (*confirmer) Confirms() (member, scheme string) { return "jkt", "DPoP" }

func (c *confirmer) Confirm(ctx context.Context, value string, credentials claims.Credentials) error {
	c.proofs = append(c.proofs, credentials.Proof.Prove(ctx))
	if value != "key" {
		return errors.New("another key")
	}
	return nil
}

// What a request proves reaches whoever confirms it, of a bound token alone,
// and each time that it is used.
func TestRequire_boundToken(t *testing.T) {
	t.Parallel()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	keys, err := jwks.NewCache(jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
	require.NoError(t, err)
	by := &confirmer{}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
		Confirmers: []claims.Confirmer{by},
	})
	require.NoError(t, err)
	served := httpmw.New(verifier, httpmw.Config{}).Wrap(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	ask := func(authorization string) int {
		server := httptest.NewTLSServer(served)
		defer server.Close()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/a%2Fb?c=d", nil)
		require.NoError(t, err)
		r.Host = "api.example"
		r.Header.Set("Authorization", authorization)
		r.Header.Add("DPoP", "proof")
		response, err := server.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	bound := issuer.Mint(claimstest.Token{Claims: map[string]any{"cnf": map[string]any{"jkt": "key"}}})
	for i := range 3 {
		assert.Equal(t, http.StatusNoContent, ask("DPoP "+bound))
		require.Len(t, by.proofs, i+1, "each use is proven")
	}
	require.NotNil(t, by.proofs[0].Respond)
	by.proofs[0].Respond = nil
	assert.Equal(t, claims.Proof{
		Method: "PUT", URL: "https://api.example/a%2Fb", DPoP: []string{"proof"},
		Peer: netip.MustParseAddr("127.0.0.1"),
	}, by.proofs[0])
	assert.Equal(t, http.StatusUnauthorized, ask("Bearer "+bound), "it is not the bearer's alone")
	free := issuer.Mint(claimstest.Token{})
	assert.Equal(t, http.StatusUnauthorized, ask("DPoP "+free), "it is bound to no key")
	assert.Equal(t, http.StatusNoContent, ask("Bearer "+free))
	other := issuer.Mint(claimstest.Token{Claims: map[string]any{"cnf": map[string]any{"jkt": "other"}}})
	assert.Equal(t, http.StatusUnauthorized, ask("DPoP "+other))
	unknown := issuer.Mint(claimstest.Token{Claims: map[string]any{
		"cnf": map[string]any{"jkt": "key", "x5t#S256": "x"},
	}})
	assert.Equal(t, http.StatusUnauthorized, ask("DPoP "+unknown), "nothing proves the other member")
	assert.Len(t, by.proofs, 4, "and then no proof is looked at")
}
