package gorilla_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/handlers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// guard returns an issuer, a Middleware that trusts it, and the names of the
// operations that it has decided about.
func guard(t *testing.T) (*claimstest.Issuer, *httpmw.Middleware, *[]string) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	names := new([]string)
	return issuer, httpmw.New(verifier, httpmw.Config{
		Operation: operation,
		Observer:  func(_ context.Context, d claims.Decision) { *names = append(*names, d.Operation) },
	}), names
}

func ask(handler http.Handler, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}

// Every guard of a route names the operation as the access table does.
func TestRouter(t *testing.T) {
	t.Parallel()
	issuer, auth, names := guard(t)
	router := newRouter(auth)
	table, err := audited(router)
	require.NoError(t, err)
	inTable := map[string]bool{}
	for _, operation := range table {
		inTable[operation.Name] = true
	}
	read := issuer.Mint(claimstest.Token{Scope: "orders:read"})
	for _, row := range []struct {
		method, path, token string
		status              int
		operations          []string
	}{
		{"GET", "/orders/7", read, 204, []string{"GET /orders/{id:[0-9]+}", "GET /orders/{id:[0-9]+}"}},
		{"HEAD", "/orders/7", read, 204, []string{"HEAD /orders/{id:[0-9]+}", "HEAD /orders/{id:[0-9]+}"}},
		{"GET", "/orders/7", "", 401, []string{"GET /orders/{id:[0-9]+}"}},
		{"POST", "/orders", read, 403, []string{"POST /orders", "POST /orders"}},
		{"CHOSEN", "/any", read, 204, []string{"/any"}},
		{"GET", "/healthz", "", 204, nil},
		{"GET", "/orders/x", read, 404, nil},
		{"DELETE", "/healthz", read, 405, nil},
		{"DELETE", "/orders/7", read, 404, nil}, // as gorilla answers in a subrouter
		{"GET", "/none", read, 404, nil},
		{"GET", "/tenants/a/orders/7", read, 204, []string{"GET /tenants/{tenant}/orders/{id}"}},
		{"GET", "/tenants/a/orders/7", "", 401, []string{"GET /tenants/{tenant}/orders/{id}"}},
		{"GET", "/tenants/a/none", read, 404, nil},
	} {
		*names = nil
		got := ask(router, row.method, row.path, row.token)
		assert.Equal(t, row.status, got.Code, row)
		assert.Equal(t, row.operations, *names, row)
		for _, name := range *names {
			assert.True(t, inTable[name], name)
		}
	}
}

// The answer of a guard behind CompressHandler is what a client can read.
func TestCompressHandler(t *testing.T) {
	t.Parallel()
	issuer, auth, _ := guard(t)
	needs := claims.Scopes("orders:read")
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth.Refuse(w, r, claims.Allowed(r.Context(), needs))
	})
	router := newRouter(auth)
	router.Handle("/own", auth.Wrap(own))
	server := httptest.NewServer(handlers.CompressHandler(router))
	t.Cleanup(server.Close)
	token := issuer.Mint(claimstest.Token{})
	for _, row := range []struct {
		path, token string
		status      int
	}{
		{"/orders/7", "", 401}, {"/orders/7", "junk", 401}, {"/orders/7", token, 403},
		{"/own", "", 401}, {"/own", token, 403},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+row.path, nil)
		require.NoError(t, err)
		if row.token != "" {
			r.Header.Set("Authorization", "Bearer "+row.token)
		}
		resp, err := server.Client().Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, row.status, resp.StatusCode)
		assert.True(t, resp.Uncompressed, "it came compressed, and said so")
		assert.Contains(t, string(body), `"reason":`)
	}
}
