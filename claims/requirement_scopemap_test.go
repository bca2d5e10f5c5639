package claims_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// scoped returns a caller with a scope, at an issuer with this ScopeMap.
func scoped(t testing.TB, scope string, table map[string][]string) *claims.Claims {
	t.Helper()
	caller, err := claims.FromJSON(fmt.Appendf(nil, `{"sub":"a","scope":%q}`, scope), claims.Config{ScopeMap: table})
	require.NoError(t, err)
	return caller
}

// A scope stands for what the table says, as far as that leads, and for nothing
// that it only looks like.
func TestScopes_implied(t *testing.T) {
	t.Parallel()
	table := map[string][]string{
		"orders:admin": {"orders:write", "orders:delete"},
		"orders:write": {"orders:read"},
		"orders:*":     {"orders:list"},
		"a":            {"b"},
		"b":            {"c", "b"},
		"c":            {"a"},
	}
	for _, tt := range []struct {
		name  string
		scope string
		needs claims.Requirement
		asks  string // for which scope; empty if it is met
	}{
		{name: "itself", scope: "orders:admin", needs: claims.Scopes("orders:admin")},
		{name: "implied", scope: "orders:admin", needs: claims.Scopes("orders:write")},
		{name: "implied by that", scope: "orders:admin", needs: claims.Scopes("orders:read")},
		{name: "all, some of it implied", scope: "x orders:write", needs: claims.Scopes("orders:read", "x")},
		{name: "by two together", scope: "a orders:write", needs: claims.Scopes("c", "orders:read")},
		{name: "any", scope: "orders:admin", needs: claims.AnyScope("x", "orders:read")},
		{name: "in a tree", scope: "orders:admin", needs: claims.All(
			claims.AnyOf(claims.Scopes("x"), claims.Scopes("orders:delete")), claims.Scopes("orders:read"))},
		{name: "round a cycle", scope: "b", needs: claims.Scopes("a", "b", "c")},
		{name: "upwards", scope: "orders:read", needs: claims.Scopes("orders:write"), asks: "orders:write"},
		{name: "sideways", scope: "orders:write", needs: claims.Scopes("orders:delete"), asks: "orders:delete"},
		{name: "another case", scope: "orders:Admin", needs: claims.Scopes("orders:read"), asks: "orders:read"},
		{name: "prefix", scope: "orders", needs: claims.Scopes("orders:read"), asks: "orders:read"},
		{name: "longer", scope: "orders:admin:eu", needs: claims.Scopes("orders:read"), asks: "orders:read"},
		{name: "part", scope: "orders:adm", needs: claims.Scopes("orders:read"), asks: "orders:read"},
		{name: "pattern, as a name", scope: "orders:*", needs: claims.Scopes("orders:list")},
		{name: "pattern is none", scope: "orders:*", needs: claims.Scopes("orders:read"), asks: "orders:read"},
		{name: "what would match a pattern", scope: "orders:x", needs: claims.Scopes("orders:list"), asks: "orders:list"},
		{
			name: "asks for what is named, not for what implies it", scope: "x",
			needs: claims.All(claims.Scopes("x"), claims.Scopes("orders:read")), asks: "x orders:read",
		},
		{name: "a permission", scope: "orders:admin", needs: claims.AnyOf(
			claims.Permissions("orders:read"), claims.Scopes("x")), asks: "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.needs.Check(t.Context(), scoped(t, tt.scope, table))
			if tt.asks == "" {
				assert.NoError(t, err)
				return
			}
			refusal := assertRefusal(t, claims.ErrInsufficientScope, err)
			assert.Equal(t, tt.asks, refusal.Scope())
		})
	}
	assert.Equal(t, []string{"orders:write", "z", "orders:read"}, scoped(t, "orders:write z", table).Scopes())
	assert.Error(t, claims.Scopes("orders:read").Check(t.Context(), scoped(t, "orders:admin", nil)))
}

// A long chain is followed to its end, and a scope that a token repeats is
// looked up once.
func TestScopes_impliedInNumbers(t *testing.T) {
	t.Parallel()
	chain, many := map[string][]string{}, []string{}
	for i := range 1000 {
		chain[fmt.Sprint("s", i)] = []string{fmt.Sprint("s", i+1)}
		many = append(many, fmt.Sprint("t", i))
	}
	caller := scoped(t, "s0", chain)
	assert.True(t, caller.HasScope("s1000"))
	assert.Len(t, caller.Scopes(), 1001)

	caller = scoped(t, strings.Repeat("a ", 500)+strings.Join(many[:500], " "),
		map[string][]string{"a": many[500:], "t0": {"u"}})
	assert.Len(t, caller.Scopes(), 1002)
}
