package claims_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
)

// lookAlikes are names that are not "orders:read", each list of which grants it
// to nobody.
var lookAlikes = []struct {
	name string
	list []string
}{
	{name: "none"},
	{name: "empty", list: []string{""}},
	{name: "space", list: []string{" "}},
	{name: "superstring", list: []string{"orders:read:all", "orders:reader", "xorders:read"}},
	{name: "prefix", list: []string{"orders", "orders:", "orders:rea"}},
	{name: "suffix", list: []string{"read", ":read", "rders:read"}},
	{name: "case", list: []string{"Orders:Read", "ORDERS:READ", "orders:Read"}},
	{name: "wildcard", list: []string{"*", "orders:*", "*:read", "**", "orders:rea?", "orders:%", "orders:rea_"}},
	{name: "regular expression", list: []string{".*", "orders.read", "^orders:read$", "orders:(read|write)"}},
	{name: "list in a string", list: []string{"orders:read orders:write", "orders:read,orders:write", "x;orders:read"}},
	{name: "parts that join", list: []string{"orders:", "read"}},
	{name: "separators", list: []string{"orders.read", "orders/read", "orders_read", "orders::read", "orders : read"}},
	{name: "space around", list: []string{" orders:read", "orders:read ", "\torders:read", "orders:read\n", "orders:read\r\n"}},
	{name: "NUL", list: []string{"orders:read\x00", "\x00orders:read", "orders:read\x00x", "orders\x00:read"}},
	{name: "Unicode spaces", list: []string{"orders:read\u00a0", "orders:read\u200b", "\ufefforders:read", "orders:\u00adread"}},
	{name: "Cyrillic", list: []string{"\u043erders:read", "orders:r\u0435ad"}},
	{name: "full width", list: []string{"orders\uff1aread", "\uff4frders:read"}},
	{name: "long s", list: []string{"order\u017f:read"}},
	{name: "combining", list: []string{"orders:read\u0301", "o\u0308rders:read"}},
	{name: "encoded", list: []string{"orders%3Aread", "orders&#58;read", `orders\u003aread`, `"orders:read"`}},
	{name: "sign", list: []string{"-orders:read", "!orders:read", "+orders:read"}},
	{name: "by workspace", list: []string{"a/orders:read", "a:orders:read", "a.orders:read"}},
}

const readOrders = "orders:read"

// lists are the ways in which an operation can need a permission.
func needing(permission string) []claims.Requirement {
	return []claims.Requirement{
		claims.Permissions(permission), claims.AnyPermission(permission), claims.AnyPermission(permission, "orders:write2"),
		claims.All(claims.Permissions(permission)), claims.AnyOf(claims.Permissions(permission), claims.Scopes("no-such")),
	}
}

func assertNobody(t *testing.T, caller *claims.Claims, by claims.PermissionSource, needs claims.Requirement) {
	t.Helper()
	_, err := ask(t.Context(), guardOf(t, caller, claims.GuardConfig{Permissions: by}), needs, &message{"a"})
	if assert.Error(t, err, "%s is allowed", needs) {
		assert.Contains(t, []error{claims.ErrForbidden, claims.ErrInsufficientScope}, claims.AsError(err).Class())
		assert.NotContains(t, claims.AsError(err).Scope(), "orders:")
	}
}

// Permissions are compared exactly, whoever grants them.
func TestPermissions_tricks(t *testing.T) {
	t.Parallel()
	for _, tt := range lookAlikes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list := append([]string{}, tt.list...)
			byToken := permitted(t, m{"sub": "alice", "permissions": list})
			plain := permitted(t, m{"sub": "alice"})
			everywhere, inOne := granting(everywhere(list...)), granting(claims.Grants{Workspaces: map[string][]string{"a": list}})
			for _, needs := range needing(readOrders) {
				assertNobody(t, byToken, nil, needs)
				assertNobody(t, byToken, inOne, needs)
				assertNobody(t, plain, everywhere, needs)
				assertNobody(t, plain, cacheOf(t, everywhere, claims.PermissionCacheConfig{}), needs)
				assertNobody(t, plain, everywhere, claims.InWorkspace("a", needs))
				assertNobody(t, byToken, inOne, claims.InWorkspace("a", needs))
				assertNobody(t, plain, inOne, inNamed(needs))
				assertNobody(t, plain, cacheOf(t, inOne, claims.PermissionCacheConfig{}), inNamed(needs))
			}
		})
	}
}

// What stands in the permissions claim may be of any type, and grants nothing
// then.
func TestPermissions_otherTypes(t *testing.T) {
	t.Parallel()
	for _, value := range []any{
		nil, 1, true, m{readOrders: true}, []any{readOrders, 1}, []any{[]string{readOrders}},
		[]any{m{"name": readOrders}}, "orders:read orders:write", "", []any{nil},
	} {
		caller := permitted(t, m{"sub": "alice", "permissions": value})
		for _, needs := range needing(readOrders) {
			assertNobody(t, caller, nil, needs)
		}
	}
}

// Permissions that hold in one workspace hold in none whose name is like it.
func TestWorkspaces_tricks(t *testing.T) {
	t.Parallel()
	for _, granted := range []string{"a", "a/b", "acme"} {
		source := granting(claims.Grants{Workspaces: map[string][]string{granted: {readOrders}}})
		cached := cacheOf(t, source, claims.PermissionCacheConfig{})
		caller := permitted(t, m{"sub": "alice", "permissions": []string{readOrders}})
		for _, name := range []string{
			"", "A", "a/", "/a", "a/b/", "a/b/c", "b", " a", "a ", "a\x00", "\x00a", "*", "**", "a*", "?", "%", "_", "a/*", ".",
			"./a", "a/.", "a/../a", "..", "acm", "acme2", "Acme", "ACME", "acme.", "acme\n", "\u0430", "\uff41", "a\u200b",
			"a\u0301", "%61", "a,acme", "a acme", "[a]", `"a"`, "null", "default", "a\\b", "a:b", "\xff", "a\xff",
		} {
			if name == granted {
				continue
			}
			for _, by := range []claims.PermissionSource{source, cached} {
				assertWorkspaceShut(t, caller, by, name)
			}
		}
		for _, by := range []claims.PermissionSource{source, cached} {
			_, err := ask(t.Context(), guardOf(t, caller, claims.GuardConfig{Permissions: by}),
				claims.InWorkspace(granted, claims.Permissions(readOrders)), nil)
			assert.NoError(t, err, "the one it is granted in")
		}
	}
	// Names of workspaces that a source gives and that no request can have.
	for _, odd := range []string{"", "*", "%", ".*"} {
		source := granting(claims.Grants{Workspaces: map[string][]string{odd: {readOrders}}})
		assertWorkspaceShut(t, permitted(t, m{"sub": "alice"}), source, "a")
		assertWorkspaceShut(t, permitted(t, m{"sub": "alice"}), source, "")
		assertNobody(t, permitted(t, m{"sub": "alice"}), source, claims.Permissions(readOrders))
	}
}

func assertWorkspaceShut(t *testing.T, caller *claims.Claims, by claims.PermissionSource, name string) {
	t.Helper()
	guard := guardOf(t, caller, claims.GuardConfig{Permissions: by})
	for _, needs := range []claims.Requirement{
		claims.InWorkspace(name, claims.Permissions(readOrders)), inNamed(claims.AnyPermission("x", readOrders)),
	} {
		_, err := ask(t.Context(), guard, needs, &message{name})
		if assert.Error(t, err, "%q: %s is allowed", name, needs) {
			assert.Equal(t, claims.ErrForbidden, claims.AsError(err).Class(), "%q", name)
		}
	}
}

// A grant to one principal is no grant to another that looks like it.
func TestPrincipals_tricks(t *testing.T) {
	t.Parallel()
	alice := claims.Principal{Issuer: "https://issuer.example", Subject: "alice", ClientID: "shop"}
	cache := cacheOf(t, source(func(_ context.Context, who claims.Principal) (claims.Grants, error) {
		if who == alice {
			return everywhere(readOrders), nil
		}
		return claims.Grants{}, nil
	}), claims.PermissionCacheConfig{})
	guarded := func(iss, sub, client string) error {
		caller := says(t, m{"iss": iss, "sub": sub, "client_id": client})
		_, err := ask(t.Context(), guardOf(t, caller, claims.GuardConfig{Permissions: cache}), claims.Permissions(readOrders), nil)
		return err
	}
	for range 2 { // asked, and remembered
		assert.NoError(t, guarded(alice.Issuer, "alice", "shop"))
		for _, tt := range []claims.Principal{
			{Issuer: "https://issuer.example/", Subject: "alice", ClientID: "shop"},
			{Issuer: "https://Issuer.example", Subject: "alice", ClientID: "shop"},
			{Issuer: "https://evil.example", Subject: "alice", ClientID: "shop"},
			{Subject: "alice", ClientID: "shop"},
			{Issuer: alice.Issuer, Subject: "Alice", ClientID: "shop"},
			{Issuer: alice.Issuer, Subject: "alice ", ClientID: "shop"},
			{Issuer: alice.Issuer, Subject: "alice\x00", ClientID: "shop"},
			{Issuer: alice.Issuer, Subject: "aliceshop"},
			{Issuer: alice.Issuer, ClientID: "aliceshop"},
			{Issuer: alice.Issuer, Subject: "shop", ClientID: "alice"},
			{Issuer: alice.Issuer, Subject: "alice"},
			{Issuer: alice.Issuer, ClientID: "shop"},
			{Issuer: alice.Issuer, ClientID: "alice"},
			{Issuer: alice.Issuer + "alice", ClientID: "shop"},
		} {
			assertRefusal(t, claims.ErrForbidden, guarded(tt.Issuer, tt.Subject, tt.ClientID), "%+v", tt)
		}
	}
}
