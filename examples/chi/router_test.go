package chi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

func guard(t *testing.T) (*claimstest.Issuer, *httpmw.Middleware) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		PermissionClaims: []string{"permissions"},
	})
	require.NoError(t, err)
	return issuer, httpmw.New(verifier, httpmw.Config{})
}

// ask sends a request to a real server, with a token unless it is empty.
func ask(t *testing.T, server *httptest.Server, method, path, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

func TestRouter(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	server := httptest.NewServer(newRouter(auth))
	t.Cleanup(server.Close)
	tokens := map[string]string{
		"none":  "",
		"bad":   "junk",
		"any":   issuer.Mint(claimstest.Token{}),
		"read":  issuer.Mint(claimstest.Token{Scope: "orders:read"}),
		"write": issuer.Mint(claimstest.Token{Scope: "orders:write"}),
		"reports": issuer.Mint(claimstest.Token{
			Claims: map[string]any{"permissions": []string{"reports"}},
		}),
	}
	for operation, allowed := range map[[2]string]string{
		{"GET", "/orders/"}:       "read",
		{"POST", "/orders/"}:      "write",
		{"PUT", "/orders/7"}:      "write",
		{"GET", "/reports/daily"}: "reports",
	} {
		for name, token := range tokens {
			want := http.StatusForbidden
			switch name {
			case allowed:
				want = http.StatusNoContent
			case "none", "bad":
				want = http.StatusUnauthorized
			}
			assert.Equal(t, want, ask(t, server, operation[0], operation[1], token),
				"%v with token %q", operation, name)
		}
	}
	assert.Equal(t, http.StatusNoContent, ask(t, server, "GET", "/healthz", "junk"))
	assert.Equal(t, http.StatusNotFound, ask(t, server, "GET", "/nothing", ""))
}

// However routers are nested, the audit finds what guards a route and what does
// not, and requests agree.
func TestAudit_nested(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	handler := http.HandlerFunc(serve)
	for name, row := range map[string]struct {
		routes func(r chi.Router, guard mw)
		found  bool
	}{
		"Use": {func(r chi.Router, g mw) {
			r.Use(g)
			ab(r)
		}, true},
		"With":  {func(r chi.Router, g mw) { ab(r.With(g)) }, true},
		"Route": {func(r chi.Router, g mw) { r.Route("/a", func(r chi.Router) { b(r.With(g)) }) }, true},
		"With, another route": {func(r chi.Router, g mw) {
			r.With(g).Get("/c", serve)
			ab(r)
		}, false},
		"Method":         {func(r chi.Router, g mw) { r.Method("GET", "/a/b", g(handler)) }, true},
		"Handle":         {func(r chi.Router, g mw) { r.Handle("/a/b", g(handler)) }, true},
		"Handle subtree": {func(r chi.Router, g mw) { r.Handle("/a/*", g(handler)) }, true},
		"Handle without": {func(r chi.Router, _ mw) { r.Handle("/a/*", handler) }, false},
		"Route in Group": {func(r chi.Router, g mw) {
			r.Group(func(r chi.Router) {
				r.Use(g)
				r.Route("/a", b)
			})
		}, true},
		"Route beside Group": {func(r chi.Router, g mw) {
			r.Group(func(r chi.Router) { r.Use(g) })
			r.Route("/a", b)
		}, false},
		"Group in Group": {func(r chi.Router, g mw) {
			r.Group(func(r chi.Router) {
				r.Use(g)
				r.Group(ab)
			})
		}, true},
		"Mount below Use": {func(r chi.Router, g mw) {
			r.Use(g)
			r.Mount("/a", sub(nil))
		}, true},
		"Mount below With": {func(r chi.Router, g mw) { r.With(g).Mount("/a", sub(nil)) }, true},
		"Mount of guarded": {func(r chi.Router, g mw) { r.Mount("/a", sub(g)) }, true},
		"Mount in Group": {func(r chi.Router, g mw) {
			r.Group(func(r chi.Router) {
				r.Use(g)
				r.Mount("/a", sub(nil))
			})
		}, true},
		"Mount of a Mount": {func(r chi.Router, g mw) { r.With(g).Mount("/", outer()) }, true},
		"Mount without":    {func(r chi.Router, _ mw) { r.Mount("/", outer()) }, false},
		"among other middleware": {func(r chi.Router, g mw) {
			r.Use(other)
			ab(r.With(other, g, other))
		}, true},
		"other middleware alone": {func(r chi.Router, _ mw) {
			r.Use(other)
			ab(r)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			router := chi.NewRouter()
			row.routes(router, auth.Require(claims.Scopes("a")))
			server := httptest.NewServer(router)
			defer server.Close()
			table, err := audited(router)
			if !row.found {
				assert.ErrorContains(t, err, "has no requirement")
				assert.Equal(t, http.StatusNoContent, ask(t, server, "GET", "/a/b", ""))
				return
			}
			require.NoError(t, err)
			require.NotEmpty(t, table)
			for _, operation := range table {
				assert.Equal(t, `Scopes("a")`, operation.Requirement.String())
			}
			assert.Equal(t, http.StatusUnauthorized, ask(t, server, "GET", "/a/b", ""))
		})
	}
}

// Every guard of a route, wherever it stands, names the operation as the access
// table does.
func TestOperation(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		PermissionClaims: []string{"permissions"},
	})
	require.NoError(t, err)
	var names []string
	router := newRouter(httpmw.New(verifier, httpmw.Config{
		Operation: operation,
		Observer:  func(_ context.Context, d claims.Decision) { names = append(names, d.Operation) },
	}))
	table, err := audited(router)
	require.NoError(t, err)
	token := issuer.Mint(claimstest.Token{
		Scope: "orders:read orders:write", Claims: map[string]any{"permissions": []string{"reports"}},
	})
	decided := map[string]bool{}
	for _, row := range []struct {
		method, path, token string
		want                []string
	}{
		{"GET", "/orders/", token, []string{"GET /orders/", "GET /orders/"}},
		{"POST", "/orders/", token, []string{"POST /orders/", "POST /orders/"}},
		{"PUT", "/orders/7", token, []string{"PUT /orders/{id}", "PUT /orders/{id}"}},
		{"PUT", "/orders/a%2Fb", token, []string{"PUT /orders/{id}", "PUT /orders/{id}"}},
		{"PUT", "/orders/7", "", []string{"PUT /orders/{id}"}},
		{"GET", "/reports/daily", token, []string{"GET /reports/daily"}},
		{"GET", "/reports/none", token, []string{"/reports/*"}}, // all that chi has found
		{"GET", "/orders/", "", []string{"GET /orders/"}},
		{"GET", "/reports/daily", "", []string{"GET /reports/daily"}},
		// What Use stands before is asked of what has no route, too, and chi
		// knows no more of that than where its router is mounted.
		{"GET", "/orders/7/lines", token, []string{"/orders/*"}},
		{"DELETE", "/orders/7", token, []string{"/orders/*"}},
		{"GET", "/none", token, nil},
		{"CHOSEN", "/orders/", token, nil},
	} {
		names = nil
		r := httptest.NewRequest(row.method, row.path, nil)
		if row.token != "" {
			r.Header.Set("Authorization", "Bearer "+row.token)
		}
		router.ServeHTTP(httptest.NewRecorder(), r)
		assert.Equal(t, row.want, names, "%s %s", row.method, row.path)
		for _, name := range names {
			decided[name] = true
		}
	}
	for _, operation := range table {
		assert.True(t, operation.Requirement.IsPublic() || decided[operation.Name], operation.Name)
	}
}

type mw = func(http.Handler) http.Handler

func b(r chi.Router)  { r.Get("/b", serve) }
func ab(r chi.Router) { r.Get("/a/b", serve) }

// sub returns a router of its own with the route /b, behind guard if there is
// one.
func sub(guard mw) http.Handler {
	r := chi.NewRouter()
	if guard != nil {
		r.Use(guard)
	}
	b(r)
	return r
}

func outer() http.Handler {
	r := chi.NewRouter()
	r.Mount("/a", sub(nil))
	return r
}

func other(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
}
