package httpmw_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// named returns a Middleware, a token that it accepts, and the names of the
// operations that it has decided about.
func named(t *testing.T, operation func(*http.Request) string) (*httpmw.Middleware, string, *[]string) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	names := new([]string)
	auth := httpmw.New(verifier, httpmw.Config{
		Operation: operation,
		Observer:  func(_ context.Context, d claims.Decision) { *names = append(*names, d.Operation) },
	})
	return auth, "Bearer " + issuer.Mint(claimstest.Token{}), names
}

// ask serves a request without a server.
func ask(handler http.Handler, path, token string) int {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder.Code
}

// An operation is called what its router calls it, whether its caller is let
// through or refused.
func TestConfig_Operation_ofTheRouter(t *testing.T) {
	t.Parallel()
	auth, token, names := named(t, nil)
	own := httpmw.NewServeMux(auth)
	own.Handle("GET /own/{id}", claims.Authenticated(), &spy{})
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", auth.Wrap(&spy{}))
	mux.Handle("/own/", own)
	inner := http.NewServeMux()
	inner.Handle("GET /inner/{id}", &spy{})
	mux.Handle("/inner/", auth.Wrap(inner))
	for _, row := range []struct {
		handler http.Handler
		path    string
		want    []string
	}{
		{mux, "/orders/1", []string{"GET /orders/{id}"}},
		{mux, "/own/2", []string{"GET /own/{id}"}},
		{mux, "/inner/2", []string{"/inner/"}}, // where the guard stands
		{auth.Wrap(inner), "/inner/3", []string{"GET /inner/{id}"}},
		{auth.Wrap(inner), "/secret", []string{""}},
		{auth.Wrap(&spy{}), "/secret", []string{""}},
	} {
		for _, token := range []string{token, ""} {
			*names = nil
			ask(row.handler, row.path, token)
			assert.Equal(t, row.want, *names, row.path)
		}
	}
	*names = nil
	ask(auth.Wrap(own), "/own/4", token)
	ask(auth.Wrap(own), "http://HOST.example/own/4", "")
	assert.Equal(t, []string{"GET /own/{id}", "GET /own/{id}", "GET /own/{id}"}, *names)
}

// A name that the user gives counts before that of the router, but not before
// that of a ServeMux, whose routes have names of their own.
func TestConfig_Operation(t *testing.T) {
	t.Parallel()
	auth, token, names := named(t, func(r *http.Request) string { return r.Header.Get("Name") })
	mux := http.NewServeMux()
	mux.Handle("/orders", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Name", "GET /orders")
		auth.Wrap(&spy{}).ServeHTTP(w, r)
	}))
	mux.Handle("/pattern", auth.Wrap(&spy{}))
	own := httpmw.NewServeMux(auth)
	own.HandleFunc("GET /own", claims.Authenticated(), func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/own", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Name", "GET /orders")
		own.ServeHTTP(w, r)
	}))
	for _, path := range []string{"/orders", "/pattern", "/own"} {
		ask(mux, path, token)
	}
	assert.Equal(t, []string{"GET /orders", "/pattern", "GET /own"}, *names)
}

// An operation has the name that was given to it, in records and in the audit,
// whatever the router and Config.Operation say.
func TestMiddleware_RequireFor_name(t *testing.T) {
	t.Parallel()
	auth, token, names := named(t, func(*http.Request) string { return "another" })
	listOrders := claims.Operation{Name: "list orders", Requirement: claims.Authenticated()}
	byMiddleware := claims.Operation{Name: "by middleware", Requirement: claims.Authenticated()}
	mux := http.NewServeMux()
	orders := auth.RequireFor(listOrders)(&spy{})
	mux.Handle("/orders/", orders)
	assert.Equal(t, http.StatusNoContent, ask(mux, "/orders/1", token))
	assert.Equal(t, http.StatusUnauthorized, ask(orders, "/anything", ""))
	assert.Equal(t, []string{"list orders", "list orders"}, *names)

	var audit httpmw.Audit
	audit.Route("/orders/", orders)
	audit.Route("/inside/", auth.Wrap(orders))
	audit.Route("/middleware/", &spy{}, auth.RequireFor(byMiddleware), auth.Wrap)
	audit.Route("/plain/", auth.Wrap(&spy{}))
	require.NoError(t, audit.Err())
	var listed []string
	for _, operation := range audit.Operations() {
		listed = append(listed, operation.Name)
	}
	assert.ElementsMatch(t, []string{"list orders", "list orders", "by middleware", "/plain/"}, listed)
}

// Around a whole mux the guard names what the mux will route, and nothing that
// a client can make up.
func TestWrap_ofAMux(t *testing.T) {
	t.Parallel()
	auth, token, names := named(t, nil)
	sub := http.NewServeMux()
	sub.Handle("GET /sub/items/{item}", &spy{})
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", &spy{})
	mux.Handle("POST /orders/{$}", &spy{})
	mux.Handle("/sub/", sub)
	mux.Handle("/files/{path...}", &spy{})
	handler := auth.Wrap(mux)
	for _, row := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/orders/7", 204, "GET /orders/{id}"},
		{"HEAD", "/orders/a%2Fb", 204, "GET /orders/{id}"},
		{"POST", "/orders/", 204, "POST /orders/{$}"},
		{"GET", "/sub/items/7", 204, "/sub/"}, // the mux inside is asked later
		{"GET", "/files/a/b/c", 204, "/files/{path...}"},
		{"GET", "/none/secret", 404, ""},
		{"DELETE", "/orders/secret", 405, ""},
		{"CHOSEN", "/orders/7", 405, ""},
	} {
		for _, token := range []string{token, ""} {
			*names = nil
			r := httptest.NewRequest(row.method, row.path, nil)
			r.Header.Set("Authorization", token)
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, r)
			if token != "" {
				assert.Equal(t, row.status, recorder.Code, row)
			} else {
				assert.Equal(t, http.StatusUnauthorized, recorder.Code, row)
			}
			assert.Equal(t, []string{row.want}, *names, row)
		}
	}
}

// A panic of the user's is recovered, opens no door and is told to operators.
func TestConfig_Operation_panics(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	var decision claims.Decision
	auth := httpmw.New(verifier, httpmw.Config{
		Operation: func(*http.Request) string { panic("secret-internal-text") },
		Observer:  func(_ context.Context, d claims.Decision) { decision = d },
	})
	var inner spy
	got := get(t, auth.Wrap(&inner), "Bearer "+issuer.Mint(claimstest.Token{}))
	assert.Equal(t, http.StatusServiceUnavailable, got.status)
	assert.NotContains(t, got.body, "secret")
	assert.False(t, inner.reached)
	require.NotNil(t, decision.Err)
	assert.ErrorContains(t, decision.Err.Unwrap(), "Config.Operation panicked: secret-internal-text")
	assert.ErrorContains(t, decision.Err.Unwrap(), "guarded_name_test.go")
}

// Without an Observer nobody wants to know a name.
func TestConfig_Operation_unobserved(t *testing.T) {
	t.Parallel()
	auth := httpmw.New(nobody{}, httpmw.Config{Operation: func(*http.Request) string { panic("asked") }})
	assert.Equal(t, http.StatusUnauthorized, ask(auth.Wrap(&spy{}), "/", "Bearer x"))
}
