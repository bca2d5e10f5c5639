package claimstest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// tokenOf asks the token endpoint, over a real connection.
func tokenOf(t *testing.T, issuer *claimstest.Issuer, client claimstest.Client) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer.TokenURL(),
		strings.NewReader("grant_type=client_credentials"))
	require.NoError(t, err)
	r.Header.Set("Content-Type", form)
	r.SetBasicAuth(url.QueryEscape(client.ID), url.QueryEscape(client.Secret))
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var got struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&got))
	return got.Token
}

// What the token endpoint issues in the shape of a profile, a Verifier with
// that profile accepts, and reads client, scopes and permissions as they were
// granted. One with another profile refuses what should be refused.
func TestProfile_endToEnd(t *testing.T) {
	t.Parallel()
	const account = "system:serviceaccount:shop:importer"
	for profile, want := range map[claims.Profile]struct {
		client              string
		scopes, permissions bool
		skipAudience        bool
	}{
		0:                 {client: "importer", scopes: true},
		claims.RFC9068:    {client: "importer", scopes: true},
		claims.Auth0:      {client: "importer", scopes: true, permissions: true},
		claims.Cognito:    {client: "importer", scopes: true, permissions: true, skipAudience: true},
		claims.EntraV1:    {client: "importer", permissions: true},
		claims.EntraV2:    {client: "importer", permissions: true},
		claims.Google:     {client: "importer@project.iam.gserviceaccount.com"},
		claims.Hydra:      {client: "importer", scopes: true},
		claims.Keycloak:   {client: "importer", scopes: true, permissions: true},
		claims.Kubernetes: {client: account},
		claims.Okta:       {client: "importer", scopes: true},
	} {
		t.Run(profile.String(), func(t *testing.T) {
			t.Parallel()
			client := claimstest.Client{
				ID: want.client, Secret: "secret", Scopes: []string{"orders:read", "orders:write"},
				Permissions: []string{"approver"},
			}
			issuer := claimstest.Start(t, claimstest.Config{
				Profile: profile, Clients: []claimstest.Client{client},
			})
			cfg := claims.Config{
				Issuer: issuer.URL(), Profile: profile, ClientIDs: []string{want.client},
				KeyCache: jwks.Config{Logger: claimstest.Logger(t)},
			}
			if !want.skipAudience {
				cfg.Audiences = []string{claimstest.Audience}
			}
			verifier, err := claims.NewVerifier(cfg)
			require.NoError(t, err)
			token := tokenOf(t, issuer, client)
			caller, err := verifier.Authenticate(t.Context(), claims.Credentials{Scheme: "Bearer", Token: token})
			require.NoError(t, err, verifier.Explain(t.Context(), token).String())
			assert.Equal(t, want.client, caller.ClientID())
			var scopes []string
			if want.scopes {
				scopes = client.Scopes
			}
			assert.ElementsMatch(t, scopes, caller.Scopes())
			ctx := claims.NewContext(t.Context(), caller)
			assert.Equal(t, want.permissions, claims.Allowed(ctx, claims.Permissions("approver")) == nil)
		})
	}
}

func TestConfig_profileAndPathThatAreNone(t *testing.T) {
	t.Parallel()
	_, err := claimstest.New(claimstest.Config{URL: "https://a.example", Profile: claims.Profile(99)})
	require.ErrorContains(t, err, "Config.Profile of Profile(99) is none of Auth0, Cognito")
	for _, path := range []string{"token", "/a b", "/{x}", "/a?b"} {
		_, err = claimstest.New(claimstest.Config{URL: "https://a.example", TokenPath: path})
		assert.ErrorContains(t, err, "Config.TokenPath")
	}
}

func TestConfig_tokenPath(t *testing.T) {
	t.Parallel()
	client := claimstest.Client{
		ID: "shop", Secret: "s", Subject: "alice", Claims: map[string]any{"tenant": "a"},
	}
	for _, path := range []string{"/oauth/v2/token", "/auth/v5/token/"} {
		issuer := claimstest.Start(t, claimstest.Config{
			TokenPath: path, Clients: []claimstest.Client{client},
		})
		assert.Equal(t, issuer.URL()+path, issuer.TokenURL())
		_, payload := decode(t, tokenOf(t, issuer, client))
		assert.Equal(t, "alice", payload["sub"])
		assert.Equal(t, "a", payload["tenant"])
		resp, err := http.Post(issuer.TokenURL()+"x", form, nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	}
}

// logged is a test whose log is kept.
type logged struct {
	testing.TB
	lines []string
	end   func()
}

func (l *logged) Log(args ...any)  { l.lines = append(l.lines, args[0].(string)) }
func (l *logged) Cleanup(f func()) { l.end = f }

func TestLogger(t *testing.T) {
	t.Parallel()
	of := &logged{TB: t}
	logger := claimstest.Logger(of)
	logger.Warn("said", "n", 1)
	of.end()
	logger.Warn("too late")
	assert.Equal(t, []string{"level=WARN msg=said n=1"}, of.lines)
}
