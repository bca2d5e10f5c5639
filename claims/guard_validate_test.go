package claims_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// granter returns a verifier whose tokens grant permissions by these fields.
func granter(t testing.TB, url string, paths []string, table map[string][]string) *claims.Verifier {
	t.Helper()
	return newVerifier(t, newIssuer(t, claimstest.Config{URL: url}), func(cfg *claims.Config) {
		cfg.PermissionClaims, cfg.PermissionMap = paths, table
	})
}

// embedding authenticates in a way of its own.
type embedding struct{ *claims.Verifier }

func (embedding) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return nil, claims.ErrNoToken
}

// What nobody can ever meet, for lack of anything that grants it, is told at
// start.
func TestGuard_Validate(t *testing.T) {
	t.Parallel()
	const (
		a, b    = "https://a.example", "https://b.example"
		noToken = `no token grants "x" by Config.PermissionClaims and PermissionMap`
		noPlace = `only a PermissionSource grants "x" in a workspace`
	)
	none, byClaim := granter(t, a, nil, nil), granter(t, b, []string{"permissions"}, nil)
	byTable := granter(t, a, []string{"roles"}, map[string][]string{"admin": {"y", "x"}})
	byOther := granter(t, a, []string{"roles"}, map[string][]string{"admin": {"y"}})
	issuers := func(paths ...[]string) *claims.Issuers {
		var configs []claims.Config
		for i, path := range paths {
			cfg := configOf(t, newIssuer(t, claimstest.Config{URL: []string{a, b}[i]}))
			cfg.PermissionClaims = path
			configs = append(configs, cfg)
		}
		issuers, err := claims.NewIssuers(configs...)
		require.NoError(t, err)
		return issuers
	}
	emptied := issuers(nil)
	emptied.Remove(a)
	tenants, err := claims.NewTenants(
		func(context.Context, string) (claims.Config, error) { return claims.Config{}, nil },
		claims.TenantsConfig{})
	require.NoError(t, err)
	foreign := authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) {
		return nil, claims.ErrNoToken
	})
	x, scope := claims.Permissions("x"), claims.Scopes("s")
	in := func(needs claims.Requirement) claims.Requirement { return claims.InWorkspace("w", needs) }
	source := granting(claims.Grants{})
	for _, tt := range []struct {
		name   string
		auth   claims.Authenticator
		source claims.PermissionSource
		needs  claims.Requirement
		want   string // empty if it can be met, as far as is known
	}{
		{name: "neither", auth: none, needs: x, want: noToken},
		{name: "a source", auth: none, source: source, needs: x},
		{name: "a claim", auth: byClaim, needs: x},
		{name: "a table that has it", auth: byTable, needs: x},
		{name: "a table without it", auth: byOther, needs: x, want: noToken},
		{name: "a table without it, and a source", auth: byOther, source: source, needs: x},
		{name: "all of two", auth: byOther, needs: claims.Permissions("y", "x"), want: noToken},
		{name: "any of two", auth: byOther, needs: claims.AnyPermission("y", "x")},
		{name: "any of none", auth: none, needs: claims.AnyPermission("x", "y"), want: `no token grants "x", "y"`},
		{name: "issuers, none of which", auth: issuers(nil, nil), needs: x, want: noToken},
		{name: "issuers, one of which", auth: issuers(nil, []string{"roles"}), needs: x},
		{name: "issuers that are to come", auth: emptied, needs: x},
		{name: "tenants", auth: tenants, needs: x},
		{name: "another's Authenticator", auth: foreign, needs: x},
		{name: "one that embeds a Verifier", auth: embedding{none}, needs: x},
		{name: "the first of two, neither", auth: claims.FirstOf(none, byOther), needs: x, want: noToken},
		{name: "the first of two, one", auth: claims.FirstOf(none, byClaim), needs: x},
		{name: "the first of two, one not known", auth: claims.FirstOf(none, foreign), needs: x},
		{name: "no permission", auth: none, needs: claims.All(scope, claims.ACR("1"))},
		{name: "nothing", auth: none, needs: claims.Authenticated()},
		{name: "public", auth: none, needs: claims.Public()},
		{name: "all", auth: none, needs: claims.All(scope, x), want: noToken},
		{name: "any, with a scope", auth: none, needs: claims.AnyOf(x, scope)},
		{name: "any, with a scope last, once more", auth: none, needs: claims.All(claims.AnyOf(x, scope), scope)},
		{name: "any, both never", auth: none, needs: claims.AnyOf(x, claims.All(scope, x)), want: noToken},
		{name: "any, one by a table", auth: byOther, needs: claims.AnyOf(x, claims.Permissions("y"))},
		{name: "report only", auth: none, needs: claims.ReportOnly(x), want: noToken},
		{name: "report only, of what can be met", auth: none, needs: claims.ReportOnly(claims.AnyOf(x, scope))},
		{name: "report only, by a claim", auth: byClaim, needs: claims.All(scope, claims.ReportOnly(x))},
		{name: "in a workspace", auth: byClaim, needs: in(x), want: noPlace},
		{name: "in a workspace, of a table", auth: byTable, needs: in(claims.All(scope, x)), want: noPlace},
		{name: "in a workspace, of anybody", auth: foreign, needs: in(x), want: noPlace},
		{name: "in a workspace, of tenants", auth: tenants, needs: inNamed(x), want: noPlace},
		{name: "in a workspace, by a source", auth: none, source: source, needs: in(x)},
		{name: "in a workspace or out of it", auth: byClaim, needs: claims.AnyOf(in(x), x)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			guard, err := claims.NewGuard(tt.auth, claims.GuardConfig{Permissions: tt.source})
			require.NoError(t, err)
			err = guard.Validate(claims.Operation{Name: "GET /x", Requirement: tt.needs}, (*message)(nil))
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "claims: "+tt.needs.String()+" can never be met: ")
		})
	}
}

// Everything is told at once.
func TestGuard_Validate_allAtOnce(t *testing.T) {
	t.Parallel()
	guard, err := claims.NewGuard(granter(t, "https://a.example", nil, nil), claims.GuardConfig{})
	require.NoError(t, err)
	needs := claims.All(
		claims.Scopes(), claims.Permissions("p"), inNamed(claims.Permissions("q")),
		claims.Permissions("p", "r"),
	)
	err = guard.Validate(claims.Operation{Requirement: needs}, "no message")
	for _, want := range []string{"Scopes", `grants "p", "r" by`, `grants "q" in a workspace`, "wants a"} {
		assert.ErrorContains(t, err, want)
	}
	err = guard.Validate(claims.Operation{Requirement: needs}, nil)
	assert.NotContains(t, err.Error(), "wants a", "of a request whose type nobody knows")
	assert.ErrorContains(t, err, `grants "p", "r" by`)
	for _, unmade := range []*claims.Guard{nil, {}} {
		assert.NoError(t, unmade.Validate(claims.Operation{Requirement: claims.Permissions("p")}, nil),
			"who asks a zero Guard is refused anyway")
	}
}
