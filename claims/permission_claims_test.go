package claims_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

type claimSet = map[string]any

func manyClients() claimSet {
	clients := claimSet{
		"orders": claimSet{"roles": []string{"a"}}, "web": claimSet{"roles": []string{"b"}},
	}
	for i := range 20 {
		clients[fmt.Sprint("client", i)] = claimSet{}
	}
	return clients
}

func TestPermissionClaims(t *testing.T) {
	t.Parallel()
	table := map[string][]string{"admin": {"orders:read", "orders:refund"}, "clerk": {"orders:read"}}
	for name, row := range map[string]struct {
		claims []string
		table  map[string][]string
		token  claimSet
		want   []string
	}{
		"none asked for": {nil, nil, claimSet{"permissions": []string{"a"}}, nil},
		"array": {
			[]string{"permissions"}, nil, claimSet{"permissions": []string{"a", "b"}},
			[]string{"a", "b"},
		},
		"string": {[]string{"role"}, nil, claimSet{"role": "a b"}, []string{"a b"}},
		"scope":  {[]string{"scp"}, nil, claimSet{"scp": "a b"}, []string{"a", "b"}},
		"scope by its other name": {
			[]string{"scope"}, nil, claimSet{"scope": "a b"}, []string{"a", "b"},
		},
		"missing":      {[]string{"permissions"}, nil, claimSet{}, nil},
		"number":       {[]string{"permissions"}, nil, claimSet{"permissions": 1}, nil},
		"null":         {[]string{"permissions"}, nil, claimSet{"permissions": nil}, nil},
		"object":       {[]string{"permissions"}, nil, claimSet{"permissions": claimSet{"a": 1}}, nil},
		"mixed array":  {[]string{"permissions"}, nil, claimSet{"permissions": []any{"a", 1}}, nil},
		"empty string": {[]string{"permissions"}, nil, claimSet{"permissions": []any{""}}, nil},
		"path": {
			[]string{"realm_access.roles"}, nil,
			claimSet{"realm_access": claimSet{"roles": []string{"a"}}}, []string{"a"},
		},
		"deeper path": {
			[]string{"resource_access.orders.roles"}, nil,
			claimSet{"resource_access": claimSet{"orders": claimSet{"roles": []string{"a"}}}},
			[]string{"a"},
		},
		"path through no object": {
			[]string{"realm_access.roles"}, nil, claimSet{"realm_access": "roles"}, nil,
		},
		"name with dots": {
			[]string{"https://acme.example/roles"}, nil,
			claimSet{"https://acme.example/roles": []string{"a"}}, []string{"a"},
		},
		"every name": {
			[]string{"resource_access.*.roles"}, nil,
			claimSet{"resource_access": claimSet{
				"shop":   claimSet{"roles": []string{"b", ""}},
				"orders": claimSet{"roles": []string{"b", "a"}},
				"other":  claimSet{"groups": []string{"a"}},
				"none":   "roles",
			}},
			[]string{"orders:b", "orders:a", "shop:b"},
		},
		"every name, of more than fit without a map": {
			[]string{"*.roles"}, nil, manyClients(), []string{"orders:a", "web:b"},
		},
		"every name, with colons in some": {
			[]string{"*.roles"}, nil,
			claimSet{"orders:x": claimSet{"roles": []string{"a"}}, "x": claimSet{"roles": []string{"a"}}},
			[]string{"orders%3Ax:a", "x:a"},
		},
		"every name at two depths": {
			[]string{"x.*.*.y"}, nil,
			claimSet{"x": claimSet{"a": claimSet{"b": claimSet{"y": "c"}, "y": "d"}, "y": []string{"e"}}},
			[]string{"a:b:c"},
		},
		"every name, by the table": {
			[]string{"*.roles"}, map[string][]string{"orders:admin": {"orders:refund"}},
			claimSet{
				"orders": claimSet{"roles": []string{"admin"}}, "shop": claimSet{"roles": []string{"admin"}},
			},
			[]string{"orders:refund"},
		},
		"several": {
			[]string{"permissions", "roles"}, nil,
			claimSet{"permissions": []string{"a", "b"}, "roles": []string{"b", "c"}},
			[]string{"a", "b", "c"},
		},
		"table": {
			[]string{"roles"}, table, claimSet{"roles": []string{"clerk", "admin", "orders:delete"}},
			[]string{"orders:read", "orders:refund"},
		},
		"null, and a table with an empty value": {
			[]string{"roles"}, map[string][]string{"": {"a"}}, claimSet{"roles": nil}, nil,
		},
		"empty table": {
			[]string{"roles"}, map[string][]string{}, claimSet{"roles": []string{"admin"}}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := newIssuer(t, claimstest.Config{})
			verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
				cfg.PermissionClaims, cfg.PermissionMap = row.claims, row.table
			})
			caller, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(
				claimstest.Token{Claims: row.token})))
			require.NoError(t, err)
			assert.Equal(t, append([]string{}, row.want...), caller.Permissions())
			for _, permission := range row.want {
				assert.True(t, slices.Contains(caller.Permissions(), permission))
				assert.NoError(t, claims.Permissions(permission).Check(t.Context(), caller))
			}
			assert.False(t, slices.Contains(caller.Permissions(), "orders:delete"))
		})
	}
}

// Each issuer's claims mean what that issuer's Config says.
func TestPermissionClaims_perIssuer(t *testing.T) {
	t.Parallel()
	a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
	b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
	ofA, ofB := configOf(t, a), configOf(t, b)
	ofA.PermissionClaims = []string{"roles"}
	ofA.PermissionMap = map[string][]string{"admin": {"orders:refund"}}
	ofB.PermissionClaims = []string{"permissions"}
	issuers, err := claims.NewIssuers(ofA, ofB)
	require.NoError(t, err)
	ofA.PermissionMap["admin"][0] = "changed"
	token := claimstest.Token{Claims: claimSet{
		"roles": []string{"admin"}, "permissions": []string{"orders:read"},
	}}
	caller, err := issuers.Authenticate(t.Context(), bearer(a.Mint(token)))
	require.NoError(t, err)
	assert.Equal(t, []string{"orders:refund"}, caller.Permissions())
	caller, err = issuers.Authenticate(t.Context(), bearer(b.Mint(token)))
	require.NoError(t, err)
	assert.Equal(t, []string{"orders:read"}, caller.Permissions())
}

func TestPermissionClaims_mistakes(t *testing.T) {
	t.Parallel()
	_, err := claims.NewVerifier(claims.Config{
		Issuer: "https://a.example", Audiences: []string{"a"}, PermissionClaims: []string{""},
	})
	assert.ErrorContains(t, err, "Config.PermissionClaims")
	_, err = claims.NewVerifier(claims.Config{
		Issuer: "https://a.example", Audiences: []string{"a"}, PermissionMap: map[string][]string{},
	})
	assert.ErrorContains(t, err, "Config.PermissionMap")
}

// A table that changes is another Config, also where it becomes empty.
func TestPermissionMap_changes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a")
		var table map[string][]string
		tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
			cfg, err := d.resolve(ctx, issuer)
			cfg.PermissionClaims, cfg.PermissionMap = []string{"roles"}, table
			return cfg, err
		}, claims.TenantsConfig{})
		require.NoError(t, err)
		for _, step := range []struct {
			table map[string][]string
			want  []string
		}{
			{nil, []string{"admin"}},
			{map[string][]string{}, []string{}},
			{map[string][]string{"admin": {"a"}}, []string{"a"}},
			{map[string][]string{"admin": {"b"}}, []string{"b"}},
			{nil, []string{"admin"}},
		} {
			table = step.table
			var got []string
			for range 2 {
				caller, err := tenants.Authenticate(t.Context(), bearer(
					d.issuers["https://a.example"].Mint(claimstest.Token{
						Claims: claimSet{"roles": []string{"admin"}},
					})))
				require.NoError(t, err)
				synctest.Wait()
				got = caller.Permissions()
			}
			assert.Equal(t, step.want, got)
			time.Sleep(5 * time.Minute)
		}
	})
}

// If what is put before values makes them too long, nothing is granted,
// whatever was found before.
func TestPermissionClaims_tooLong(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.PermissionClaims = []string{"permissions", "resource_access.*.roles"}
	})
	for name, row := range map[string]struct{ length, want int }{"as they are": {20, 201}, "too long": {2000, 0}} {
		var roles []string
		for i := range 200 {
			roles = append(roles, fmt.Sprint(i))
		}
		caller, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{Claims: claimSet{
			"permissions":     []string{"p"},
			"resource_access": claimSet{strings.Repeat("c", row.length): claimSet{"roles": roles}},
		}})))
		require.NoError(t, err)
		assert.Len(t, caller.Permissions(), row.want, name)
	}
}
