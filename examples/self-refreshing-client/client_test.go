package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	assert.Equal(t, "first run: 3 calls, 1 token requests so far\n"+
		"next run: 3 calls, 1 token requests so far\n", out.String())
}

// world is the API, which counts, and can be told to refuse tokens.
type world struct {
	issuer   *claimstest.Issuer
	api      string
	tokens   *store
	requests atomic.Int64
	updates  atomic.Int64

	mu      sync.Mutex
	revoked func(*claims.Claims) bool
}

func (w *world) revoke(which func(*claims.Claims) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revoked = which
}

func (w *world) check(_ context.Context, caller *claims.Claims) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.revoked != nil && w.revoked(caller) {
		return errors.New("revoked")
	}
	return nil
}

func start(t *testing.T, scopes ...string) (*world, *Client) {
	t.Helper()
	w := &world{issuer: claimstest.Start(t, claimstest.Config{
		Audience: audience, Clients: []claimstest.Client{app},
	})}
	handler, err := newAPI(w.issuer.URL(), w.check)
	require.NoError(t, err)
	w.api, err = loopback.Serve(t.Context(), http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		handler.ServeHTTP(rw, r)
	}))
	require.NoError(t, err)
	w.tokens, err = openStore(filepath.Join(t.TempDir(), "tokens.db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.tokens.db.Close()) })
	return w, w.client(scopes...)
}

func (w *world) client(scopes ...string) *Client {
	update := w.tokens.update(app.ID)
	return NewClient(SDKConfig{
		BaseURL: w.api, TokenURL: w.issuer.TokenURL(), ClientID: app.ID, ClientSecret: app.Secret,
		Scopes: scopes, TokenProvider: w.tokens.provider(app.ID),
		OnTokenUpdate: func(ctx context.Context, token Token) error {
			w.updates.Add(1)
			return update(ctx, token)
		},
	})
}

func (w *world) post(t *testing.T, c *Client) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.api+"/notes", strings.NewReader("tea"))
	require.NoError(t, err)
	response, err := c.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

func TestClient_storedTokenExpired(t *testing.T) {
	t.Parallel()
	w, c := start(t)
	require.NoError(t, w.tokens.save(app.ID, Token{"old", time.Now().Add(-time.Minute)}))
	status, _ := w.post(t, c)
	assert.Equal(t, http.StatusCreated, status)
	assert.Equal(t, 1, w.issuer.Requests("/token"))
	assert.EqualValues(t, 1, w.requests.Load(), "a token that has expired is not tried")
	stored, err := w.tokens.load(app.ID)
	require.NoError(t, err)
	assert.True(t, stored.lasts(), "the update hook has saved it")
}

// A token is revoked while it should last: one refresh, one repetition, with
// the body.
func TestClient_revoked(t *testing.T) {
	t.Parallel()
	w, c := start(t)
	status, _ := w.post(t, c)
	require.Equal(t, http.StatusCreated, status)
	first := c.token.AccessToken
	w.revoke(func(caller *claims.Claims) bool {
		at, err := w.tokens.load(app.ID)
		return err == nil && at.AccessToken == first
	})
	status, body := w.post(t, c)
	assert.Equal(t, http.StatusCreated, status)
	assert.Contains(t, body, "tea", "the body was sent again")
	assert.NotEqual(t, first, c.token.AccessToken)
	assert.Equal(t, 2, w.issuer.Requests("/token"))
	assert.EqualValues(t, 3, w.requests.Load())
	assert.EqualValues(t, 2, w.updates.Load())
}

// An API that accepts no token: no loop.
func TestClient_neverAccepted(t *testing.T) {
	t.Parallel()
	w, c := start(t)
	w.revoke(func(*claims.Claims) bool { return true })
	status, _ := w.post(t, c)
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.EqualValues(t, 2, w.requests.Load())
	assert.Equal(t, 2, w.issuer.Requests("/token"))
}

// Another program has refreshed the token meanwhile: the hook has it.
func TestClient_refreshedElsewhere(t *testing.T) {
	t.Parallel()
	w, c := start(t)
	status, _ := w.post(t, c)
	require.Equal(t, http.StatusCreated, status)
	c.token.AccessToken = "refused-by-now" // what this client still has
	status, _ = w.post(t, c)
	assert.Equal(t, http.StatusCreated, status)
	assert.Equal(t, 1, w.issuer.Requests("/token"))
}

// A 403 has nothing to do with the token's life.
func TestClient_lacksScope(t *testing.T) {
	t.Parallel()
	w, c := start(t, "read")
	status, _ := w.post(t, c)
	assert.Equal(t, http.StatusForbidden, status)
	assert.EqualValues(t, 1, w.requests.Load())
	assert.Equal(t, 1, w.issuer.Requests("/token"))
}

func TestClient_together(t *testing.T) {
	t.Parallel()
	w, c := start(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.api+"/notes", nil)
			if !assert.NoError(t, err) {
				return
			}
			response, err := c.Do(r)
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusOK, response.StatusCode)
				assert.NoError(t, response.Body.Close())
			}
		})
	}
	all.Wait()
	assert.Equal(t, 1, w.issuer.Requests("/token"))
}

func TestClient_withoutHooks(t *testing.T) {
	t.Parallel()
	w, c := start(t)
	c.cfg.TokenProvider, c.cfg.OnTokenUpdate = nil, nil
	status, _ := w.post(t, c)
	assert.Equal(t, http.StatusCreated, status)
	assert.Equal(t, 1, w.issuer.Requests("/token"))
}

func TestClient_bodyThatCannotBeRepeated(t *testing.T) {
	t.Parallel()
	w, c := start(t)
	w.revoke(func(*claims.Claims) bool { return true })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.api+"/notes",
		io.MultiReader(strings.NewReader("tea")))
	require.NoError(t, err)
	response, err := c.Do(r)
	if err == nil {
		_ = response.Body.Close()
	}
	require.ErrorIs(t, err, errBodyGone)
}
