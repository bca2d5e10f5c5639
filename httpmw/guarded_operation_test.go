package httpmw_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// What all goes to one path is told apart by whoever knows, and recorded by the
// names of those.
func TestMiddleware_RequireFor(t *testing.T) {
	t.Parallel()
	issuer, _ := guard(t)
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	assert.NoError(t, err)
	var seen []claims.Decision
	auth := httpmw.New(verifier, httpmw.Config{
		Observer:  func(_ context.Context, d claims.Decision) { seen = append(seen, d) },
		Operation: func(*http.Request) string { return "the router's" },
	})
	needs := claims.Scopes("a")
	for protocol, want := range map[string]string{"": "HTTP", "MCP": "MCP"} {
		for name, token := range map[string]string{"granted": "a", "lacking": "b"} {
			spy := &spy{}
			handler := auth.RequireFor(claims.Operation{Protocol: protocol, Name: "tools/call add", Requirement: needs})(spy)
			seen = nil
			get(t, handler, "Bearer "+issuer.Mint(claimstest.Token{Scope: token}))
			assert.Equal(t, name == "granted", spy.reached, name)
			assert.Len(t, seen, 1)
			assert.Equal(t, []string{want, "tools/call add"}, []string{seen[0].Protocol, seen[0].Operation})
			assert.True(t, seen[0].Requirement.Equal(needs))
		}
	}
	const here = "httpmw: RequireFor: "
	bad := claims.Operation{Name: "x", Requirement: claims.Scopes()}
	assert.PanicsWithValue(t, here+"claims: Scopes needs at least one scope", func() { auth.RequireFor(bad) })
	assert.PanicsWithValue(t, here+"the next handler is nil", func() { auth.RequireFor(claims.Operation{Name: "x"})(nil) })
	assert.PanicsWithValue(t, here+"the name is empty", func() { auth.RequireFor(claims.Operation{}) })
	assert.PanicsWithValue(t, here+"the Middleware was not made by New", func() { new(httpmw.Middleware).RequireFor(bad) })
}
