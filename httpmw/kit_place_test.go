package httpmw_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// witness accepts every token and keeps the credentials that it was shown.
type witness struct {
	mu    sync.Mutex
	shown []claims.Credentials
}

func (w *witness) Authenticate(_ context.Context, c claims.Credentials) (*claims.Claims, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown = append(w.shown, c)
	return claims.FromJSON([]byte(`{"sub":"alice"}`), claims.Config{})
}

// tokens returns the tokens that the Authenticator was shown.
func (w *witness) tokens() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var tokens []string
	for _, c := range w.shown {
		tokens = append(tokens, c.Token)
	}
	return tokens
}

// refusals keeps the reasons of refusals.
type refusals struct {
	mu      sync.Mutex
	reasons []claims.Reason
}

func (r *refusals) observe(_ context.Context, d claims.Decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Err != nil {
		r.reasons = append(r.reasons, claims.AsError(d.Err).Reason())
	}
}

// placeCase is a request, as it goes over the wire, and what is found in a
// place of it: a token, or a reason why there is none.
type placeCase struct {
	request string // with "\n" for the ends of lines
	token   string
	reason  claims.Reason
}

// assertPlace sends the requests to a real server that looks at a place.
func assertPlace(t *testing.T, from httpmw.Place, cases map[string]placeCase) {
	t.Helper()
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, refused := new(witness), new(refusals)
			auth := httpmw.New(seen, httpmw.Config{From: from, Observer: refused.observe})
			server := httptest.NewServer(auth.Wrap(http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(w, r.Body)
				})))
			defer server.Close()
			resp := raw(t, server.Listener.Addr().String(), tt.request)
			if tt.reason != "" {
				assert.GreaterOrEqual(t, resp.StatusCode, 400)
				assert.Equal(t, []claims.Reason{tt.reason}, refused.reasons)
				return
			}
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			assert.Equal(t, []string{tt.token}, seen.tokens())
			_, sent, _ := strings.Cut(tt.request, "\n\n")
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, sent, string(got), "the handler can read the body")
			assert.Equal(t, "private", resp.Header.Get("Cache-Control"))
		})
	}
}

// raw sends a request as it is written, Content-Length and Host added.
func raw(t testing.TB, addr, text string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, onWire(text))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	return scanned(t, text, resp)
}

func onWire(text string) string {
	head, body, _ := strings.Cut(text, "\n\n")
	line, fields, _ := strings.Cut(head, "\n")
	head = line + " HTTP/1.1\nHost: api.example\n" + fields
	if !strings.HasSuffix(head, "\n") {
		head += "\n"
	}
	if !strings.Contains(head, "Transfer-Encoding:") && body != "" {
		head += fmt.Sprintf("Content-Length: %d\n", len(body))
	}
	return strings.ReplaceAll(head, "\n", "\r\n") + "\r\n" + body
}

// foundIn has a place look at a request, without a server. It returns the
// tokens that were shown, and the body that the handler can read.
func foundIn(t testing.TB, from httpmw.Place, r *http.Request) (tokens []string, body string) {
	t.Helper()
	seen := new(witness)
	auth := httpmw.New(seen, httpmw.Config{From: from})
	served := false
	w := httptest.NewRecorder()
	auth.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		served = true
		read, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		body = string(read)
	})).ServeHTTP(w, r)
	assert.LessOrEqual(t, len(seen.tokens()), 1)
	assert.NotEqual(t, http.StatusServiceUnavailable, w.Code, "nobody chooses that")
	if !served {
		return nil, ""
	}
	return seen.tokens(), body
}
