package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const tea = `{"item":"tea","quantity":3,"price_cents":500,"margin_cents":120}`

func TestREST_twoCallers(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := start(t, "-database", db.name)
		shop, office := s.caller(t, "berlin-shop"), s.caller(t, "head-office")

		got := shop.get(t, "/workspaces/berlin/orders")
		assert.Equal(t, 200, got.Status)
		assert.JSONEq(t, `{"orders":[
			{"number":1,"item":"tea","quantity":1,"price_cents":500},
			{"number":2,"item":"coffee","quantity":1,"price_cents":500}
		]}`, got.Body)
		got = office.get(t, "/workspaces/paris/orders?after=1")
		assert.Equal(t, 200, got.Status)
		assert.JSONEq(t, `{"orders":[
			{"number":2,"item":"coffee","quantity":1,"price_cents":500,"margin_cents":120}
		]}`, got.Body)

		for _, op := range []struct {
			method, path string
			shop, office int
		}{
			{"GET", "/healthz", 200, 200},
			{"GET", "/workspaces/paris/orders", 403, 200},
			{"POST", "/workspaces/berlin/orders", 201, 201},
			{"POST", "/workspaces/paris/orders", 403, 201},
			{"POST", "/workspaces/new/orders", 403, 201},
			{"PUT", "/workspaces/berlin/grants/x/orders:read", 403, 204},
			{"DELETE", "/workspaces/berlin/grants/x/orders:read", 403, 204},
			{"PUT", "/workspaces/paris/grants/berlin-shop/orders:read", 403, 204},
			{"DELETE", "/workspaces/paris/grants/berlin-shop/orders:read", 403, 204},
		} {
			name := op.method + " " + op.path
			got := shop.send(t, op.method, op.path, tea)
			assert.Equal(t, op.shop, got.Status, name)
			if op.shop == 403 {
				assert.Equal(t, "permission", got.Decode(t)["reason"], name)
				assert.Empty(t, got.Header.Get("WWW-Authenticate"), "no other token would help")
			}
			assert.Equal(t, op.office, office.send(t, op.method, op.path, tea).Status, name)
			if op.path != "/healthz" {
				got = send(t, noCredentials, op.method, s.URL+op.path, tea)
				assert.Equal(t, 401, got.Status, name)
			}
		}
		got = shop.get(t, "/workspaces/berlin/orders?after=2")
		assert.Len(t, got.Decode(t)["orders"], 2, "no refusal has stored anything")
	})
}

func TestREST_workspacesThatAreNot(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := start(t, "-database", db.name)
		shop, office := s.caller(t, "berlin-shop"), s.caller(t, "head-office")
		for _, test := range []struct {
			name         string
			shop, office int
		}{
			{"Berlin", 403, 200},
			{"BERLIN", 403, 200},
			{"berlin%20", 403, 200},
			{"berlin%2F", 403, 200},
			{"berlin%2F..%2Fparis", 403, 200},
			{"berlin%00", 403, 400},
			{"berlin%FF", 403, 400},
			{"%0A", 403, 400},
			{strings.Repeat("b", 201), 403, 400},
			{strings.Repeat("b", 1000), 403, 403},
			{"berl%C4%B1n", 403, 200}, // a dotless i
			{"%20", 403, 200},
			{"'%20OR%20''='", 403, 200},
			{"", 404, 404},
		} {
			path := "/workspaces/" + test.name + "/orders"
			assert.Equal(t, test.shop, shop.get(t, path).Status, path)
			got := office.get(t, path)
			assert.Equal(t, test.office, got.Status, path)
			if got.Status == 200 {
				assert.JSONEq(t, `{"orders":[]}`, got.Body, path)
			}
			path = "/workspaces/" + test.name + "/grants/berlin-shop/orders:read"
			assert.Equal(t, test.shop, shop.send(t, "PUT", path, "").Status, path)
		}
	})
}

func TestREST_badGrants(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := start(t, "-database", db.name)
		office := s.caller(t, "head-office")
		for _, path := range []string{
			"/workspaces/berlin/grants/alice/orders:delete",
			"/workspaces/berlin/grants/alice/Orders:Read",
			"/workspaces/berlin/grants/alice/*",
			"/workspaces/berlin/grants/%00/orders:read",
			"/workspaces/berlin/grants/" + strings.Repeat("a", 201) + "/orders:read",
			"/workspaces/%00/grants/alice/orders:read",
		} {
			assert.Equal(t, 400, office.send(t, "PUT", path, "").Status, path)
			assert.Equal(t, 400, office.send(t, "DELETE", path, "").Status, path)
		}
	})
}

func TestREST_badRequests(t *testing.T) {
	t.Parallel()
	s := start(t)
	shop := s.caller(t, "berlin-shop")
	for name, test := range map[string]struct {
		body string
		want int
	}{
		"empty":             {"", 400},
		"form":              {"item=tea&quantity=1", 400},
		"two values":        {tea + "{}", 400},
		"unknown member":    {`{"item":"tea","quantity":1,"workspace":"paris"}`, 400},
		"no item":           {`{"quantity":1}`, 400},
		"control character": {`{"item":"tea\u0000","quantity":1}`, 400},
		"no quantity":       {`{"item":"tea"}`, 400},
		"negative price":    {`{"item":"tea","quantity":1,"price_cents":-1}`, 400},
		"huge quantity":     {`{"item":"tea","quantity":2147483648}`, 400},
		"too large":         {`{"item":"` + strings.Repeat("t", 1<<20) + `","quantity":1}`, 413},
	} {
		got := shop.send(t, "POST", "/workspaces/berlin/orders", test.body)
		assert.Equal(t, test.want, got.Status, name)
		assert.Equal(t, "application/problem+json", got.Header.Get("Content-Type"), name)
		assert.Equal(t, float64(test.want), got.Decode(t)["status"], name)
	}
	for _, after := range []string{"x", "-1", "1.5", "2147483648"} {
		assert.Equal(t, 400, shop.get(t, "/workspaces/berlin/orders?after="+after).Status, after)
	}
	got := shop.get(t, "/workspaces/berlin/orders")
	require.Equal(t, 200, got.Status)
	assert.Len(t, got.Decode(t)["orders"], 2)
}
