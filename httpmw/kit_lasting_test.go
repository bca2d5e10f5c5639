package httpmw_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/httpmw"
)

// patience is how long something that must happen may take on a busy machine.
const patience = 30 * time.Second

// lives serves responses that end with their token.
type lives struct {
	issuer   *claimstest.Issuer
	ended    *revocation.Table
	auth     *httpmw.Middleware
	server   *httptest.Server
	returned chan error           // what a handler's context was done for
	recorded chan claims.Decision // of what has ended
}

// newLives returns a server of the handler, over HTTP/2 and TLS if proto is 2.
func newLives(t *testing.T, proto int, needs claims.Requirement, handler http.HandlerFunc) *lives {
	t.Helper()
	l := &lives{
		issuer:   claimstest.Start(t, claimstest.Config{}),
		returned: make(chan error, 100), recorded: make(chan claims.Decision, 100),
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: l.issuer.URL(), Audiences: []string{claimstest.Audience}, Leeway: -1,
	})
	require.NoError(t, err)
	l.ended, err = revocation.NewTable(revocation.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	l.auth = httpmw.New(verifier, httpmw.Config{
		Revocations: l.ended,
		Observer: func(_ context.Context, d claims.Decision) {
			if d.Part {
				l.recorded <- d
			}
		},
	})
	mux := httpmw.NewServeMux(l.auth)
	mux.HandleFunc("/", needs, func(w http.ResponseWriter, r *http.Request) {
		handler(w, r)
		l.returned <- context.Cause(r.Context())
	})
	l.server = httptest.NewUnstartedServer(mux)
	if l.server.EnableHTTP2 = proto == 2; proto == 2 {
		l.server.StartTLS()
	} else {
		l.server.Start()
	}
	t.Cleanup(l.server.Close)
	return l
}

// token returns one that is valid for about so long.
func (l *lives) token(lifetime time.Duration) string {
	return l.issuer.Mint(claimstest.Token{Subject: "alice", Claims: map[string]any{
		"exp": time.Now().Add(lifetime).Unix(), "sid": "s1",
	}})
}

// ask sends a request, whose answer it returns once its header is here.
func (l *lives) ask(t *testing.T, token string, body io.Reader) *http.Response {
	t.Helper()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, l.server.URL, body)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := l.server.Client().Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// revoke ends what alice has.
func (l *lives) revoke(t *testing.T) {
	t.Helper()
	require.NoError(t, l.ended.Revoke(t.Context(), revocation.Entry{Issuer: l.issuer.URL(), Session: "s1"}))
}

// assertEnded checks that a handler came back, for that reason, and that it was
// recorded once.
func (l *lives) assertEnded(t *testing.T, reason claims.Reason) {
	t.Helper()
	select {
	case cause := <-l.returned:
		if assert.Error(t, cause) {
			assert.Equal(t, reason, claims.AsError(cause).Reason(), "%v", cause)
		}
	case <-time.After(patience):
		require.Fail(t, "the handler did not come back")
	}
	select {
	case d := <-l.recorded:
		assert.Equal(t, reason, d.Err.Reason())
		assert.Equal(t, "alice", d.Subject)
	case <-time.After(patience):
		require.Fail(t, "nobody was told")
	}
	assert.Empty(t, l.recorded, "it has ended once")
}
