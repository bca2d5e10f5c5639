package echoguard_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	echoguard "github.com/sallyport-go/sallyport/examples/echo"
	"github.com/sallyport-go/sallyport/httpmw"
)

// decisions are the operations that were decided about.
type decisions struct {
	mu    sync.Mutex
	names []string // guarded by mu
}

func (d *decisions) observe(_ context.Context, decision claims.Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names = append(d.names, decision.Operation)
}

func (d *decisions) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := d.names
	d.names = nil
	return names
}

func newAuth(t *testing.T) (*claimstest.Issuer, *httpmw.Middleware, *decisions) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		PermissionClaims: []string{"permissions"},
	})
	require.NoError(t, err)
	seen := &decisions{}
	return issuer, httpmw.New(verifier, httpmw.Config{Observer: seen.observe}), seen
}

type answer struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, handler http.Handler, method, path, token string) answer {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// protected counts how often it is reached, and answers with the caller.
type protected struct{ reached int }

func (p *protected) serve(c echo.Context) error {
	p.reached++
	caller, found := claims.FromContext(c.Request().Context())
	if !found {
		return c.String(http.StatusOK, "nobody")
	}
	return c.String(http.StatusOK, caller.Subject()+" "+c.Param("id"))
}

func TestGuard(t *testing.T) {
	t.Parallel()
	issuer, auth, seen := newAuth(t)
	guard, router := echoguard.New(auth), echo.New()
	var inner protected
	api := router.Group("/api")
	guard.Handle(api, "GET", "/orders/:id", claims.Scopes("orders:read"), inner.serve)
	guard.Handle(api, "GET", "/reports/", claims.Permissions("reports"), inner.serve)
	guard.Handle(router, "GET", "/healthz", claims.Public(), inner.serve)
	table, err := guard.Audit(router)
	require.NoError(t, err)
	require.Len(t, table, 3)

	read := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
	bare := issuer.Mint(claimstest.Token{Subject: "alice"})
	for name, row := range map[string]struct {
		path, token string
		status      int
		body        string // of what is let through
		operation   string
	}{
		"admitted":         {"/api/orders/7", read, 200, "alice 7", "GET /api/orders/:id"},
		"no token":         {"/api/orders/7", "", 401, "", "GET /api/orders/:id"},
		"bad token":        {"/api/orders/7", "junk", 401, "", "GET /api/orders/:id"},
		"lacking":          {"/api/orders/7", bare, 403, "", "GET /api/orders/:id"},
		"not permitted":    {"/api/reports/", read, 403, "", "GET /api/reports/"},
		"public":           {"/healthz", "", 200, "nobody", ""},
		"no route":         {"/none", read, 404, "", ""},
		"not that of /api": {"/orders/7", read, 404, "", ""},
	} {
		inner.reached = 0
		got := ask(t, router, "GET", row.path, row.token)
		assert.Equal(t, row.status, got.status, name)
		names := seen.take()
		if row.operation != "" {
			require.Equal(t, []string{row.operation}, names, name)
			assert.Contains(t, table.Markdown(), "`"+row.operation+"`", name)
		}
		if row.status == http.StatusOK {
			assert.Equal(t, row.body, got.body, name)
			continue
		}
		assert.Zero(t, inner.reached, name)
		if row.status != http.StatusNotFound {
			assert.Equal(t, "application/problem+json", got.header.Get("Content-Type"), name)
		}
	}
}

// A guard before everything and one before a group, and a decision of the
// handler's own.
func TestGuard_Require(t *testing.T) {
	t.Parallel()
	issuer, auth, seen := newAuth(t)
	guard, router := echoguard.New(auth), echo.New()
	var inner protected
	router.Use(guard.Require(claims.Authenticated()))
	group := router.Group("/a", guard.Require(claims.Scopes("a")))
	group.GET("/:id", inner.serve)
	group.GET("/part", func(c echo.Context) error {
		if err := claims.Allowed(c.Request().Context(), claims.Scopes("b")); err != nil {
			return guard.Refuse(c, err)
		}
		return inner.serve(c)
	})
	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a"})
	assert.Equal(t, 401, ask(t, router, "GET", "/a/7", "").status)
	assert.Equal(t, 403, ask(t, router, "GET", "/a/7", issuer.Mint(claimstest.Token{})).status)
	assert.Equal(t, "alice 7", ask(t, router, "GET", "/a/7", token).body)
	assert.Equal(t, 403, ask(t, router, "GET", "/a/part", token).status)
	assert.Equal(t, 1, inner.reached)
	seen.take()

	// What the client chooses is no operation's name.
	assert.Equal(t, 404, ask(t, router, "CHOSEN", "/a/7", token).status)
	for _, name := range seen.take() {
		assert.Empty(t, name)
	}
}

// Guards of nested groups name the route that has matched, and what has none,
// or has another method, is nothing that a client can name.
func TestGuard_names(t *testing.T) {
	t.Parallel()
	issuer, auth, seen := newAuth(t)
	guard, router := echoguard.New(auth), echo.New()
	router.Use(guard.Require(claims.Authenticated()))
	var inner protected
	tenant := router.Group("/tenants/:tenant", guard.Require(claims.Authenticated()))
	guard.Handle(tenant.Group("/orders"), "GET", "/:id", claims.Scopes("a"), inner.serve)
	guard.Handle(tenant, "GET", "/files/*", claims.Scopes("a"), inner.serve)
	table, err := guard.Audit(router)
	require.NoError(t, err)
	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a"})
	for _, row := range []struct {
		method, path, token string
		status              int
		want                []string
	}{
		{"GET", "/tenants/t/orders/7", token, 200, []string{"GET /tenants/:tenant/orders/:id", "GET /tenants/:tenant/orders/:id", "GET /tenants/:tenant/orders/:id"}},
		{"GET", "/tenants/t/orders/7", "", 401, []string{"GET /tenants/:tenant/orders/:id"}},
		{"GET", "/tenants/t/files/a/b", "", 401, []string{"GET /tenants/:tenant/files/*"}},
		{"GET", "/secret", "", 401, []string{""}},
		{"CHOSEN", "/tenants/t/orders/7", "", 401, []string{""}},
	} {
		assert.Equal(t, row.status, ask(t, router, row.method, row.path, row.token).status, row.path)
		names := seen.take()
		assert.Equal(t, row.want, names, "%s %s", row.method, row.path)
		if names[0] != "" {
			assert.Contains(t, table.Markdown(), "`"+names[0]+"`")
		}
	}
	// Of another method of a route echo knows the path alone, of a path beside
	// the routes of a group where that is.
	for _, row := range []struct {
		method, path string
		status       int
	}{{"DELETE", "/tenants/t/orders/7", 404}, {"GET", "/tenants/t/secret", 404}} {
		assert.Equal(t, row.status, ask(t, router, row.method, row.path, token).status, row.path)
		for _, name := range seen.take() {
			assert.NotContains(t, name, "secret")
		}
	}
}

// A middleware outside that has announced a coding is left its announcement.
func TestGuard_compressed(t *testing.T) {
	t.Parallel()
	_, auth, _ := newAuth(t)
	guard, router := echoguard.New(auth), echo.New()
	router.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			coder := gzip.NewWriter(c.Response().Writer)
			c.Response().Header().Set("Content-Encoding", "gzip")
			c.Response().Writer = &coded{c.Response().Writer, coder}
			err := next(c)
			assert.NoError(t, coder.Close())
			return err
		}
	})
	var inner protected
	guard.Handle(router, "GET", "/a", claims.Authenticated(), inner.serve)
	got := ask(t, router, "GET", "/a", "")
	assert.Equal(t, 401, got.status)
	assert.Contains(t, got.body, `"reason":"no_token"`)
}

type coded struct {
	http.ResponseWriter
	coder io.Writer
}

func (c *coded) Write(b []byte) (int, error) { return c.coder.Write(b) }

// The audit names what Handle has not registered.
func TestGuard_Audit(t *testing.T) {
	t.Parallel()
	_, auth, _ := newAuth(t)
	guard, router := echoguard.New(auth), echo.New()
	var inner protected
	guard.Handle(router.Group("/a"), "GET", "", claims.Public(), inner.serve)
	guard.Handle(router.Group("/b", guard.Require(claims.Authenticated())), "POST", "/c/", claims.Public(), inner.serve)
	_, err := guard.Audit(router)
	require.NoError(t, err)
	router.DELETE("/a", inner.serve)
	_, err = guard.Audit(router)
	assert.ErrorContains(t, err, "httpmw: route DELETE /a has no requirement")
}
