package httpmw_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// guard returns an issuer on loopback and a Middleware that trusts it.
func guard(t testing.TB) (*claimstest.Issuer, *httpmw.Middleware) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    issuer.URL(),
		Audiences: []string{claimstest.Audience},

		PermissionClaims: []string{"permissions"},
	})
	require.NoError(t, err)
	return issuer, httpmw.New(verifier, httpmw.Config{})
}

// spy is a handler that tells whether it was reached, and by whom.
type spy struct {
	reached bool
	caller  *claims.Claims
}

func (s *spy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.reached = true
	s.caller, _ = claims.FromContext(r.Context())
	w.WriteHeader(http.StatusNoContent)
}

// answer is what a client gets.
type answer struct {
	status  int
	header  http.Header
	trailer http.Header
	body    string
}

// get asks a real server with the Authorization fields given.
func get(t testing.TB, handler http.Handler, authorization ...string) answer {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	req.Header["Authorization"] = authorization
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	resp = scanned(t, strings.Join(authorization, " "), resp)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, resp.Trailer, string(body)}
}

// nobody is an Authenticator that accepts no token, and says why or does not.
type nobody struct{ err error }

func (n nobody) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return nil, n.err
}

// fill puts a token where TOKEN stands.
func fill(values []string, token string) []string {
	filled := make([]string, len(values))
	for i, value := range values {
		filled[i] = strings.ReplaceAll(value, "TOKEN", token)
	}
	return filled
}
