package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
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
	assert.Equal(t, `warehouse GET  200
warehouse POST 201
auditor   GET  200
auditor   POST 403: check the permissions of the account
warehouse GET  401 from the token endpoint: check client ID and secret
warehouse POST 401 from the token endpoint: check client ID and secret
`, out.String())
}

// decisions are those that an observer was told of.
type decisions struct {
	mu   sync.Mutex
	made []claims.Decision
}

func (d *decisions) observe(_ context.Context, made claims.Decision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made = append(d.made, made)
}

type platform struct {
	*decisions
	issuer *claimstest.Issuer
	api    string
}

func start(t *testing.T) platform {
	t.Helper()
	p := platform{decisions: &decisions{}}
	p.issuer = claimstest.Start(t, claimstest.Config{
		Audience: audience, TokenPath: tokenPath, Clients: []claimstest.Client{warehouse},
	})
	handler, err := newAPI(p.issuer.URL(), accounts, p.observe)
	require.NoError(t, err)
	p.api, err = loopback.Serve(t.Context(), handler)
	require.NoError(t, err)
	return p
}

func (p platform) client() *client {
	return &client{tokenURL: p.issuer.TokenURL(), api: p.api, id: warehouse.ID, secret: warehouse.Secret}
}

// One token serves until it expires, and its signature is checked on each call.
func TestToken_everyCall(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.client()
	for range 3 {
		status, err := c.call(t.Context(), "GET", "/v1/shipments")
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
	}
	assert.Equal(t, 1, p.issuer.Requests(tokenPath))
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Len(t, p.made, 3)
	for _, d := range p.made {
		assert.False(t, d.Remembered, "it was verified")
	}
}

func TestToken_changed(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.client()
	_, err := c.call(t.Context(), "GET", "/v1/shipments")
	require.NoError(t, err)
	head, signature := c.token[:strings.LastIndex(c.token, ".")+1], c.token[strings.LastIndex(c.token, ".")+1:]
	c.token = head + strings.Map(func(r rune) rune { // another signature of the same form
		if r == 'A' {
			return 'B'
		}
		return 'A'
	}, signature)
	status, err := c.call(t.Context(), "GET", "/v1/shipments")
	require.ErrorIs(t, err, errToken)
	assert.Equal(t, http.StatusUnauthorized, status)
}

// The table of the documentation: what a status means, and what says so.
func TestStatus(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, tt := range []struct {
		name, token, challenge string
		status                 int
	}{
		{"no token", "", `Bearer realm="api"`, http.StatusUnauthorized},
		{"no token at all", "opaque", `error="invalid_token"`, http.StatusUnauthorized},
		{"expired", p.issuer.Mint(claimstest.Token{
			Subject: "warehouse", ClientID: "warehouse", Lifetime: -1e12,
		}), `error="invalid_token"`, http.StatusUnauthorized},
		{"of another API", p.issuer.Mint(claimstest.Token{
			Subject: "warehouse", ClientID: "warehouse", Audience: []string{"https://other.example"},
		}), `error="invalid_token"`, http.StatusUnauthorized},
		{"an account without access", p.issuer.Mint(claimstest.Token{
			Subject: "nobody", ClientID: "nobody",
		}), "", http.StatusForbidden},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", p.api+"/v1/shipments", nil)
		require.NoError(t, err)
		if tt.token != "" {
			r.Header.Set("Authorization", "Bearer "+tt.token)
		}
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, tt.status, response.StatusCode, tt.name)
		if tt.challenge == "" {
			assert.Empty(t, response.Header.Get("WWW-Authenticate"), tt.name)
		} else {
			assert.Contains(t, response.Header.Get("WWW-Authenticate"), tt.challenge, tt.name)
		}
	}
}
