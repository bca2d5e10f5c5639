package docs_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/httpmw"
)

func TestOrders_dpop(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{})
	confirmer, err := dpop.New(dpop.Config{})
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		Confirmers: []claims.Confirmer{confirmer},
	})
	require.NoError(t, err)
	service := newService(verifier)

	key := claimstest.MustKey("ES256") // the client's
	token := issuer.Mint(claimstest.Token{
		Scope: "orders:read", Claims: map[string]any{"cnf": map[string]any{"jkt": key.Thumbprint()}},
	})
	ask := func(proof string) int {
		r := httptest.NewRequest("GET", "http://api.example/orders", nil)
		r.Header.Set("Authorization", "DPoP "+token)
		r.Header.Set("DPoP", proof)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		return w.Code
	}
	proof := key.Prove(claimstest.Proof{Method: "GET", URL: "http://api.example/orders", Token: token})
	assert.Equal(t, 200, ask(proof))
	assert.Equal(t, 401, ask(proof), "used before")
	assert.Equal(t, 401, get(service, "/orders", token).Code, "stolen, and sent as Bearer")
}

func TestOrders_revoked(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{})
	ended, err := revocation.NewTable(revocation.Config{Logger: claimstest.Logger(t)})
	require.NoError(t, err)
	mux := httpmw.NewServeMux(httpmw.New(newVerifier(t, issuer), httpmw.Config{Revocations: ended}))
	mux.HandleFunc("GET /orders", claims.Scopes("orders:read"), listOrders)

	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
	require.Equal(t, http.StatusOK, get(mux, "/orders", token).Code)
	require.NoError(t, ended.Revoke(t.Context(), revocation.Entry{Issuer: issuer.URL(), Subject: "alice"}))
	assert.Equal(t, http.StatusUnauthorized, get(mux, "/orders", token).Code)
}
