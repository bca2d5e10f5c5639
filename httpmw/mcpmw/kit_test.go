package mcpmw_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/httpmw/mcpmw"
)

// spy is the handler of an MCP server that keeps what reached it.
type spy struct {
	reached      int
	body         string
	method, name string
	caller       *claims.Claims
}

func (s *spy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.reached++
	body, _ := io.ReadAll(r.Body)
	s.body = string(body)
	s.method, s.name, _ = mcpmw.FromContext(r.Context())
	s.caller, _ = claims.FromContext(r.Context())
	w.WriteHeader(http.StatusAccepted)
}

// start returns a server that has a guard before a spy.
func start(t testing.TB, cfg mcpmw.Config, observer claims.Observer) (*claimstest.Issuer, *httptest.Server, *spy) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		ScopeMap: map[string][]string{"admin": {"add", "read"}},
	})
	require.NoError(t, err)
	auth := httpmw.New(verifier, httpmw.Config{Resource: "https://api.example/mcp", Observer: observer})
	guard, err := mcpmw.New(auth, cfg)
	require.NoError(t, err)
	s := &spy{}
	server := httptest.NewServer(guard.Wrap(s))
	t.Cleanup(server.Close)
	return issuer, server, s
}

// answer is what a client gets.
type answer struct {
	status    int
	challenge string
	body      string
}

func send(t testing.TB, server *httptest.Server, method, body, token string, fields ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header.Get("WWW-Authenticate"), string(text)}
}

func call(method, params string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
}
