package mcpmw_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/httpmw/mcpmw"
)

// policy is a small server's.
func policy() mcpmw.Policy {
	p := mcpmw.Housekeeping(claims.Authenticated())
	p["tools/call add"] = claims.Scopes("add")
	p["tools/call wipe"] = claims.Scopes("wipe")
	p["prompts/get greet"] = claims.Scopes("greet")
	p["resources/read"] = claims.Scopes("read") // every other
	p["resources/read file:///public"] = claims.Public()
	p["resources/subscribe file:///a"] = claims.Scopes("read")
	return p
}

// Each call needs what its name says, by the body, whatever its fields claim.
func TestGuard(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []claims.Decision
	issuer, server, spy := start(t, mcpmw.Config{Policy: policy()}, func(_ context.Context, d claims.Decision) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, d)
	})
	token := func(scope string) string {
		return issuer.Mint(claimstest.Token{Subject: "alice", Scope: scope})
	}
	const metadata = `Bearer realm="api", resource_metadata="https://api.example/.well-known/oauth-protected-resource/mcp"`
	for name, row := range map[string]struct {
		method, body, token string
		fields              []string
		status              int
		scope               string // of the challenge
		op                  string
	}{
		"a tool":             {"POST", call("tools/call", `{"name":"add","arguments":{"x":1}}`), "add", nil, 202, "", "tools/call add"},
		"implied":            {"POST", call("tools/call", `{"name":"add"}`), "admin", nil, 202, "", "tools/call add"},
		"another's scope":    {"POST", call("tools/call", `{"name":"wipe"}`), "add", nil, 403, "wipe", "tools/call wipe"},
		"no token":           {"POST", call("tools/call", `{"name":"wipe"}`), "-", nil, 401, "wipe", "tools/call wipe"},
		"not listed":         {"POST", call("tools/call", `{"name":"other"}`), "add wipe", nil, 403, "-", "unknown"},
		"not listed, nobody": {"POST", call("tools/call", `{"name":"other"}`), "-", nil, 401, "", "unknown"},
		"another case":       {"POST", call("tools/call", `{"name":"Add"}`), "add", nil, 403, "-", "unknown"},
		"another method":     {"POST", call("tools/destroy", `{"name":"add"}`), "add", nil, 403, "-", "unknown"},
		"name with a space":  {"POST", call("tools/call", `{"name":"add "}`), "add", nil, 403, "-", "unknown"},
		"a prompt":           {"POST", call("prompts/get", `{"name":"greet"}`), "greet", nil, 202, "", "prompts/get greet"},
		"a resource":         {"POST", call("resources/read", `{"uri":"file:///x"}`), "read", nil, 202, "", "resources/read"},
		"public":             {"POST", call("resources/read", `{"uri":"file:///public"}`), "-", nil, 202, "", ""},
		"subscribe":          {"POST", call("resources/subscribe", `{"uri":"file:///a"}`), "read", nil, 202, "", "resources/subscribe file:///a"},
		"subscribe, other":   {"POST", call("resources/subscribe", `{"uri":"file:///b"}`), "read", nil, 403, "-", "unknown"},
		"housekeeping":       {"POST", call("tools/list", `{}`), "any", nil, 202, "", "tools/list"},
		"notification":       {"POST", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, "any", nil, 202, "", "notifications/initialized"},
		"a response":         {"POST", `{"jsonrpc":"2.0","id":1,"result":{}}`, "any", nil, 202, "", "JSON-RPC response"},
		"stream":             {"GET", "", "any", nil, 202, "", "HTTP GET"},
		"end of session":     {"DELETE", "", "any", nil, 202, "", "HTTP DELETE"},
		"another verb":       {"PUT", call("tools/call", `{"name":"add"}`), "add", nil, 403, "-", "unknown"},
		"verb as a method":   {"POST", call("HTTP", `{}`), "any", nil, 403, "-", "unknown"},
		"fields that lie": {
			"POST", call("tools/call", `{"name":"wipe"}`), "add",
			[]string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "add"}, 403, "wipe", "tools/call wipe",
		},
	} {
		before := *spy
		seen = nil
		bearer := ""
		if row.token != "-" {
			bearer = token(row.token)
		}
		got := send(t, server, row.method, row.body, bearer, row.fields...)
		assert.Equal(t, row.status, got.status, name)
		if row.status == http.StatusAccepted {
			assert.Equal(t, before.reached+1, spy.reached, name)
			assert.Equal(t, row.body, spy.body, "%s: as it came", name)
		} else {
			assert.Equal(t, before.reached, spy.reached, name)
			switch row.scope {
			case "-":
				assert.Empty(t, got.challenge, name)
			case "":
				assert.Equal(t, metadata, got.challenge, name)
			default:
				assert.Contains(t, got.challenge, metadata, name)
				assert.Contains(t, got.challenge, `scope="`+row.scope+`"`, name)
			}
		}
		if row.op == "" {
			assert.Empty(t, seen, name)
			continue
		}
		require.Len(t, seen, 1, name)
		assert.Equal(t, []string{"MCP", row.op}, []string{seen[0].Protocol, seen[0].Operation}, name)
	}
}

// The handler finds what was asked for and by whom, and so does a requirement.
func TestFromContext(t *testing.T) {
	t.Parallel()
	own := claims.RequestFunc("own", func(_ context.Context, caller *claims.Claims, r *http.Request) (bool, error) {
		_, uri, ok := mcpmw.FromContext(r.Context())
		return ok && strings.HasPrefix(uri, "note:"+caller.Subject()+"/"), nil
	})
	issuer, server, spy := start(t, mcpmw.Config{Policy: mcpmw.Policy{"resources/read": own}}, nil)
	token := issuer.Mint(claimstest.Token{Subject: "alice"})
	assert.Equal(t, 202, send(t, server, "POST", call("resources/read", `{"uri":"note:alice/1"}`), token).status)
	assert.Equal(t, []string{"resources/read", "note:alice/1", "alice"}, []string{spy.method, spy.name, spy.caller.Subject()})
	assert.Equal(t, 403, send(t, server, "POST", call("resources/read", `{"uri":"note:bob/1"}`), token).status)
	_, _, ok := mcpmw.FromContext(t.Context())
	assert.False(t, ok)
}

// Where the server compares fields and body, the fields decide, for the
// versions for which it does, and only as far as it does.
func TestConfig_ServerComparesHeaders(t *testing.T) {
	t.Parallel()
	issuer, server, spy := start(t, mcpmw.Config{Policy: policy(), ServerComparesHeaders: true}, nil)
	token := issuer.Mint(claimstest.Token{Scope: "add"})
	add, wipe := call("tools/call", `{"name":"add"}`), call("tools/call", `{"name":"wipe"}`)
	version := func(v ...string) (fields []string) {
		for _, v := range v {
			fields = append(fields, "MCP-Protocol-Version", v)
		}
		return append(fields, "Mcp-Method", "tools/call")
	}
	for name, row := range map[string]struct {
		body    string
		fields  []string
		status  int
		decided string // by the fields or the body
	}{
		"new version":       {wipe, append(version("2026-07-28"), "Mcp-Name", "add"), 202, "add"}, // for the server to refuse
		"newer version":     {wipe, append(version("2027-01-01"), "Mcp-Name", "add"), 202, "add"},
		"other tool":        {add, append(version("2026-07-28"), "Mcp-Name", "wipe"), 403, ""},
		"old version":       {wipe, append(version("2025-11-25"), "Mcp-Name", "add"), 403, ""},
		"no version":        {wipe, append(version(), "Mcp-Name", "add"), 403, ""},
		"two versions":      {wipe, append(version("2026-07-28", "2025-11-25"), "Mcp-Name", "add"), 403, ""},
		"version backwards": {wipe, append(version("2025-11-25", "2026-07-28"), "Mcp-Name", "add"), 403, ""},
		"empty version":     {wipe, append(version(""), "Mcp-Name", "add"), 403, ""},
		"no name":           {wipe, version("2026-07-28"), 403, ""},
		"two names":         {wipe, append(version("2026-07-28"), "Mcp-Name", "add", "Mcp-Name", "add"), 403, ""},
		"encoded name":      {wipe, append(version("2026-07-28"), "Mcp-Name", "=?base64?YWRk?="), 403, ""},
		"two methods":       {wipe, append(version("2026-07-28"), "Mcp-Name", "add", "Mcp-Method", "tools/call"), 403, ""},
		"not compared": { // by the server, that is
			call("resources/subscribe", `{"uri":"file:///b"}`),
			[]string{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "resources/subscribe", "Mcp-Name", "file:///a"}, 403, "",
		},
		"method with a name in it": {
			wipe, []string{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call add"}, 403, "",
		},
	} {
		got := send(t, server, "POST", row.body, token, row.fields...)
		assert.Equal(t, row.status, got.status, name)
		if row.status == http.StatusAccepted {
			assert.Equal(t, row.decided, spy.name, name)
			assert.Equal(t, row.body, spy.body, name)
		}
	}
}

func TestNew_mistakes(t *testing.T) {
	t.Parallel()
	verifier, err := claims.NewVerifier(claims.Config{Issuer: "https://a.example", Audiences: []string{"x"}})
	require.NoError(t, err)
	auth := httpmw.New(verifier, httpmw.Config{})
	_, err = mcpmw.New(auth, mcpmw.Config{MaxBody: -1, Policy: mcpmw.Policy{
		"":                   claims.Authenticated(),
		" add":               claims.Authenticated(),
		"tools/call ":        claims.Authenticated(),
		"tools/list add":     claims.Authenticated(),
		"HTTP PUT":           claims.Authenticated(),
		"tools/call a":       claims.Scopes(),
		"tools/call b":       claims.Permissions("x"),
		"tools/call c":       claims.RequestFunc("f", func(context.Context, *claims.Claims, string) (bool, error) { return true, nil }),
		"tools/call \ufffd":  claims.Authenticated(),
		"tools/call ok name": claims.Authenticated(),
	}})
	require.Error(t, err)
	for _, want := range []string{
		`mcpmw: Config.Policy: "" has no method`, `mcpmw: Config.Policy: " add" has no method`,
		`"tools/call ": "" cannot be a name`, `"tools/list add": the method tools/list has no name after it`,
		`"HTTP PUT": the method HTTP has no name after it`, "tools/call a: claims: Scopes needs at least one scope",
		`mcpmw: Config.Policy: tools/call b: claims: Permissions("x") can never be met`, "tools/call c: claims: RequestFunc",
		"mcpmw: Config.MaxBody of -1 is negative", `cannot be a name`,
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "ok name")
	_, err = mcpmw.New(auth, mcpmw.Config{})
	assert.EqualError(t, err, "mcpmw: Config.Policy is empty: every request would be refused")
	assert.Panics(t, func() { _, _ = mcpmw.New(nil, mcpmw.Config{Policy: policy()}) })

	guard, err := mcpmw.New(auth, mcpmw.Config{Policy: policy()})
	require.NoError(t, err)
	assert.PanicsWithValue(t, "mcpmw: Wrap: the next handler is nil", func() { guard.Wrap(nil) })
	assert.PanicsWithValue(t, "mcpmw: Wrap: the Guard was not made by New", func() { new(mcpmw.Guard).Wrap(&spy{}) })
}

// What Config was given is not looked at again.
func TestNew_copies(t *testing.T) {
	t.Parallel()
	p := mcpmw.Policy{"tools/call add": claims.Scopes("add")}
	issuer, server, _ := start(t, mcpmw.Config{Policy: p}, nil)
	p["tools/call add"], p["tools/call wipe"] = claims.Public(), claims.Public()
	for _, name := range []string{"add", "wipe"} {
		assert.Equal(t, 403, send(t, server, "POST", call("tools/call", `{"name":"`+name+`"}`), issuer.Mint(claimstest.Token{})).status)
	}
}

func TestPolicy_Operations(t *testing.T) {
	t.Parallel()
	table := claims.NewAccessTable(policy().Operations())
	assert.Contains(t, table.Markdown(), "| MCP      | `tools/call add`                   | `Scopes(\"add\")`   |")
	assert.Equal(t, []string{"add", "greet", "read", "wipe"}, table.Scopes())
}
