//go:build !race

package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// A request whose token was verified before costs three allocations at most, so
// that is what the middleware adds.
func TestBudget(t *testing.T) {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	require.NoError(t, err)
	served := 0
	guarded := httpmw.New(verifier, httpmw.Config{}).Require(claims.Scopes("orders:read"))(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if caller, ok := claims.FromContext(r.Context()); ok && caller.Subject() == "alice" {
				served++
			}
		}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{
		Subject: "alice", Scope: "orders:read orders:write",
	}))
	w := httptest.NewRecorder()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { guarded.ServeHTTP(w, r) }), 3.0)
	assert.Equal(t, 101, served)
}
