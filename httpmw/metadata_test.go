package httpmw_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/httpmw"
)

const wellKnown = "/.well-known/oauth-protected-resource"

// resourceAuth returns a Middleware for a resource, and whom it trusts.
func resourceAuth(t testing.TB, resource string) (*httpmw.Middleware, *claims.Issuers) {
	t.Helper()
	issuers, err := claims.NewIssuers(plainConfig("https://b.example", nil), plainConfig("https://a.example", nil))
	require.NoError(t, err)
	return httpmw.New(issuers, httpmw.Config{Resource: resource}), issuers
}

// serve answers one request, as a server would.
func serve(h http.Handler, method, target string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// document is what a client reads of the metadata.
type document struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
	Methods  []string `json:"bearer_methods_supported"`
	Name     string   `json:"resource_name"`
}

func read(t testing.TB, w *httptest.ResponseRecorder) (d document) {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &d), w.Body)
	return d
}

func TestServeMux_HandleMetadata(t *testing.T) {
	t.Parallel()
	auth, _ := resourceAuth(t, "https://api.example/orders")
	mux := httpmw.NewServeMux(auth)
	mux.Handle("GET /{rest...}", claims.Scopes("orders:read"), &spy{}) // which is no obstacle
	mux.HandleMetadata(httpmw.MetadataConfig{Members: map[string]any{"resource_name": "Orders"}})
	mux.Handle("POST /orders", claims.AnyScope("orders:write", "offline_access"), &spy{}) // later
	got := serve(mux, "GET", wellKnown+"/orders")
	assert.Equal(t, document{
		Resource: "https://api.example/orders",
		Servers:  []string{"https://a.example", "https://b.example"},
		Scopes:   []string{"orders:read", "orders:write"},
		Methods:  []string{"header"},
		Name:     "Orders",
	}, read(t, got))
	assert.Equal(t, "public, max-age=300", got.Header().Get("Cache-Control"))
	assert.Equal(t, "*", got.Header().Get("Access-Control-Allow-Origin"))
	assert.Contains(t, claims.NewAccessTable(mux.Operations()).Markdown(),
		"| HTTP     | `GET /.well-known/oauth-protected-resource/orders`     | `Public()`")

	// No other path, and no other method, is open.
	for _, target := range []string{
		wellKnown, wellKnown + "/", wellKnown + "/orders/", wellKnown + "/orders/7", wellKnown + "/other",
		wellKnown + "/Orders",
	} {
		assert.Equal(t, http.StatusUnauthorized, serve(mux, "GET", target).Code, target)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "TRACE", "CHOSEN"} {
		got := serve(mux, method, wellKnown+"/orders")
		assert.Equal(t, http.StatusMethodNotAllowed, got.Code, method)
		assert.Contains(t, got.Header().Get("Allow"), "GET", method)
	}
}

// A browser asks before it sends the version field of MCP, and a HEAD has what
// a GET has but for the body.
func TestMetadata_methods(t *testing.T) {
	t.Parallel()
	auth, _ := resourceAuth(t, "https://api.example/")
	mux := httpmw.NewServeMux(auth)
	mux.HandleMetadata(httpmw.MetadataConfig{})
	server := httptest.NewServer(mux)
	defer server.Close()
	ask := func(method string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+wellKnown, nil)
		require.NoError(t, err)
		r.Header.Set("Origin", "https://app.example")
		r.Header.Set("Access-Control-Request-Method", "GET")
		r.Header.Set("Access-Control-Request-Headers", "mcp-protocol-version")
		resp, err := server.Client().Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	preflight := ask("OPTIONS")
	assert.Equal(t, http.StatusNoContent, preflight.StatusCode)
	assert.Equal(t, "*", preflight.Header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "*", preflight.Header.Get("Access-Control-Allow-Headers"))
	get, head := ask("GET"), ask("HEAD")
	body, err := io.ReadAll(get.Body)
	require.NoError(t, err)
	assert.EqualValues(t, len(body), head.ContentLength)
	empty, err := io.ReadAll(head.Body)
	require.NoError(t, err)
	assert.Empty(t, empty)

	metadata := auth.Metadata(httpmw.MetadataConfig{})
	assert.Equal(t, wellKnown, metadata.Path())
	refused := serve(metadata, "POST", wellKnown)
	assert.Equal(t, http.StatusMethodNotAllowed, refused.Code)
	assert.Equal(t, "GET, HEAD, OPTIONS", refused.Header().Get("Allow"))
}

// A path that ends in a slash opens nothing below it.
func TestServeMux_HandleMetadata_slash(t *testing.T) {
	t.Parallel()
	auth, _ := resourceAuth(t, "https://api.example/mcp/")
	mux := httpmw.NewServeMux(auth)
	mux.HandleMetadata(httpmw.MetadataConfig{})
	mux.Handle("/", claims.Authenticated(), &spy{})
	assert.Equal(t, "https://api.example/mcp/", read(t, serve(mux, "GET", wellKnown+"/mcp/")).Resource)
	assert.Equal(t, http.StatusUnauthorized, serve(mux, "GET", wellKnown+"/mcp/x").Code)
}

// Two resources of one server have a document each.
func TestMetadata_twoResources(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, name := range []string{"/mcp", "/api"} {
		auth, _ := resourceAuth(t, "https://host.example"+name)
		metadata := auth.Metadata(httpmw.MetadataConfig{
			Operations: []claims.Operation{{Requirement: claims.Scopes("use:" + name[1:])}},
		})
		mux.Handle(metadata.Path(), metadata)
		mux.Handle(name, auth.Wrap(&spy{}))
	}
	for _, name := range []string{"/mcp", "/api"} {
		got := read(t, serve(mux, "GET", wellKnown+name))
		assert.Equal(t, "https://host.example"+name, got.Resource)
		assert.Equal(t, []string{"use:" + name[1:]}, got.Scopes)
		assert.Contains(t, serve(mux, "GET", name).Header().Get("WWW-Authenticate"),
			`resource_metadata="https://host.example`+wellKnown+name+`"`)
	}
}

// Every challenge says where the metadata are, and what has none does not.
func TestConfig_Resource_challenges(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(t, err)
	auth := httpmw.New(verifier, httpmw.Config{Resource: "https://api.example/orders"})
	const here = `, resource_metadata="https://api.example/.well-known/oauth-protected-resource/orders"`
	needs := claims.Scopes("orders:read")
	never := claims.Func("no", func(context.Context, *claims.Claims) (bool, error) { return false, nil })
	inside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth.Refuse(w, r, claims.Allowed(r.Context(), needs))
	})
	token := "Bearer " + issuer.Mint(claimstest.Token{})
	for name, row := range map[string]struct {
		handler http.Handler
		field   []string
		status  int
		want    string
	}{
		"no token":    {auth.Require(needs)(&spy{}), nil, 401, `Bearer realm="api"` + here + `, scope="orders:read"`},
		"bad token":   {auth.Require(needs)(&spy{}), []string{"Bearer x"}, 401, `Bearer realm="api"` + here + `, error="invalid_token", `},
		"malformed":   {auth.Require(needs)(&spy{}), []string{"Bearer x", "Bearer x"}, 400, `Bearer realm="api"` + here + `, error="invalid_request", `},
		"lacking":     {auth.Require(needs)(&spy{}), []string{token}, 403, `Bearer realm="api"` + here + `, error="insufficient_scope", `},
		"in the body": {auth.Wrap(inside), []string{token}, 403, `Bearer realm="api"` + here + `, error="insufficient_scope", `},
		"forbidden":   {auth.Require(never)(&spy{}), []string{token}, 403, ""},
	} {
		got := get(t, row.handler, row.field...)
		assert.Equal(t, row.status, got.status, name)
		assert.Len(t, got.header.Values("WWW-Authenticate"), min(len(row.want), 1), name)
		assert.Truef(t, strings.HasPrefix(got.header.Get("WWW-Authenticate"), row.want), "%s: %s", name, got.header.Get("WWW-Authenticate"))
	}
}

// A path stands for the host and the scheme of the request.
func TestConfig_Resource_ofRequest(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]struct{ identifier, at string }{
		"/":       {"", wellKnown},
		"/orders": {"/orders", wellKnown + "/orders"},
	} {
		auth, _ := resourceAuth(t, resource)
		mux := httpmw.NewServeMux(auth)
		mux.HandleMetadata(httpmw.MetadataConfig{})
		mux.Handle("GET /a", claims.Authenticated(), &spy{})
		for _, origin := range []string{"http://a.example", "https://b.example:8443", "http://[::1]:80"} {
			got := serve(mux, "GET", origin+want.at)
			assert.Equal(t, origin+want.identifier, read(t, got).Resource)
			assert.Equal(t, "no-store", got.Header().Get("Cache-Control"), "nobody else's host")
			assert.Contains(t, serve(mux, "GET", origin+"/a").Header().Get("WWW-Authenticate"),
				`, resource_metadata="`+origin+want.at+`"`)
		}
	}
}

// What is no host is not sent back as one.
func TestConfig_Resource_badHost(t *testing.T) {
	t.Parallel()
	auth, _ := resourceAuth(t, "/")
	mux := httpmw.NewServeMux(auth)
	mux.HandleMetadata(httpmw.MetadataConfig{})
	mux.Handle("GET /a", claims.Authenticated(), &spy{})
	for _, host := range []string{"", "a@b.example", `a"b`, "a b", "a/b", "a?b", "a#b", "a:", "a\r\nb", "ü"} {
		ask := func(path string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			return w
		}
		assert.Equal(t, http.StatusBadRequest, ask(wellKnown).Code, "%q", host)
		assert.Equal(t, []string{`Bearer realm="api"`}, ask("/a").Header().Values("WWW-Authenticate"), "%q", host)
	}
}

// Who is trusted by now is listed, and the list is made once a second at most.
func TestMetadata_servers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		auth, issuers := resourceAuth(t, "https://api.example")
		metadata := auth.Metadata(httpmw.MetadataConfig{})
		servers := func() []string { return read(t, serve(metadata, "GET", wellKnown)).Servers }
		assert.Equal(t, []string{"https://a.example", "https://b.example"}, servers())
		issuers.Remove("https://a.example")
		assert.Len(t, servers(), 2)
		time.Sleep(time.Second)
		assert.Equal(t, []string{"https://b.example"}, servers())
		issuers.Remove("https://b.example")
		time.Sleep(time.Second)
		assert.NotContains(t, serve(metadata, "GET", wellKnown).Body.String(), "authorization_servers")
	})
}

// What cannot list its issuers needs them in the Config, which also says what
// they are called otherwise.
func TestMetadataConfig_AuthorizationServers(t *testing.T) {
	t.Parallel()
	auth := httpmw.New(nobody{}, httpmw.Config{Resource: "https://api.example"})
	for name, servers := range map[string][]string{"given": {"https://login.example/tenant"}, "left out": {}} {
		got := serve(auth.Metadata(httpmw.MetadataConfig{AuthorizationServers: servers}), "GET", wellKnown)
		assert.ElementsMatch(t, servers, read(t, got).Servers, name)
		assert.Equal(t, len(servers) > 0, strings.Contains(got.Body.String(), "authorization_servers"), name)
	}
}

func TestMetadata_mistakes(t *testing.T) {
	t.Parallel()
	with := func(resource string) func() *httpmw.Middleware {
		return func() *httpmw.Middleware { return httpmw.New(nobody{}, httpmw.Config{Resource: resource}) }
	}
	const here = "httpmw: Metadata: "
	for name, row := range map[string]struct {
		mistake func()
		want    string
	}{
		"no https": {func() { with("http://api.example")() },
			`httpmw: New: Config.Resource of "http://api.example" must be an https URL, or http to a loopback address (RFC 9728 section 1.2)`},
		"path that is none": {func() { with("/a/../b")() },
			`httpmw: New: Config.Resource of "/a/../b" must have a path without "", "." and ".." among its segments`},
		"another host": {func() { with("//evil.example/b")() },
			`httpmw: New: Config.Resource of "//evil.example/b" must have a path without "", "." and ".." among its segments`},
		"everything": {
			func() {
				with("")().Metadata(httpmw.MetadataConfig{Members: map[string]any{"resource": 1, "x": func() {}}})
			},
			here + "the Middleware has no Config.Resource\n" +
				here + "MetadataConfig.AuthorizationServers is nil, and a httpmw_test.nobody cannot list all its issuers\n" +
				here + "MetadataConfig.Members has \"resource\", which the document has already\n" +
				here + "MetadataConfig.Members: \"x\": json: unsupported type: func()",
		},
		"servers": {
			func() {
				with("/")().Metadata(httpmw.MetadataConfig{AuthorizationServers: []string{"https://a.example?x", "a"}})
			},
			here + "MetadataConfig.AuthorizationServers[0] of \"https://a.example?x\" is no https URL without query and fragment (RFC 8414 section 2)\n" +
				here + "MetadataConfig.AuthorizationServers[1] of \"a\" is no https URL without query and fragment (RFC 8414 section 2)",
		},
		"not made": {func() { new(httpmw.Middleware).Metadata(httpmw.MetadataConfig{}) },
			"httpmw: Metadata: the Middleware was not made by New"},
		"no mux": {func() { new(httpmw.ServeMux).HandleMetadata(httpmw.MetadataConfig{}) },
			"httpmw: ServeMux was not made by NewServeMux"},
	} {
		assert.PanicsWithValue(t, row.want, row.mistake, name)
	}
	for name, zero := range map[string]*httpmw.Metadata{"zero": {}, "nil": nil} {
		assert.Equal(t, http.StatusServiceUnavailable, serve(zero, "GET", wellKnown).Code, name)
		assert.Empty(t, zero.Path(), name)
	}
}

// A proxy that ends TLS hides the scheme, which only a whole URL can say.
func TestConfig_Resource_scheme(t *testing.T) {
	t.Parallel()
	auth, _ := resourceAuth(t, "/")
	metadata := auth.Metadata(httpmw.MetadataConfig{})
	r := httptest.NewRequest("GET", wellKnown, nil)
	r.Host, r.TLS = "api.example", &tls.ConnectionState{}
	w := httptest.NewRecorder()
	metadata.ServeHTTP(w, r)
	assert.Equal(t, "https://api.example", read(t, w).Resource)
}

// The document says where a token may stand, in the words of RFC 6750.
func TestMetadata_bearerMethods(t *testing.T) {
	t.Parallel()
	for want, from := range map[string]httpmw.Place{
		`["header"]`: {},
		`[]`:         httpmw.FromHeader("X-Token", ""),
		`["body"]`:   httpmw.FromForm(0),
		`["query"]`:  httpmw.InsecureFromQuery("access_token"),
		`[ ]`:        httpmw.InsecureFromQuery("token"),
		`["header","body"]`: httpmw.OneOf(httpmw.Place{}, httpmw.FromForm(0),
			httpmw.FromCookie("t", http.NewCrossOriginProtection())),
	} {
		verifier := plainVerifier(t, "https://a.example", nil)
		auth := httpmw.New(verifier, httpmw.Config{Resource: "https://api.example", From: from})
		got := serve(auth.Metadata(httpmw.MetadataConfig{}), "GET", wellKnown)
		assert.Contains(t, got.Body.String(), `"bearer_methods_supported":`+strings.ReplaceAll(want, " ", ""))
	}
}

// Where a Verifier takes tokens with a proof, clients are told how to sign it.
func TestMetadata_dpop(t *testing.T) {
	t.Parallel()
	confirmer, err := dpop.New(dpop.Config{})
	require.NoError(t, err)
	cfg := plainConfig("https://a.example", nil)
	cfg.Confirmers = []claims.Confirmer{confirmer}
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	auth := httpmw.New(verifier, httpmw.Config{Resource: "https://api.example"})
	var got struct {
		Algorithms []string `json:"dpop_signing_alg_values_supported"`
	}
	w := serve(auth.Metadata(httpmw.MetadataConfig{}), "GET", wellKnown)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.Equal(t, confirmer.Algorithms(), got.Algorithms)
	assert.NotEmpty(t, got.Algorithms)
}
