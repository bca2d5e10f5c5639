package introspection_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
)

type m = map[string]any

const (
	issuer   = "https://issuer.example"
	audience = "https://orders.example"
	secret   = "s3cr:t/&="
)

// authority is an introspection endpoint.
type authority struct {
	mu      sync.Mutex
	answers map[string]any // by token: an object, or a function that answers
	asked   atomic.Int64
	forms   []url.Values
}

type answering = http.HandlerFunc

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked.Add(1)
	id, given, ok := r.BasicAuth()
	decoded, _ := url.QueryUnescape(given)
	if r.Method != http.MethodPost || !ok || id != "orders" || decoded != secret {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_ = r.ParseForm()
	a.mu.Lock()
	a.forms = append(a.forms, r.PostForm)
	answer := a.answers[r.PostForm.Get("token")]
	a.mu.Unlock()
	if f, ok := answer.(answering); ok {
		f(w, r)
		return
	}
	if answer == nil {
		answer = m{"active": false}
	}
	write(w, answer)
}

func write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// text answers with a text of a type.
func text(status int, mediaType, body string) answering {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func (a *authority) set(token string, answer any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.answers == nil {
		a.answers = map[string]any{}
	}
	a.answers[token] = answer
}

// good is an answer about an active token.
func good(more m) m {
	answer := m{"active": true, "sub": "alice", "client_id": "shop", "aud": audience, "scope": "read write"}
	for name, value := range more {
		if answer[name] = value; value == nil {
			delete(answer, name)
		}
	}
	return answer
}

// start starts the endpoint on a loopback address, and returns what asks it.
func (a *authority) start(t testing.TB, edit func(*introspection.Config)) *introspection.Introspector {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return newIntrospector(t, server.URL, edit)
}

func newIntrospector(
	t testing.TB, endpoint string, edit func(*introspection.Config),
) *introspection.Introspector {
	t.Helper()
	cfg := introspection.Config{
		Endpoint: endpoint, Client: introspection.Basic("orders", secret),
		Accept: claims.Config{Issuer: issuer, Audiences: []string{audience}},
	}
	if edit != nil {
		edit(&cfg)
	}
	in, err := introspection.New(cfg)
	require.NoError(t, err)
	return in
}

// inProcess are calls that stay in this process, whose time a test sets.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w, done := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(done)
		p.ServeHTTP(w, r)
	}()
	select {
	case <-done:
		return w.Result(), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func within(a http.Handler, edit func(*introspection.Config)) func(*introspection.Config) {
	return func(cfg *introspection.Config) {
		cfg.HTTP = &http.Client{Transport: inProcess{a}}
		if edit != nil {
			edit(cfg)
		}
	}
}

func bearer(token string) claims.Credentials {
	return claims.Credentials{Scheme: "Bearer", Token: token}
}

// assertRefused asserts the class and the reason of a refusal, and that it says
// nothing of the token to the client.
func assertRefused(t testing.TB, class error, reason claims.Reason, caller *claims.Claims, err error) {
	t.Helper()
	require.Error(t, err)
	assert.Nil(t, caller)
	require.ErrorIs(t, err, class, "%v", errors.Unwrap(claims.AsError(err)))
	assert.Equal(t, reason, claims.AsError(err).Reason(), "%v", errors.Unwrap(claims.AsError(err)))
}

// confirmer proves a member by the proof of a request, which must be its value.
type confirmer struct{ member, scheme string }

func (c confirmer) Confirms() (member, scheme string) { return c.member, c.scheme }

func (confirmer) Confirm(ctx context.Context, value string, c claims.Credentials) error {
	for _, proof := range c.Proof.Prove(ctx).DPoP {
		if proof == value {
			return nil
		}
	}
	return errors.New("no proof")
}

type proofs []string

func (p proofs) Prove(context.Context) claims.Proof { return claims.Proof{DPoP: p} }
