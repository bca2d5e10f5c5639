package claims_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func ExampleAccessTable() {
	table := claims.NewAccessTable(
		[]claims.Operation{ // httpmw.ServeMux.Operations and httpmw.Audit.Operations return these,
			{Protocol: "HTTP", Name: "POST /orders", Requirement: claims.Scopes("orders:write")},
			{Protocol: "HTTP", Name: "GET /orders", Requirement: claims.Scopes("orders:read")},
			{Protocol: "HTTP", Name: "GET /healthz", Requirement: claims.Public()},
		},
		[]claims.Operation{{ // and grpcmw.Policy.Operations() these.
			Protocol:    "gRPC",
			Name:        "/orders.v1.Orders/GetOrder",
			Requirement: claims.Scopes("orders:read"),
		}},
	)
	fmt.Print(table.Markdown())
	// Output:
	// | Protocol | Operation                    | Requirement              |
	// |----------|------------------------------|--------------------------|
	// | HTTP     | `GET /healthz`               | `Public()`               |
	// | HTTP     | `GET /orders`                | `Scopes("orders:read")`  |
	// | HTTP     | `POST /orders`               | `Scopes("orders:write")` |
	// | gRPC     | `/orders.v1.Orders/GetOrder` | `Scopes("orders:read")`  |
}

func TestNewAccessTable_order(t *testing.T) {
	t.Parallel()
	want := []string{
		"HTTP DELETE\t /a", "HTTP GET /a", "HTTP POST /a", "HTTP /a/", "HTTP GET /a/b",
		"HTTP GET host.example/a", "gRPC /b.B/M", "gRPC /b.B/N",
	}
	var parts [2][]claims.Operation
	for i, name := range want {
		parts[i%2] = append([]claims.Operation{
			{Protocol: name[:4], Name: name[5:], Requirement: claims.Public()},
		}, parts[i%2]...)
	}
	before := slices.Clone(parts[0])
	table := claims.NewAccessTable(nil, parts[1], parts[0])
	var got []string
	for _, o := range table {
		got = append(got, o.Protocol+" "+o.Name)
	}
	assert.Equal(t, want, got)

	table[0].Name = "changed"
	assert.Equal(t, before, parts[0])
	assert.Equal(t, claims.NewAccessTable(parts[0], parts[1]),
		claims.NewAccessTable(parts[1], parts[0]))
}

// What names one operation twice is in the same order all the same.
func TestNewAccessTable_duplicates(t *testing.T) {
	t.Parallel()
	a := []claims.Operation{{Protocol: "HTTP", Name: "/", Requirement: claims.Scopes("a")}}
	b := []claims.Operation{{Protocol: "HTTP", Name: "/", Requirement: claims.Scopes("b")}}
	assert.Equal(t, claims.NewAccessTable(a, b), claims.NewAccessTable(b, a))
}

func TestAccessTable_nothing(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]claims.AccessTable{
		"zero value": nil, "of nothing": claims.NewAccessTable(), "empty": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(struct{ Table claims.AccessTable }{table})
			require.NoError(t, err)
			assert.Equal(t, `{"Table":[]}`, string(text))
			text, err = table.JSON()
			require.NoError(t, err)
			assert.Equal(t, "[]\n", string(text))
			assert.Equal(t, "| Protocol | Operation | Requirement |\n"+
				"|----------|-----------|-------------|\n", table.Markdown())
		})
	}
}

// No name or requirement can look like another cell, row or markup.
func TestAccessTable_Markdown_escapes(t *testing.T) {
	t.Parallel()
	allow := func(context.Context, *claims.Claims) (bool, error) { return true, nil }
	table := claims.AccessTable{
		{Protocol: "HTTP|S", Name: "GET /a|b", Requirement: claims.Func("x | y", allow)},
		{Protocol: "HTTP", Name: "GET /c\n| HTTP |\u202ed |", Requirement: claims.Permissions("é\n*")},
		{Protocol: "gRPC", Name: "/a``b", Requirement: claims.Requirement{}},
	}
	assert.Equal(t, ""+
		"| Protocol | Operation                | Requirement           |\n"+
		"|----------|--------------------------|-----------------------|\n"+
		"| HTTP\\|S  | `GET /a\\|b`              | `Func(\"x \\| y\")`      |\n"+
		"| HTTP     | `GET /c \\| HTTP \\| d \\|` | `Permissions(\"é\\n*\")` |\n"+
		"| gRPC     | ``` /a``b ```            | `Authenticated()`     |\n",
		table.Markdown())
}

func TestAccessTable_JSON(t *testing.T) {
	t.Parallel()
	table := claims.AccessTable{{
		Protocol: "HTTP", Name: "GET /a&b", Requirement: claims.Scopes("<a>"),
	}}
	text, err := table.JSON()
	require.NoError(t, err)
	assert.Equal(t, `[
  {
    "protocol": "HTTP",
    "operation": "GET /a&b",
    "requirement": "Scopes(\"<a>\")"
  }
]
`, string(text))

	for name, value := range map[string]any{
		"value": table, "pointer": &table, "operations": []claims.Operation(table),
	} {
		text, err := json.Marshal(value)
		require.NoError(t, err, name)
		assert.JSONEq(t, `[{"protocol":"HTTP","operation":"GET /a&b",`+
			`"requirement":"Scopes(\"<a>\")"}]`, string(text), name)
	}
}
