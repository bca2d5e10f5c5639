package bench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	auth0v3 "github.com/auth0/go-jwt-middleware/v3"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// endToEndAlgorithms are the two that most issuers use.
var endToEndAlgorithms = []string{"RS256", "ES256"}

func httpName(alg string) string { return "transport=HTTP/alg=" + alg }

type httpContestant struct {
	impl    string
	handler http.Handler
}

// httpContestants are handlers that tell a caller with a good token "no
// content", each behind its guard; the first has none.
func httpContestants(tb testing.TB, w *world, alg string) []httpContestant {
	tb.Helper()
	all := []httpContestant{
		{"none", answer(func(context.Context) string { return subject })},
	}
	for _, g := range sallyportGuards(tb, w) {
		guard := httpmw.New(g.auth, httpmw.Config{Permissions: g.permissions})
		handler := guard.Require(g.needs)(answer(sallyportSubject))
		all = append(all, httpContestant{g.impl, handler})
	}
	all = append(all,
		httpContestant{"golang-jwt", ownMiddleware(startGolangJWT(tb, w, alg))},
		httpContestant{"go-oidc", ownMiddleware(startGoOIDC(tb, w, alg))})
	v3, err := auth0v3.New(auth0v3.WithValidator(auth0v3Validator(tb, w, alg)))
	require.NoError(tb, err)
	return append(all, httpContestant{"auth0-v3", v3.CheckJWT(answer(v3Subject))})
}

// sallyportGuard is what a guard of Sallyport's is made of.
type sallyportGuard struct {
	impl        string
	auth        claims.Authenticator
	permissions claims.PermissionSource
	needs       claims.Requirement
}

// sallyportGuards ask for a scope, and the last two for a permission as well:
// one that the token's claims have, and one that a source was asked for before.
func sallyportGuards(tb testing.TB, w *world) []sallyportGuard {
	tb.Helper()
	cfg := sallyportConfig(tb, w)
	cfg.PermissionClaims = []string{"permissions"}
	source, err := claims.NewPermissionCache(grantAll{}, claims.PermissionCacheConfig{})
	require.NoError(tb, err)
	scope := claims.Scopes(requiredScope)
	inClaims := claims.All(scope, claims.Permissions("orders:write"))
	inSource := claims.All(scope, claims.Permissions("orders:archive"))
	return []sallyportGuard{
		{"sallyport", uncachedVerifier(tb, w), nil, scope},
		{"sallyport-cached", cachedVerifier(tb, w), nil, scope},
		{"sallyport-cached-claims", newVerifier(tb, cfg), nil, inClaims},
		{"sallyport-cached-source", cachedVerifier(tb, w), source, inSource},
	}
}

// answer is the handler: it asks who the caller is.
func answer(subjectOf func(context.Context) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subjectOf(r.Context()) != subject {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

type callerKey struct{}

func ownSubject(ctx context.Context) string {
	caller, _ := ctx.Value(callerKey{}).(string)
	return caller
}

// ownMiddleware is what users of a library without middleware write themselves.
func ownMiddleware(v verify) http.Handler {
	next := answer(ownSubject)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			http.Error(w, "no token", http.StatusUnauthorized)
			return
		}
		caller, err := v(r.Context(), token)
		if err != nil {
			http.Error(w, "invalid token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

// httpCaller sends the same request again and again on a connection of its own.
// It does only what it must, as clients and servers share the processors.
type httpCaller struct {
	conn    net.Conn
	request []byte
	buffer  [2048]byte
}

func newHTTPCaller(tb testing.TB, address, token string) *httpCaller {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	request := "GET /orders HTTP/1.1\r\nHost: " + address +
		"\r\nUser-Agent: bench\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	return &httpCaller{conn: conn, request: []byte(request)}
}

func (c *httpCaller) call() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	read := 0
	for !bytes.Contains(c.buffer[:read], []byte("\r\n\r\n")) {
		n, err := c.conn.Read(c.buffer[read:])
		if err != nil {
			return err
		}
		read += n
	}
	status, _, _ := bytes.Cut(c.buffer[:read], []byte("\r\n"))
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 204 ")) {
		return fmt.Errorf("bench: %s", status)
	}
	return nil
}
