package claims_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
)

func TestAccessTable_Scopes(t *testing.T) {
	t.Parallel()
	tree := claims.Func("tree", func(context.Context, *claims.Claims) (bool, error) { return true, nil })
	for name, row := range map[string]struct {
		table claims.AccessTable
		want  []string
	}{
		"empty":     {nil, nil},
		"no scopes": {operations(claims.Public(), claims.Authenticated(), claims.Permissions("x"), tree), nil},
		"once, sorted": {
			operations(claims.Scopes("b", "a"), claims.Scopes("a", "c")), []string{"a", "b", "c"},
		},
		"each alternative": {operations(claims.AnyScope("b", "a")), []string{"a", "b"}},
		"inside": {
			operations(claims.All(
				claims.Scopes("a"),
				claims.AnyOf(claims.Scopes("b"), claims.All(claims.Scopes("c"), claims.ACR("gold"))),
			)),
			[]string{"a", "b", "c"},
		},
		"on trial": {
			operations(claims.All(claims.Scopes("a"), claims.ReportOnly(claims.Scopes("b")))),
			[]string{"a"},
		},
		"refuses everybody": {operations(claims.Scopes(`"`)), nil},
	} {
		assert.Equal(t, row.want, row.table.Scopes(), name)
	}
}

func operations(needs ...claims.Requirement) (table claims.AccessTable) {
	for _, r := range needs {
		table = append(table, claims.Operation{Protocol: "HTTP", Name: "GET /", Requirement: r})
	}
	return table
}
