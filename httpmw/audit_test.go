package httpmw_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// With any router that lists its routes, or with a list of one's own.
func ExampleAudit() {
	routes := map[string]http.Handler{
		"GET /healthz": auth.Require(claims.Public())(http.HandlerFunc(healthz)),
		"GET /orders":  auth.Require(claims.Scopes("orders:read"))(listOrders),
		"POST /orders": createOrder, // forgotten
	}
	var audit httpmw.Audit
	for pattern, handler := range routes {
		audit.Route(pattern, handler)
	}
	fmt.Print(claims.NewAccessTable(audit.Operations()).Markdown())
	fmt.Println(audit.Err())
	// Output:
	// | Protocol | Operation      | Requirement             |
	// |----------|----------------|-------------------------|
	// | HTTP     | `GET /healthz` | `Public()`              |
	// | HTTP     | `GET /orders`  | `Scopes("orders:read")` |
	// httpmw: route POST /orders has no requirement: it serves everybody; put Middleware.Require before it, with claims.Public() if it is meant to
}

// logging is a middleware that knows of no requirement.
func logging(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
}

func TestAudit_Route(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	type middleware = func(http.Handler) http.Handler
	public := auth.Require(claims.Public())
	read := auth.Require(claims.Scopes("read"))
	write := auth.Require(claims.Scopes("write"))
	inside := &spy{}
	for name, row := range map[string]struct {
		handler     http.Handler
		middlewares []middleware
		want        string // empty for a route without a requirement
	}{
		"handler":                 {read(inside), nil, `Scopes("read")`},
		"middleware":              {inside, []middleware{read}, `Scopes("read")`},
		"among other middleware":  {inside, []middleware{logging, read, logging}, `Scopes("read")`},
		"Wrap":                    {auth.Wrap(inside), nil, `Authenticated()`},
		"Wrap as middleware":      {inside, []middleware{auth.Wrap}, `Authenticated()`},
		"public":                  {public(inside), nil, `Public()`},
		"public as middleware":    {inside, []middleware{public}, `Public()`},
		"public twice":            {public(public(inside)), []middleware{public}, `Public()`},
		"public and another":      {read(inside), []middleware{public}, `Scopes("read")`},
		"another and public":      {public(inside), []middleware{read}, `Scopes("read")`},
		"several handlers":        {write(read(inside)), nil, `All(Scopes("write"), Scopes("read"))`},
		"around other middleware": {read(logging(write(inside))), nil, `Scopes("read")`},
		"everywhere": {
			read(inside), []middleware{auth.Wrap, public, write},
			`All(Scopes("write"), Scopes("read"))`,
		},
		"Wrap and more": {read(inside), []middleware{auth.Wrap, public}, `Scopes("read")`},
		"Wrap twice":    {auth.Wrap(inside), []middleware{auth.Wrap}, `Authenticated()`},
		"composed middleware": {
			inside, []middleware{func(h http.Handler) http.Handler { return write(read(h)) }},
			`All(Scopes("write"), Scopes("read"))`,
		},
		"nothing":               {inside, nil, ""},
		"nothing that counts":   {inside, []middleware{logging}, ""},
		"no handler":            {nil, nil, ""},
		"hidden in a handler":   {logging(read(inside)), nil, ""},
		"hidden in a function":  {http.HandlerFunc(read(inside).ServeHTTP), nil, ""},
		"middleware of nothing": {inside, []middleware{func(http.Handler) http.Handler { return nil }}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var audit httpmw.Audit
			audit.Route("GET /a", row.handler, row.middlewares...)
			if row.want == "" {
				assert.Empty(t, audit.Operations())
				assert.ErrorContains(t, audit.Err(), "httpmw: route GET /a has no requirement")
				return
			}
			require.NoError(t, audit.Err())
			require.Len(t, audit.Operations(), 1)
			got := audit.Operations()[0]
			assert.Equal(t, "HTTP", got.Protocol)
			assert.Equal(t, "GET /a", got.Name)
			assert.Equal(t, row.want, got.Requirement.String())
			assert.NoError(t, got.Requirement.Validate())
		})
	}
	assert.False(t, inside.reached, "an audit makes no request")
}

func TestAudit_Err_namesEveryRoute(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	var audit httpmw.Audit
	assert.EqualError(t, audit.Err(), "httpmw: the audit was shown no route")
	assert.Empty(t, audit.Operations())
	for _, pattern := range []string{"GET /c", "GET /a"} {
		audit.Route(pattern, &spy{})
	}
	audit.Route("POST /b", auth.Wrap(&spy{}))
	audit.Route("GET /b", auth.Wrap(&spy{}))
	const advice = " has no requirement: it serves everybody; " +
		"put Middleware.Require before it, with claims.Public() if it is meant to"
	assert.EqualError(t, audit.Err(),
		"httpmw: route GET /a"+advice+"\nhttpmw: route GET /c"+advice)

	routes := audit.Operations()
	require.Len(t, routes, 2)
	assert.Equal(t, "GET /b", routes[0].Name)
	routes[0].Name = "changed"
	assert.Equal(t, "GET /b", audit.Operations()[0].Name)
}

// No token can have both at once, so the route serves nobody.
func TestAudit_Err_impossible(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	var audit httpmw.Audit
	for _, pattern := range []string{"GET /b", "GET /a"} {
		audit.Route(pattern, auth.Require(claims.ACR("x"))(&spy{}), auth.Require(claims.ACR("y")))
	}
	assert.Len(t, audit.Operations(), 2)
	assert.EqualError(t, audit.Err(),
		`httpmw: route GET /a: claims: All(ACR("y"), ACR("x")): no acr meets all of its parts`+"\n"+
			`httpmw: route GET /b: claims: All(ACR("y"), ACR("x")): no acr meets all of its parts`)
}

// What granted a permission when the route was made may be gone when the routes
// are audited.
func TestAudit_Err_permissionThatNothingGrants(t *testing.T) {
	t.Parallel()
	issuers, err := claims.NewIssuers(
		plainConfig("https://a.example", []string{"permissions"}), plainConfig("https://b.example", nil))
	require.NoError(t, err)
	guarded := httpmw.New(issuers, httpmw.Config{}).Require(claims.Permissions("x"))
	var before, after httpmw.Audit
	before.Route("GET /a", &spy{}, guarded)
	require.NoError(t, before.Err())
	issuers.Remove("https://a.example")
	after.Route("GET /a", &spy{}, guarded)
	assert.ErrorContains(t, after.Err(), `httpmw: route GET /a: claims: Permissions("x") can never be met`)
	assert.Len(t, after.Operations(), 1)
}

// What the audit says that a route needs is what a request to it needs.
func TestAudit_Route_isWhatARequestNeeds(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	handler := auth.Require(claims.Scopes("read"))(auth.Require(claims.Scopes("write"))(&spy{}))
	var audit httpmw.Audit
	audit.Route("GET /", handler)
	needs := audit.Operations()[0].Requirement
	for scope, status := range map[string]int{
		"read write": http.StatusNoContent, "read": http.StatusForbidden, "write": http.StatusForbidden,
	} {
		token := issuer.Mint(claimstest.Token{Scope: scope})
		assert.Equal(t, status, get(t, handler, "Bearer "+token).status, scope)
		assert.Equal(t, status, get(t, auth.Require(needs)(&spy{}), "Bearer "+token).status, scope)
	}
	assert.Equal(t, http.StatusNoContent,
		get(t, auth.Require(claims.Public())(&spy{}), "Bearer junk").status)
}
