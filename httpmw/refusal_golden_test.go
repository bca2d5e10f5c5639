package httpmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// internal is what stands behind the refusals of these tests: no client may
// see any of it.
const internal = "dial tcp db.internal:5432: password hunter2"

// situations are requests that are refused by what a requirement asks for, a
// key set that is away, or the request itself.
func situations(t testing.TB) map[string]http.Handler {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	auth := httpmw.New(verifierOf(t, issuer), httpmw.Config{Realm: `the "orders"`})
	away, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: outOfOrder{},
	})
	require.NoError(t, err)
	unavailable := httpmw.New(away, httpmw.Config{})
	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read", Claims: m{"acr": "0"}})
	with := func(next http.Handler, authorization ...string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header["Authorization"] = authorization
			next.ServeHTTP(w, r)
		})
	}
	served := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") })
	broken := claims.Func("broken", func(context.Context, *claims.Claims) (bool, error) {
		return false, errors.New(internal)
	})
	never := claims.Func("never", func(context.Context, *claims.Claims) (bool, error) {
		return false, nil
	})
	crossing := httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromCookie("t", trusting(t))})
	write := claims.Scopes("orders:read", "orders:write")
	inside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth.Refuse(w, r, claims.Allowed(r.Context(), write))
	})
	both := claims.All(write, claims.ACR("1", "2"), claims.MaxAge(90*time.Second))
	return map[string]http.Handler{
		"no token":                      with(auth.Wrap(served)),
		"no token, scope needed":        with(auth.Require(both)(served)),
		"another scheme, scope needed":  with(auth.Require(write)(served), "Basic dTpw"),
		"two fields":                    with(auth.Require(write)(served), "Bearer "+token, "Bearer "+token),
		"no scheme":                     with(auth.Require(write)(served), token),
		"bad token, scope needed":       with(auth.Require(write)(served), "Bearer "+token[:strings.LastIndexByte(token, '.')]+".AAAA"),
		"scope missing":                 with(auth.Require(write)(served), "Bearer "+token),
		"authentication too weak":       with(auth.Require(claims.ACR("1", "2"))(served), "Bearer "+token),
		"authentication too old":        with(auth.Require(claims.MaxAge(90*time.Second))(served), "Bearer "+token),
		"scope missing and too weak":    with(auth.Require(both)(served), "Bearer "+token),
		"permission missing":            with(auth.Require(never)(served), "Bearer "+token),
		"cannot be decided":             with(auth.Require(broken)(served), "Bearer "+token),
		"no keys for a minute":          with(unavailable.Wrap(served), "Bearer "+token),
		"cookie from another origin":    crossOrigin(crossing.Wrap(served)),
		"not made by New":               (*httpmw.ServeMux)(nil),
		"refused inside, scope missing": with(auth.Wrap(inside), "Bearer "+token),
	}
}

func crossOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Cookie", "t=abc")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		next.ServeHTTP(w, r)
	})
}

// outOfOrder is a claims.KeySource that has no keys for a minute.
type outOfOrder struct{}

func (outOfOrder) Lookup(context.Context, string, string) ([]*jwks.Key, error) {
	return nil, &jwks.UnavailableError{RetryAfter: time.Minute}
}

// byReason is a handler for each reason that there is, refused by the guard
// where an Authenticator can be the one to refuse, and inside a handler where
// none can.
func byReason() map[string]http.Handler {
	handlers := map[string]http.Handler{}
	for _, refusal := range claims.Refusals() {
		cause := fmt.Errorf("claims: %s", internal)
		err := claims.NewError(refusal.Class(), refusal.Reason(), cause)
		auth := httpmw.New(nobody{err}, httpmw.Config{})
		handlers[fmt.Sprintf("reason %s", refusal.Reason())] = http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				auth.Refuse(w, r, fmt.Errorf("%s: %w", internal, err))
			})
	}
	return handlers
}

// What clients are told of every refusal, to the byte, by each of the forms
// that they can ask for, and that it can be read back.
func TestRefusals_golden(t *testing.T) {
	t.Parallel()
	handlers := situations(t)
	maps.Copy(handlers, byReason())
	var table strings.Builder
	for _, name := range slices.Sorted(maps.Keys(handlers)) {
		for _, ask := range []struct{ method, accept string }{
			{"GET", ""}, {"GET", "application/json"}, {"GET", "text/plain"}, {"HEAD", ""},
		} {
			resp := askFor(t, handlers[name], ask.method, ask.accept)
			title := name + ": " + strings.TrimSpace(ask.method+" "+ask.accept)
			text := written(resp)
			assertNothingInternal(t, title, text)
			assertReadable(t, title, resp)
			if ask.method == "HEAD" || ask.accept != "" { // no more than differs
				assertSameButBody(t, title, askFor(t, handlers[name], "GET", ""), resp)
				text = withoutLines(text, "Cache-Control", "Retry-After", "Www-Authenticate")
			}
			fmt.Fprintf(&table, "=== %s\n%s\n", title, text)
		}
	}
	assertGolden(t, "refusals.txt", table.String())
}

// askFor asks a real server.
func askFor(t *testing.T, handler http.Handler, method, accept string) *http.Response {
	t.Helper()
	return send(t, handler, func(r *http.Request) {
		r.Method = method
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
	})
}

// written returns a response as it goes over the wire, but for its date.
func written(resp *http.Response) string {
	var b strings.Builder
	fmt.Fprintln(&b, resp.Status)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		for _, value := range resp.Header[name] {
			if name != "Date" {
				fmt.Fprintf(&b, "%s: %s\n", name, value)
			}
		}
	}
	body, _ := io.ReadAll(resp.Body)
	if len(body) > 0 {
		fmt.Fprintf(&b, "\n%s", body)
	}
	return b.String()
}

func withoutLines(text string, names ...string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, ":")
		if !slices.Contains(names, name) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// assertSameButBody asserts that status and header depend on the refusal alone.
func assertSameButBody(t *testing.T, title string, want, got *http.Response) {
	t.Helper()
	assert.Equal(t, want.StatusCode, got.StatusCode, title)
	for name := range want.Header {
		switch name {
		case "Date", "Content-Type", "Content-Length":
		default:
			assert.Equal(t, want.Header[name], got.Header[name], title)
		}
	}
	assert.Len(t, got.Header, len(want.Header), title)
}

func assertNothingInternal(t *testing.T, title, text string) {
	t.Helper()
	for _, secret := range []string{
		"hunter2", "db.internal", "claims:", "jwks:", "httpmw:", "eyJ", ".go", "goroutine", "127.0.0.1",
		"localhost", "dial",
	} {
		assert.NotContains(t, text, secret, title)
	}
}

// assertReadable asserts that a client which reads the header strictly finds a
// challenge where there has to be one, and none where it would not help.
func assertReadable(t *testing.T, title string, resp *http.Response) {
	t.Helper()
	fields := resp.Header.Values("WWW-Authenticate")
	switch resp.StatusCode {
	case http.StatusServiceUnavailable:
		assert.Empty(t, fields, title)
		assert.NotEmpty(t, resp.Header.Get("Retry-After"), title)
		return
	case http.StatusForbidden:
		if len(fields) == 0 {
			return
		}
	}
	found, err := readChallenges(fields)
	if !assert.NoError(t, err, "%s: %q", title, fields) {
		return
	}
	assert.Len(t, found, 1, title)
	for _, c := range found {
		assert.Equal(t, "bearer", c.scheme, title)
		assert.NotEmpty(t, c.params["realm"], title)
		if code, ok := c.params["error"]; ok {
			assert.Contains(t, []string{
				"invalid_request", "invalid_token", "insufficient_scope", "insufficient_user_authentication",
				"invalid_dpop_proof", "use_dpop_nonce",
			}, code, title)
			assert.NotEmpty(t, c.params["error_description"], title)
		}
	}
}

// The reader is strict, or what it reads back would prove nothing.
func TestReadChallenges(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", ",", "Bearer realm", `Bearer realm="api`, `Bearer realm="a" scope="b"`, `Bearer realm="a", realm="b"`,
		`Bearer realm=`, `Bearer realm="a\`, "Bearer realm=\"a\x01\"", `"Bearer"`, `Bearer="a"`, `Bearer realm="a""b"`,
		`Bearer, realm="a"`, `Bearer error=two words`,
	} {
		_, err := readChallenges([]string{bad})
		assert.Error(t, err, "%q", bad)
	}
	found, err := readChallenges([]string{`Bearer realm="a \"b\" \\", scope=x , ,DPoP algs="ES256"`, "Basic"})
	require.NoError(t, err)
	assert.Equal(t, []readChallenge{
		{"bearer", map[string]string{"realm": `a "b" \`, "scope": "x"}},
		{"dpop", map[string]string{"algs": "ES256"}},
		{"basic", map[string]string{}},
	}, found)
}
