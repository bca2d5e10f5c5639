package main

import (
	"bytes"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/loopback"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `connection test: true
GET    /api/v5/assets: 200, 0 token requests
POST   /api/v5/assets: 200, 0 token requests
DELETE /api/v5/assets: 403, 1 token requests
GET    /api/v5/users: 403, 0 token requests
`, out.String())
}

type world struct {
	issuer   *claimstest.Issuer
	api      string
	requests atomic.Int64 // that the API has had
}

func start(t *testing.T, client claimstest.Client) (*world, *connection) {
	t.Helper()
	w := &world{issuer: claimstest.Start(t, claimstest.Config{
		Audience: audience, TokenPath: tokenPath, Clients: []claimstest.Client{client},
	})}
	handler, err := newAPI(w.issuer.URL())
	require.NoError(t, err)
	w.api, err = loopback.Serve(t.Context(), http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		handler.ServeHTTP(rw, r)
	}))
	require.NoError(t, err)
	return w, newConnection(w.issuer.TokenURL(), w.api, client.ID, client.Secret)
}

func (w *world) status(t *testing.T, c *connection, method, path string) int {
	t.Helper()
	response, err := c.Do(t.Context(), method, path)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// A token that is not accepted any more: acquire again, once.
func TestConnection_expired(t *testing.T) {
	t.Parallel()
	w, c := start(t, tenant)
	require.NoError(t, c.Test(t.Context()))
	c.token = w.issuer.Mint(claimstest.Token{ClientID: tenant.ID, Subject: tenant.ID, Lifetime: -1e12})
	assert.Equal(t, http.StatusOK, w.status(t, c, "GET", "/api/v5/assets"))
	assert.Equal(t, 2, w.issuer.Requests(tokenPath))
	assert.EqualValues(t, 3, w.requests.Load(), "the test, the refused, and once more")
}

// A token endpoint whose tokens are never accepted: no loop.
func TestConnection_neverAccepted(t *testing.T) {
	t.Parallel()
	w, c := start(t, tenant)
	elsewhere, _ := start(t, tenant) // another issuer
	c.tokenURL = elsewhere.issuer.TokenURL()
	assert.Equal(t, http.StatusUnauthorized, w.status(t, c, "GET", "/api/v5/assets"))
	assert.EqualValues(t, 2, w.requests.Load())
	assert.Equal(t, 2, elsewhere.issuer.Requests(tokenPath))
	require.ErrorContains(t, c.Test(t.Context()), "401")
}

// A token with less scope than the client may have: the challenge says which to
// ask for.
func TestConnection_scopeFromChallenge(t *testing.T) {
	t.Parallel()
	w, c := start(t, tenant)
	c.token = w.issuer.Mint(claimstest.Token{ClientID: tenant.ID, Subject: tenant.ID, Scope: "assets:read"})
	assert.Equal(t, http.StatusOK, w.status(t, c, "POST", "/api/v5/assets"))
	assert.Equal(t, "assets:write", c.scope)
	assert.Equal(t, 1, w.issuer.Requests(tokenPath))
}

// What no token gives: one that goes by the status alone acquires a token for
// each such answer, the challenge tells better.
func TestConnection_notPermitted(t *testing.T) {
	t.Parallel()
	w, c := start(t, tenant)
	require.NoError(t, c.Test(t.Context()))
	for range 10 {
		assert.Equal(t, http.StatusForbidden, w.status(t, c, "GET", "/api/v5/users"))
	}
	assert.Equal(t, 1, w.issuer.Requests(tokenPath), "the one of the test")
	assert.EqualValues(t, 11, w.requests.Load())
}

func TestConnection_down(t *testing.T) {
	t.Parallel()
	w, c := start(t, tenant)
	w.issuer.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == tokenPath {
				next.ServeHTTP(rw, r)
				return
			}
			http.Error(rw, "down", http.StatusBadGateway)
		})
	})
	assert.Equal(t, http.StatusServiceUnavailable, w.status(t, c, "GET", "/api/v5/assets"))
	assert.Equal(t, 1, w.issuer.Requests(tokenPath), "no token for a 503")
}

func TestConnection_wrongSecret(t *testing.T) {
	t.Parallel()
	_, c := start(t, tenant)
	c.secret = "wrong"
	require.ErrorContains(t, c.Test(t.Context()), "invalid_client")
}

// Requests that fail together acquire one token.
func TestConnection_together(t *testing.T) {
	t.Parallel()
	w, c := start(t, tenant)
	c.token = w.issuer.Mint(claimstest.Token{ClientID: tenant.ID, Subject: tenant.ID, Lifetime: -1e12})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			response, err := c.Do(t.Context(), "GET", "/api/v5/assets")
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusOK, response.StatusCode)
				assert.NoError(t, response.Body.Close())
			}
		})
	}
	all.Wait()
	assert.Equal(t, 1, w.issuer.Requests(tokenPath))
}
