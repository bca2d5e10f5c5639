package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
)

// query sends a GraphQL query and returns the answer.
func (c *caller) query(t *testing.T, query string) demotest.Answer {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	require.NoError(t, err)
	return c.send(t, "POST", "/graphql", string(body))
}

func TestGraphQL_showsWhatTheCallerMaySee(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := start(t, "-database", db.name)
		const all = `{workspaces{name orders{number item quantity priceCents marginCents}}}`

		got := s.caller(t, "berlin-shop").query(t, all)
		assert.Equal(t, 200, got.Status)
		assert.JSONEq(t, `{
			"data": {"workspaces": [{"name": "berlin", "orders": [
				{"number":1,"item":"tea","quantity":1,"priceCents":500,"marginCents":null},
				{"number":2,"item":"coffee","quantity":1,"priceCents":500,"marginCents":null}
			]}]},
			"errors": [{
				"message": "The caller is not permitted to do this.",
				"path": ["workspaces", 0, "orders", 0, "marginCents"],
				"extensions": {"code": "FORBIDDEN"}
			}, {
				"message": "The caller is not permitted to do this.",
				"path": ["workspaces", 0, "orders", 1, "marginCents"],
				"extensions": {"code": "FORBIDDEN"}
			}]
		}`, sortedErrors(t, got))

		got = s.caller(t, "head-office").query(t, all)
		assert.JSONEq(t, `{"data": {"workspaces": [
			{"name": "berlin", "orders": [
				{"number":1,"item":"tea","quantity":1,"priceCents":500,"marginCents":120},
				{"number":2,"item":"coffee","quantity":1,"priceCents":500,"marginCents":120}
			]},
			{"name": "paris", "orders": [
				{"number":1,"item":"tea","quantity":1,"priceCents":500,"marginCents":120},
				{"number":2,"item":"coffee","quantity":1,"priceCents":500,"marginCents":120}
			]}
		]}}`, got.Body)
	})
}

// sortedErrors returns the body with its two errors, which have no order, in
// that of their paths.
func sortedErrors(t *testing.T, a demotest.Answer) string {
	t.Helper()
	var body struct {
		Data   json.RawMessage `json:"data"`
		Errors []struct {
			Message    string         `json:"message"`
			Path       []any          `json:"path"`
			Extensions map[string]any `json:"extensions"`
		} `json:"errors"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.Body), &body))
	require.Len(t, body.Errors, 2)
	if body.Errors[0].Path[3] == 1.0 {
		body.Errors[0], body.Errors[1] = body.Errors[1], body.Errors[0]
	}
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return string(text)
}

func TestGraphQL_oneWorkspace(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := start(t, "-database", db.name)
		shop := s.caller(t, "berlin-shop")
		got := shop.query(t, `{
			mine: workspace(name: "berlin") {orders(after: 1) {item}}
			other: workspace(name: "paris") {orders {item}}
		}`)
		assert.Equal(t, 200, got.Status)
		assert.JSONEq(t, `{
			"data": {"mine": {"orders": [{"item": "coffee"}]}, "other": null},
			"errors": [{
				"message": "The caller is not permitted to do this.",
				"path": ["other"],
				"extensions": {"code": "FORBIDDEN"}
			}]
		}`, got.Body)
		for _, name := range []string{"", "Berlin", `berlin\u0000`, " berlin"} {
			got := shop.query(t, `{workspace(name: "`+name+`") {name}}`)
			assert.Contains(t, got.Body, `"code":"FORBIDDEN"`, "%q", name)
			assert.Contains(t, got.Body, `"data":{"workspace":null}`, "%q", name)
		}
		got = s.caller(t, "head-office").query(t, `{
			workspace(name: "berlin\u0000") {orders {item}}
			nowhere: workspace(name: "") {name}
		}`)
		assert.Contains(t, got.Body, `"data":{"workspace":{"orders":null},"nowhere":null}`)
		assert.Contains(t, got.Body, `"code":"BAD_USER_INPUT"`)
		assert.Contains(t, got.Body, `"code":"FORBIDDEN"`)
	})
}

func TestGraphQL_manyWorkspaces(t *testing.T) {
	t.Parallel()
	s := start(t)
	office := s.caller(t, "head-office")
	for i := range 25 {
		path := "/workspaces/w" + string(rune('a'+i)) + "/orders"
		require.Equal(t, 201, office.send(t, "POST", path, tea).Status)
	}
	names := func(query string) []any {
		data := office.query(t, query).Decode(t)["data"].(map[string]any)
		return data["workspaces"].([]any)
	}
	assert.Len(t, names(`{workspaces{name}}`), 20)
	rest := names(`{workspaces(after: "wr"){name}}`) // the twentieth
	assert.Len(t, rest, 7)
	assert.Equal(t, map[string]any{"name": "ws"}, rest[0])
}

func TestGraphQL_limits(t *testing.T) {
	t.Parallel()
	s := start(t)
	shop := s.caller(t, "berlin-shop")
	var many strings.Builder
	for i := range 30 {
		many.WriteString(" w" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ": workspaces {name}")
	}
	for name, query := range map[string]string{
		"too deep":      `{__schema {types {fields {type {ofType {name}}}}}}`,
		"too long":      `{workspaces {name}}` + strings.Repeat(" ", 4000),
		"too much":      `{` + many.String() + `}`,
		"not a query":   `nonsense`,
		"empty":         ``,
		"unknown field": `{secrets}`,
		"mutation":      `mutation {x}`,
	} {
		got := shop.query(t, query)
		assert.Equal(t, 200, got.Status, name)
		body := got.Decode(t)
		assert.NotEmpty(t, body["errors"], name)
		assert.Nil(t, body["data"], "%s: %s", name, got.Body)
	}

	for _, body := range []string{``, `{"query":`, `[]`, `{"query":"{workspaces{name}}","x":1}`} {
		assert.Equal(t, 400, shop.send(t, "POST", "/graphql", body).Status, body)
	}
	assert.Equal(t, 413, shop.query(t, strings.Repeat("x", 1<<20)).Status)
	assert.Equal(t, 405, shop.get(t, "/graphql").Status)
	body := `{"query":"{workspaces{name}}"}`
	assert.Equal(t, 401, send(t, noCredentials, "POST", s.URL+"/graphql", body).Status)
}
