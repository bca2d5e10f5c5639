package ginguard_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	ginguard "github.com/sallyport-go/sallyport/examples/gin"
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

func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	return gin.New()
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

func (p *protected) serve(c *gin.Context) {
	p.reached++
	caller, found := claims.FromContext(c.Request.Context())
	if !found {
		c.String(http.StatusOK, "nobody")
		return
	}
	c.String(http.StatusOK, caller.Subject()+" "+c.Param("id"))
}

func TestGuard(t *testing.T) {
	t.Parallel()
	issuer, auth, seen := newAuth(t)
	guard, router := ginguard.New(auth), newEngine()
	var inner protected
	api := router.Group("/api")
	guard.Handle(api, "GET", "/orders/:id", claims.Scopes("orders:read"), inner.serve)
	guard.Handle(api, "GET", "/reports/", claims.Permissions("reports"), inner.serve)
	guard.Handle(&router.RouterGroup, "GET", "/healthz", claims.Public(), inner.serve)
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

// A guard before a group, among others, and a decision of the handler's own.
func TestGuard_Require(t *testing.T) {
	t.Parallel()
	issuer, auth, _ := newAuth(t)
	guard, router := ginguard.New(auth), newEngine()
	var before, after int
	var inner protected
	router.Use(func(c *gin.Context) { before++ })
	group := router.Group("/", guard.Require(claims.Authenticated()), guard.Require(claims.Scopes("a")))
	group.GET("/a", func(c *gin.Context) { after++ }, inner.serve)
	group.GET("/part", func(c *gin.Context) {
		if err := claims.Allowed(c.Request.Context(), claims.Scopes("b")); err != nil {
			guard.Refuse(c, err)
		}
	}, inner.serve)
	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a"})
	assert.Equal(t, 401, ask(t, router, "GET", "/a", "").status)
	assert.Equal(t, 403, ask(t, router, "GET", "/a", issuer.Mint(claimstest.Token{})).status)
	assert.Equal(t, []int{2, 0, 0}, []int{before, after, inner.reached})
	assert.Equal(t, "alice ", ask(t, router, "GET", "/a", token).body)
	assert.Equal(t, 403, ask(t, router, "GET", "/part", token).status)
	assert.Equal(t, []int{4, 1, 1}, []int{before, after, inner.reached})
}

// Guards of nested groups name the route that has matched, and what has none,
// or has another method, is nothing that a client can name.
func TestGuard_names(t *testing.T) {
	t.Parallel()
	issuer, auth, seen := newAuth(t)
	guard, router := ginguard.New(auth), newEngine()
	router.HandleMethodNotAllowed = true
	router.Use(guard.Require(claims.Authenticated()))
	var inner protected
	tenant := router.Group("/tenants/:tenant", guard.Require(claims.Authenticated()))
	guard.Handle(tenant.Group("/orders"), "GET", "/:id", claims.Scopes("a"), inner.serve)
	guard.Handle(tenant, "GET", "/files/*path", claims.Scopes("a"), inner.serve)
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
		{"GET", "/tenants/t/files/a/b", "", 401, []string{"GET /tenants/:tenant/files/*path"}},
		{"GET", "/tenants/t/none", token, 404, []string{""}},
		{"GET", "/secret", "", 401, []string{""}},
		{"DELETE", "/tenants/t/orders/7", token, 405, []string{""}},
		{"CHOSEN", "/tenants/t/orders/7", token, 405, []string{""}},
	} {
		assert.Equal(t, row.status, ask(t, router, row.method, row.path, row.token).status, row.path)
		names := seen.take()
		assert.Equal(t, row.want, names, "%s %s", row.method, row.path)
		if names[0] != "" {
			assert.Contains(t, table.Markdown(), "`"+names[0]+"`")
		}
	}
}

// A middleware outside that has announced a coding is left its announcement.
func TestGuard_compressed(t *testing.T) {
	t.Parallel()
	_, auth, _ := newAuth(t)
	guard, router := ginguard.New(auth), newEngine()
	router.Use(func(c *gin.Context) {
		coder := gzip.NewWriter(c.Writer)
		c.Header("Content-Encoding", "gzip")
		c.Writer = &coded{c.Writer, coder}
		c.Next()
		assert.NoError(t, coder.Close())
	})
	var inner protected
	guard.Handle(&router.RouterGroup, "GET", "/a", claims.Authenticated(), inner.serve)
	got := ask(t, router, "GET", "/a", "")
	assert.Equal(t, 401, got.status)
	assert.Contains(t, got.body, `"reason":"no_token"`)
}

type coded struct {
	gin.ResponseWriter
	coder io.Writer
}

func (c *coded) Write(b []byte) (int, error) { return c.coder.Write(b) }

// The audit names what Handle has not registered.
func TestGuard_Audit(t *testing.T) {
	t.Parallel()
	_, auth, _ := newAuth(t)
	guard, router := ginguard.New(auth), newEngine()
	var inner protected
	guard.Handle(router.Group("/a"), "GET", "", claims.Public(), inner.serve)
	guard.Handle(router.Group("/b/"), "POST", "/c/", claims.Public(), inner.serve)
	guard.Handle(&router.RouterGroup, "GET", "/", claims.Public(), inner.serve)
	_, err := guard.Audit(router)
	require.NoError(t, err)
	router.DELETE("/a", inner.serve)
	_, err = guard.Audit(router)
	assert.ErrorContains(t, err, "httpmw: route DELETE /a has no requirement")
}

// What not to do: the guard refuses, gin goes on, and the handler runs. All
// that is left is that nothing which it writes reaches the client.
func TestWrongWay(t *testing.T) {
	t.Parallel()
	issuer, auth, _ := newAuth(t)
	router := newEngine()
	var inner protected
	router.Use(func(c *gin.Context) {
		auth.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
	})
	router.GET("/a", inner.serve)
	got := ask(t, router, "GET", "/a", "")
	assert.Equal(t, 401, got.status)
	assert.Equal(t, 1, inner.reached, "it runs all the same")
	assert.NotContains(t, got.body, "nobody")
	got = ask(t, router, "GET", "/a", issuer.Mint(claimstest.Token{Subject: "alice"}))
	assert.Equal(t, "alice ", got.body)
}
