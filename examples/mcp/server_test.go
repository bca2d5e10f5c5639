package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth/extauth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// world is a server, its issuer, and what was asked of both.
type world struct {
	issuer *claimstest.Issuer
	url    string // of /mcp

	mu        sync.Mutex
	scopes    []string // of the token requests
	decisions []claims.Decision
}

func (w *world) observe(_ context.Context, d claims.Decision) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.decisions = append(w.decisions, d)
}

// asked returns the scopes of the token requests so far.
func (w *world) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.scopes)
}

// recorded returns the decisions about an operation.
func (w *world) recorded(operation string) (list []claims.Decision) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.decisions {
		if d.Operation == operation {
			list = append(list, d)
		}
	}
	return list
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{}
	server := httptest.NewUnstartedServer(nil)
	w.url = "http://" + server.Listener.Addr().String() + "/mcp"
	listening := httptest.NewUnstartedServer(nil)
	var err error
	w.issuer, err = claimstest.New(claimstest.Config{
		URL: "http://" + listening.Listener.Addr().String(), Audience: w.url,
		Clients: []claimstest.Client{
			{ID: "agent", Secret: "secret", Scopes: []string{"orders:use", "orders:read", "orders:delete"}},
			{ID: "reader", Secret: "secret", Scopes: []string{"orders:use", "orders:read"}},
			{ID: "admin", Secret: "secret", Scopes: []string{"orders:admin"}},
		},
	})
	require.NoError(t, err)
	listening.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			var body strings.Builder
			_, _ = copyBody(&body, r)
			values, _ := url.ParseQuery(body.String())
			w.mu.Lock()
			w.scopes = append(w.scopes, values.Get("scope"))
			w.mu.Unlock()
		}
		withPKCE(w.issuer).ServeHTTP(rw, r)
	})
	listening.Start()
	t.Cleanup(listening.Close)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: w.issuer.URL(), Audiences: []string{w.url}, ScopeMap: scopeMap,
	})
	require.NoError(t, err)
	server.Config.Handler, err = newHandler(verifier, w.url, w.observe)
	require.NoError(t, err)
	server.Start()
	t.Cleanup(server.Close)
	return w
}

// connect returns a session of the SDK's own client, which knows nothing but
// the URL and its credentials.
func (w *world) connect(t *testing.T, client string) (*mcp.ClientSession, error) {
	t.Helper()
	handler, err := extauth.NewClientCredentialsHandler(&extauth.ClientCredentialsHandlerConfig{
		Credentials: &oauthex.ClientCredentials{
			ClientID: client, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: "secret"},
		},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(ctx,
		&mcp.StreamableClientTransport{Endpoint: w.url, OAuthHandler: handler, DisableStandaloneSSE: true}, nil)
	if err == nil {
		t.Cleanup(func() { _ = session.Close() })
	}
	return session, err
}

func callTool(t *testing.T, session *mcp.ClientSession, name string, arguments map[string]any) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: arguments})
	if err != nil {
		return "", err
	}
	require.False(t, result.IsError, "%+v", result.Content)
	return result.Content[0].(*mcp.TextContent).Text, nil
}

// From a URL to a tool call: the client is refused, reads the challenge and the
// metadata, gets a token for what it was told, and steps up once for each tool
// that needs more.
func TestClient(t *testing.T) {
	t.Parallel()
	w := start(t)
	session, err := w.connect(t, "agent")
	require.NoError(t, err)
	assert.Equal(t, []string{"orders:use"}, w.asked(), "what the first request needs, and no more")

	text, err := callTool(t, session, "list_orders", nil)
	require.NoError(t, err)
	assert.Contains(t, text, "tea")
	require.Len(t, w.asked(), 2)
	assert.ElementsMatch(t, []string{"orders:use", "orders:read"}, strings.Fields(w.asked()[1]))

	text, err = callTool(t, session, "delete_order", map[string]any{"id": "1"})
	require.NoError(t, err)
	assert.Equal(t, "deleted 1 for agent", text)
	require.Len(t, w.asked(), 3)

	// Both tools from now on, without another token.
	_, err = callTool(t, session, "list_orders", nil)
	require.NoError(t, err)
	_, err = callTool(t, session, "delete_order", map[string]any{"id": "2"})
	require.NoError(t, err)
	prompt, err := session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "summary"})
	require.NoError(t, err)
	assert.Len(t, prompt.Messages, 1)
	resource, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "orders://all"})
	require.NoError(t, err)
	assert.Equal(t, "{}", resource.Contents[0].Text)
	tools, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, tools.Tools, 3)
	assert.Len(t, w.asked(), 3)

	refused := w.recorded("tools/call delete_order")[0]
	assert.Equal(t, claims.ReasonScope, refused.Err.Reason())
	assert.Equal(t, "MCP", refused.Protocol)
}

// A client that cannot have the scope tries once, and says so.
func TestClient_stepsUpOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	session, err := w.connect(t, "reader")
	require.NoError(t, err)
	_, err = callTool(t, session, "delete_order", map[string]any{"id": "1"})
	require.Error(t, err)
	assert.Len(t, w.asked(), 2)
	assert.Len(t, w.recorded("tools/call delete_order"), 1)
}

// Nor does one loop whom another token would not help: there is no challenge.
func TestClient_unlisted(t *testing.T) {
	t.Parallel()
	w := start(t)
	session, err := w.connect(t, "agent")
	require.NoError(t, err)
	_, err = callTool(t, session, "export_orders", nil)
	require.Error(t, err)
	assert.LessOrEqual(t, len(w.asked()), 2)
	assert.LessOrEqual(t, len(w.recorded("unknown")), 2)
}

// A broader scope implies those that the tools need.
func TestClient_scopeMap(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := w.issuer.Mint(claimstest.Token{Subject: "root", Scope: "orders:admin"})
	transport := &mcp.StreamableClientTransport{
		Endpoint: w.url, DisableStandaloneSSE: true, HTTPClient: &http.Client{Transport: bearer(token)},
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), transport, nil)
	require.NoError(t, err)
	defer session.Close()
	text, err := callTool(t, session, "delete_order", map[string]any{"id": "1"})
	require.NoError(t, err)
	assert.Equal(t, "deleted 1 for root", text)
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// The SDK reads our metadata and challenges with a parser of its own.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := start(t)
	metadata, err := oauthex.GetProtectedResourceMetadata(t.Context(),
		strings.TrimSuffix(w.url, "/mcp")+"/.well-known/oauth-protected-resource/mcp", w.url, http.DefaultClient)
	require.NoError(t, err)
	assert.Equal(t, []string{w.issuer.URL()}, metadata.AuthorizationServers)
	assert.Equal(t, []string{"orders:delete", "orders:read", "orders:use"}, metadata.ScopesSupported)
	assert.Equal(t, []string{"header"}, metadata.BearerMethodsSupported)

	resp, err := http.Post(w.url, "application/json", strings.NewReader(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_orders"}}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	challenges, err := oauthex.ParseWWWAuthenticate(resp.Header.Values("WWW-Authenticate"))
	require.NoError(t, err)
	require.Len(t, challenges, 1)
	assert.Equal(t, "bearer", challenges[0].Scheme)
	assert.Equal(t, map[string]string{
		"realm": "orders", "scope": "orders:use orders:read",
		"resource_metadata": strings.TrimSuffix(w.url, "/mcp") + "/.well-known/oauth-protected-resource/mcp",
	}, challenges[0].Params)
}
