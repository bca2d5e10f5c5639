package opaque_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sallyport-go/sallyport/examples/opaque"
)

const audience = "https://photos.example"

// server is an authorization server: a token endpoint, one for introspection
// (RFC 7662) and one for revocation (RFC 7009).
func server(t *testing.T) string {
	t.Helper()
	store := storage.NewExampleStore()
	for _, id := range []string{"my-client", "encoded:client"} {
		store.Clients[id].(*fosite.DefaultClient).Audience = []string{audience, "https://other.example"}
	}
	config := &fosite.Config{
		AccessTokenLifespan: time.Hour, GlobalSecret: []byte("thirty-two-bytes-that-are-secret"),
	}
	provider := compose.Compose(config, store,
		&compose.CommonStrategy{CoreStrategy: compose.NewOAuth2HMACStrategy(config)},
		compose.OAuth2ClientCredentialsGrantFactory, compose.OAuth2TokenIntrospectionFactory,
		compose.OAuth2TokenRevocationFactory)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		request, err := provider.NewAccessRequest(r.Context(), r, &fosite.DefaultSession{Subject: "peter"})
		if err != nil {
			provider.WriteAccessError(r.Context(), w, request, err)
			return
		}
		for _, scope := range request.GetRequestedScopes() {
			request.GrantScope(scope)
		}
		for _, of := range request.GetRequestedAudience() {
			request.GrantAudience(of)
		}
		response, err := provider.NewAccessResponse(r.Context(), request)
		if err != nil {
			provider.WriteAccessError(r.Context(), w, request, err)
			return
		}
		provider.WriteAccessResponse(r.Context(), w, request, response)
	})
	mux.HandleFunc("POST /introspect", func(w http.ResponseWriter, r *http.Request) {
		response, err := provider.NewIntrospectionRequest(r.Context(), r, &fosite.DefaultSession{})
		if err != nil {
			provider.WriteIntrospectionError(r.Context(), w, err)
			return
		}
		provider.WriteIntrospectionResponse(r.Context(), w, response)
	})
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) {
		err := provider.NewRevocationRequest(r.Context(), r)
		provider.WriteRevocationResponse(r.Context(), w, err)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// A client that knows nothing but OAuth, a real authorization server, and the
// API between them.
func TestOpaque(t *testing.T) {
	t.Parallel()
	at := server(t)
	// The API's own ID and secret have characters that RFC 6749 encodes.
	handler, err := opaque.New(opaque.Server{
		Issuer: at, IntrospectionURL: at + "/introspect", ClientID: "encoded:client", Secret: "encoded&password",
	}, audience)
	require.NoError(t, err)
	api := httptest.NewServer(handler)
	defer api.Close()

	tokenFor := func(of, scope string) string {
		token, err := (&clientcredentials.Config{
			ClientID: "my-client", ClientSecret: "foobar", TokenURL: at + "/token", AuthStyle: oauth2.AuthStyleInHeader,
			Scopes: []string{scope}, EndpointParams: url.Values{"audience": {of}},
		}).Token(t.Context())
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(token.AccessToken, "ory_at_"), "it is opaque")
		return token.AccessToken
	}
	ask := func(method, token string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, api.URL+"/photos", nil)
		require.NoError(t, err)
		response, err := oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})).Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	good := tokenFor(audience, "photos")
	status, body := ask(http.MethodGet, good)
	assert.Equal(t, 200, status, body)
	assert.Equal(t, "photos for my-client\n", body)
	status, _ = ask(http.MethodDelete, good)
	assert.Equal(t, 403, status)
	for name, bad := range map[string]string{
		"made up":     "ory_at_made.up",
		"changed":     good[:len(good)-4] + "AAAA",
		"another API": tokenFor("https://other.example", "photos"),
		"revoked": func() string {
			token := tokenFor(audience, "photos")
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/revoke",
				strings.NewReader(url.Values{"token": {token}}.Encode()))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth("my-client", "foobar")
			response, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, 200, response.StatusCode)
			return token
		}(),
	} {
		status, body := ask(http.MethodGet, bad)
		assert.Equal(t, 401, status, name)
		assert.NotContains(t, body, bad)
	}
}
