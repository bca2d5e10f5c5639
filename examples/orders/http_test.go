package main_test

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
)

const tea = `{"item":"tea","quantity":1}`

// A client that knows nothing but OAuth, against nothing but the demo.
func TestHTTP_oauthClient(t *testing.T) {
	t.Parallel()
	d := start(t)
	for name, style := range map[string]oauth2.AuthStyle{
		"HTTP Basic": oauth2.AuthStyleInHeader,
		"form body":  oauth2.AuthStyleInParams,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := (&clientcredentials.Config{
				ClientID: "orders-reader", ClientSecret: "reader-secret",
				TokenURL: d.Issuer + "/token", AuthStyle: style,
			}).Client(t.Context())

			got := demotest.Send(t, client, d.request(t, "GET", "/orders", "", ""))
			assert.Equal(t, 200, got.Status)
			assert.Len(t, got.Decode(t)["orders"], 2)

			got = demotest.Send(t, client, d.request(t, "POST", "/orders", "", tea))
			assert.Equal(t, 403, got.Status)
			assert.Equal(t, scopeChallenge("orders:write"), d.challengeIn(t, got))

			got = demotest.Send(t, client, d.request(t, "GET", "/me", "", ""))
			assert.Equal(t, 200, got.Status)
			me := got.Decode(t)
			expiresAt, err := time.Parse(time.RFC3339, me["expires_at"].(string))
			require.NoError(t, err)
			assert.WithinDuration(t, time.Now().Add(15*time.Minute), expiresAt, time.Minute)
			delete(me, "expires_at")
			assert.Equal(t, map[string]any{
				"subject": "orders-reader", "client_id": "orders-reader",
				"issuer": d.Issuer, "scopes": []any{"orders:read"},
			}, me)
		})
	}
}

func TestHTTP_jsonTokenRequest(t *testing.T) {
	t.Parallel()
	d := start(t)
	response, err := http.Post(d.Issuer+"/token", "application/json", strings.NewReader(`{
		"grant_type": "client_credentials",
		"client_id": "orders-admin", "client_secret": "admin-secret"
	}`))
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, 200, response.StatusCode, string(body))
	token := demotest.Answer{Body: string(body)}.Decode(t)["access_token"].(string)
	assert.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status)
}

func TestHTTP_wrongSecret(t *testing.T) {
	t.Parallel()
	d := start(t)
	response, err := http.PostForm(d.Issuer+"/token", url.Values{
		"grant_type": {"client_credentials"},
		"client_id":  {"orders-admin"}, "client_secret": {"reader-secret"},
	})
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, 401, response.StatusCode)
}

// fault is a kind of token that opens nothing, and what a client is told of it.
type fault struct {
	name                string
	token               func(issuer *claimstest.Issuer, good claimstest.Token) string
	reason, description string
}

// challenge is that of an operation that needs a scope, unless it is empty.
func (f fault) challenge(scope string) string {
	c := `Bearer realm="orders", error="invalid_token", error_description="` + f.description + `"`
	if scope != "" {
		c += `, scope="` + scope + `"`
	}
	return c
}

// challengeIn returns the challenge of an answer without where the metadata of
// the resource are, which each has.
func (d demo) challengeIn(t *testing.T, got demotest.Answer) string {
	t.Helper()
	challenge := got.Header.Get("WWW-Authenticate")
	at := `, resource_metadata="` + d.URL + `/.well-known/oauth-protected-resource"`
	assert.Contains(t, challenge, at)
	return strings.Replace(challenge, at, "", 1)
}

// A client that was refused finds out where to get a token, and for what.
func TestHTTP_metadata(t *testing.T) {
	t.Parallel()
	d := start(t)
	got := d.call(t, "GET", "/.well-known/oauth-protected-resource", "", "")
	require.Equal(t, 200, got.Status)
	assert.Equal(t, map[string]any{
		"resource":                 d.URL,
		"authorization_servers":    []any{d.Issuer},
		"scopes_supported":         []any{"orders:delete", "orders:read", "orders:write"},
		"bearer_methods_supported": []any{"header"},
		"resource_name":            "Orders",
	}, got.Decode(t))
	for _, path := range []string{"/.well-known/", "/.well-known/oauth-protected-resource/orders"} {
		assert.Equal(t, 404, d.call(t, "GET", path, "", "").Status, path)
	}
}

func scopeChallenge(scope string) string {
	return `Bearer realm="orders", error="insufficient_scope", error_description="` +
		`The access token lacks a scope that this operation needs.", scope="` + scope + `"`
}

var faults = []fault{
	{
		name: "tampered",
		token: func(issuer *claimstest.Issuer, good claimstest.Token) string {
			header, rest, _ := strings.Cut(issuer.Mint(good), ".")
			good.Subject = "somebody else"
			_, other, _ := strings.Cut(issuer.Mint(good), ".")
			payload, _, _ := strings.Cut(other, ".")
			_, signature, _ := strings.Cut(rest, ".")
			return header + "." + payload + "." + signature
		},
		reason:      "signature",
		description: "The signature of the access token is wrong.",
	},
	{
		name: "expired",
		token: func(issuer *claimstest.Issuer, good claimstest.Token) string {
			good.Lifetime = -time.Minute
			return issuer.Mint(good)
		},
		reason:      "expired",
		description: "The access token has expired.",
	},
	{
		name: "wrong audience",
		token: func(issuer *claimstest.Issuer, good claimstest.Token) string {
			good.Audience = []string{audience + ".evil"}
			return issuer.Mint(good)
		},
		reason:      "audience",
		description: "The access token is for another audience.",
	},
	{
		name: "another issuer",
		token: func(issuer *claimstest.Issuer, good claimstest.Token) string {
			good.Claims = map[string]any{"iss": "https://evil.example"}
			return issuer.Mint(good)
		},
		reason:      "issuer",
		description: "The issuer of the access token is not trusted here.",
	},
	{
		name:        "no token at all",
		token:       func(*claimstest.Issuer, claimstest.Token) string { return "secret" },
		reason:      "malformed",
		description: "The access token is malformed.",
	},
}

// operations are the HTTP routes that are not public, and their needs.
var operations = []struct{ method, path, scope string }{
	{"GET", "/me", ""},
	{"GET", "/orders", "orders:read"},
	{"GET", "/orders/events", "orders:read"},
	{"POST", "/orders", "orders:write"},
	{"DELETE", "/orders/1", "orders:delete"},
}

func TestHTTP_refusals(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	t.Run("all", func(t *testing.T) { // returns when they have run
		for _, op := range operations {
			t.Run(op.method+" "+op.path, func(t *testing.T) {
				t.Parallel()
				bare := `Bearer realm="orders"`
				if op.scope != "" {
					bare += `, scope="` + op.scope + `"`
				}
				got := d.call(t, op.method, op.path, "", tea)
				assert.Equal(t, 401, got.Status, "no token")
				assert.Equal(t, bare, d.challengeIn(t, got), "no token")

				for _, fault := range faults {
					good := claimstest.Token{Subject: "alice", Scope: op.scope}
					got := d.call(t, op.method, op.path, fault.token(issuer, good), tea)
					assert.Equal(t, 401, got.Status, fault.name)
					assert.Equal(t, fault.challenge(op.scope), d.challengeIn(t, got))
					assert.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
					assert.Equal(t, map[string]any{
						"title": "Unauthorized", "status": 401.0,
						"detail": fault.description, "reason": fault.reason,
					}, got.Decode(t), fault.name)
				}

				if op.scope == "" {
					return
				}
				another := issuer.Mint(claimstest.Token{Scope: op.scope + "s"})
				got = d.call(t, op.method, op.path, another, tea)
				assert.Equal(t, 403, got.Status, "another scope")
				assert.Equal(t, scopeChallenge(op.scope), d.challengeIn(t, got))
			})
		}
	})
	// No refusal has reached a handler.
	got := d.call(t, "GET", "/orders", issuer.Mint(claimstest.Token{Scope: "orders:read"}), "")
	assert.Len(t, got.Decode(t)["orders"], 2)
}

func TestHTTP_flagsOfARealIssuer(t *testing.T) {
	t.Parallel()
	first, second := startIssuer(t), startIssuer(t)
	read := claimstest.Token{Scope: "orders:read"}

	t.Run("several issuers", func(t *testing.T) {
		t.Parallel()
		d := start(t, "-issuer", first.URL(), "-issuer", second.URL())
		assert.Equal(t, 200, d.call(t, "GET", "/orders", first.Mint(read), "").Status)
		assert.Equal(t, 200, d.call(t, "GET", "/orders", second.Mint(read), "").Status)
		assert.NotContains(t, d.Greeting, "secret")
	})
	t.Run("key set URL", func(t *testing.T) {
		t.Parallel()
		d := start(t, "-issuer", "urn:no-metadata", "-jwks-url", first.JWKSURL())
		mine := read
		mine.Claims = map[string]any{"iss": "urn:no-metadata"}
		assert.Equal(t, 200, d.call(t, "GET", "/orders", first.Mint(mine), "").Status)
		assert.Equal(t, 401, d.call(t, "GET", "/orders", first.Mint(read), "").Status)
	})
	t.Run("several audiences", func(t *testing.T) {
		t.Parallel()
		d := start(t, "-issuer", first.URL(), "-audience", "urn:a", "-audience", "urn:b")
		mine := read
		for _, aud := range []string{"urn:a", "urn:b"} {
			mine.Audience = []string{aud}
			assert.Equal(t, 200, d.call(t, "GET", "/orders", first.Mint(mine), "").Status, aud)
		}
		assert.Equal(t, 401, d.call(t, "GET", "/orders", first.Mint(read), "").Status)
	})
	t.Run("audience of the embedded issuer", func(t *testing.T) {
		t.Parallel()
		d := start(t, "-audience", "urn:a")
		client := (&clientcredentials.Config{
			ClientID: "orders-reader", ClientSecret: "reader-secret", TokenURL: d.Issuer + "/token",
		}).Client(t.Context())
		assert.Equal(t, 200, demotest.Send(t, client, d.request(t, "GET", "/orders", "", "")).Status)
	})
}

func TestHTTP_meWithoutScopes(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	got := d.call(t, "GET", "/me", issuer.Mint(claimstest.Token{Subject: "alice"}), "")
	assert.Equal(t, 200, got.Status)
	assert.Equal(t, []any{}, got.Decode(t)["scopes"])
}

func TestHTTP_lifeOfAnOrder(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	token := issuer.Mint(claimstest.Token{Scope: "orders:read orders:write orders:delete"})

	got := d.call(t, "POST", "/orders", token, `{"item":"cocoa","quantity":2}`)
	require.Equal(t, 201, got.Status, got.Body)
	created := got.Decode(t)
	assert.Equal(t, "cocoa", created["item"])
	assert.Equal(t, 2.0, created["quantity"])
	assert.Contains(t, d.call(t, "GET", "/orders", token, "").Decode(t)["orders"], created)

	path := "/orders/" + created["id"].(string)
	got = d.call(t, "DELETE", path, token, "")
	assert.Equal(t, 204, got.Status)
	assert.Empty(t, got.Body)
	got = d.call(t, "DELETE", path, token, "")
	assert.Equal(t, 404, got.Status)
	assert.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
	assert.NotContains(t, d.call(t, "GET", "/orders", token, "").Decode(t)["orders"], created)
}

func TestHTTP_badBodies(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	token := issuer.Mint(claimstest.Token{Scope: "orders:write"})
	tests := []struct {
		name, body string
		want       int
	}{
		{"empty", "", 400},
		{"form", "item=tea&quantity=1", 400},
		{"array", `[]`, 400},
		{"cut short", `{"item":"tea","quantity":1`, 400},
		{"two values", `{"item":"tea","quantity":1} {}`, 400},
		{"unknown member", `{"item":"tea","quantity":1,"price":0}`, 400},
		{"no item", `{"quantity":1}`, 400},
		{"long item", `{"item":"` + strings.Repeat("t", 101) + `","quantity":1}`, 400},
		{"no quantity", `{"item":"tea"}`, 400},
		{"negative quantity", `{"item":"tea","quantity":-1}`, 400},
		{"fraction", `{"item":"tea","quantity":1.5}`, 400},
		{"huge quantity", `{"item":"tea","quantity":4294967296}`, 400},
		{"too large", `{"item":"` + strings.Repeat("t", 1<<20) + `","quantity":1}`, 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := d.call(t, "POST", "/orders", token, test.body)
			assert.Equal(t, test.want, got.Status)
			assert.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
			assert.Equal(t, float64(test.want), got.Decode(t)["status"])
		})
	}
}

func TestHTTP_storeIsBounded(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	token := issuer.Mint(claimstest.Token{Scope: "orders:write"})
	for range 998 { // and two from the start
		require.Equal(t, 201, d.call(t, "POST", "/orders", token, tea).Status)
	}
	got := d.call(t, "POST", "/orders", token, tea)
	assert.Equal(t, 409, got.Status)
	assert.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
}

func TestHTTP_events(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	token := issuer.Mint(claimstest.Token{Scope: "orders:read orders:write"})
	events := d.openEvents(t, token, "1")
	assert.Equal(t, "id: 2", events.next(t), "the order after the one that was seen last")

	created := d.call(t, "POST", "/orders", token, `{"item":"cocoa","quantity":3}`)
	require.Equal(t, 201, created.Status)
	assert.Equal(t, "id: 3", events.next(t))
	assert.Regexp(t, `^data: {"id":"3","item":"cocoa","quantity":3,`, events.data)

	d.Stop()
	assert.Empty(t, events.next(t), "the end")
	assert.NoError(t, events.lines.Err(), "a clean one")
}

func TestHTTP_eventsEndWithTheToken(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	started := time.Now()
	events := d.openEvents(t,
		issuer.Mint(claimstest.Token{Scope: "orders:read", Lifetime: nearlyOver}), "")
	assert.Equal(t, "id: 1", events.next(t))
	assert.Equal(t, "id: 2", events.next(t))
	assert.Empty(t, events.next(t), "the end")
	assert.Greater(t, time.Since(started), 3*time.Second, "not at once")
	assert.NoError(t, events.lines.Err(), "a clean one")
}

// events is a stream of server-sent events.
type events struct {
	lines *bufio.Scanner
	data  string
}

func (d demo) openEvents(t *testing.T, token, last string) *events {
	t.Helper()
	r := d.request(t, "GET", "/orders/events", token, "")
	r.Header.Set("Last-Event-ID", last)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { response.Body.Close() })
	require.Equal(t, 200, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	return &events{lines: bufio.NewScanner(response.Body)}
}

// next returns the "id" line of the next event, empty if there is none.
func (e *events) next(t *testing.T) string {
	t.Helper()
	var id string
	for e.lines.Scan() {
		switch line := e.lines.Text(); {
		case strings.HasPrefix(line, "id:"):
			id = line
		case strings.HasPrefix(line, "data:"):
			e.data = line
		case line == "":
			return id
		}
	}
	return ""
}
