package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/loopback"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	assert.NotContains(t, lines[0], "errors")
	assert.Contains(t, lines[0], `"porto":{"properties":["flat 1 in porto","flat 2 in porto"],"revenue":1200}`)
	assert.Contains(t, lines[1], `"lisbon":{"properties":["flat 1 in lisbon","flat 2 in lisbon"],"revenue":null}`)
	assert.Contains(t, lines[1], `"porto":{"properties":null,"revenue":null}`)
	assert.Equal(t, 3, strings.Count(lines[1], "FORBIDDEN"))
	assert.Equal(t, 4, strings.Count(lines[2], "FORBIDDEN"))
}

func start(t *testing.T) (*claimstest.Issuer, func(claimstest.Client) *client) {
	t.Helper()
	issuer := claimstest.Start(t, issuerConfig())
	handler, err := newAPI(issuer.URL(), grants)
	require.NoError(t, err)
	api, err := loopback.Serve(t.Context(), handler)
	require.NoError(t, err)
	return issuer, func(as claimstest.Client) *client {
		return &client{tokenURL: issuer.TokenURL(), api: api, id: as.ID, secret: as.Secret}
	}
}

// The token looks as the platform's documentation shows it.
func TestToken_shape(t *testing.T) {
	t.Parallel()
	issuer, as := start(t)
	token, err := as(manager).bearer(t.Context())
	require.NoError(t, err)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(payload, &got))
	assert.Equal(t, "access", got["token_use"])
	assert.Equal(t, got["client_id"], got["sub"])
	assert.EqualValues(t, 2, got["version"])
	assert.NotContains(t, got, "aud")
	assert.Contains(t, got, "auth_time")
	assert.True(t, strings.HasSuffix(issuer.TokenURL(), "/v1/oauth2/token"))
}

// One token works across workspaces, and is used until it expires.
func TestToken_acrossWorkspaces(t *testing.T) {
	t.Parallel()
	issuer, as := start(t)
	c := as(manager)
	for _, workspace := range []string{"lisbon", "porto", "lisbon"} {
		answer, err := c.query(t.Context(), `{ workspace(id: "`+workspace+`") { revenue } }`)
		require.NoError(t, err)
		assert.JSONEq(t, `{"data":{"workspace":{"revenue":1200}}}`, answer)
	}
	assert.Equal(t, 1, issuer.Requests("/v1/oauth2/token"))
}

func TestMutation(t *testing.T) {
	t.Parallel()
	_, as := start(t)
	for _, tt := range []struct {
		as        claimstest.Client
		workspace string
		want      string
	}{
		{manager, "lisbon", `{"data":{"addProperty":"attic"}}`},
		{manager, "porto", "FORBIDDEN"},
		{cleaner, "lisbon", "FORBIDDEN"},
		{manager, "nowhere", "FORBIDDEN"},
		{manager, "", "FORBIDDEN"},
	} {
		answer, err := as(tt.as).query(t.Context(),
			`mutation { addProperty(workspace: "`+tt.workspace+`", name: "attic") }`)
		require.NoError(t, err)
		assert.Contains(t, answer, tt.want, tt.workspace)
	}
}

// What is no access token of a client of the pool is refused as a whole.
func TestToken_refused(t *testing.T) {
	t.Parallel()
	issuer, as := start(t)
	for name, token := range map[string]claimstest.Token{
		"another client": {ClientID: "other", Subject: "other", Scope: scope},
		"without scope":  {ClientID: manager.ID, Subject: manager.ID},
		"an ID token": {ClientID: manager.ID, Subject: manager.ID, Scope: scope,
			Claims: map[string]any{"token_use": "id"}},
		"for another API": {ClientID: manager.ID, Subject: manager.ID, Scope: scope,
			Claims: map[string]any{"aud": "https://other.example"}},
	} {
		c := as(manager)
		answer, err := post(t.Context(), c.api+"/v1", issuer.Mint(token), []byte(`{"query":"{ workspace(id: 1) { id } }"}`))
		assert.Error(t, err, name)
		assert.NotContains(t, string(answer), "data", name)
	}
	_, err := as(claimstest.Client{ID: manager.ID, Secret: "wrong"}).query(t.Context(), query)
	require.ErrorContains(t, err, "401")
}

// Each operation of the table needs something.
func TestOperations(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, operations)
	for name, needs := range operations {
		require.NoError(t, needs.Validate(), name)
		assert.False(t, needs.IsPublic() || needs.Equal(claims.Authenticated()), name)
	}
}
