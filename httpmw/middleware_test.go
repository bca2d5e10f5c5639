package httpmw_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
	status int
	header http.Header
	body   string
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
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	read := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
	expired := issuer.Mint(claimstest.Token{Lifetime: -time.Hour})
	undecided := claims.Func("broken", func(context.Context, *claims.Claims) (bool, error) {
		return true, errors.New("the database says secret-internal-text")
	})
	tooWeak := claims.Func("mfa", func(context.Context, *claims.Claims) (bool, error) {
		return false, claims.ErrInsufficientAuthentication
	})
	never := claims.Func("never", func(context.Context, *claims.Claims) (bool, error) {
		return false, nil
	})
	const (
		bare        = `Bearer realm="api"`
		description = `, error_description="`
	)
	for name, row := range map[string]struct {
		needs         claims.Requirement
		authorization []string
		status        int
		challenge     string
		reason        claims.Reason
	}{
		"good token": {
			claims.Scopes("orders:read"), []string{"Bearer " + read}, 204, "", "",
		},
		"scheme in any case": {
			claims.Authenticated(), []string{"bEARER " + read}, 204, "", "",
		},
		"several spaces": {
			claims.Authenticated(), []string{"Bearer   " + read}, 204, "", "",
		},
		"public without token": {
			claims.Public(), nil, 204, "", "",
		},
		"public with a bad token": {
			claims.Public(), []string{"Bearer junk"}, 204, "", "",
		},
		"no token": {
			claims.Authenticated(), nil, 401, bare, claims.ReasonNoToken,
		},
		"no token, scope needed": {
			claims.Scopes("orders:read", "orders:write"), nil,
			401, bare + `, scope="orders:read orders:write"`, claims.ReasonNoToken,
		},
		"other scheme": {
			claims.Authenticated(), []string{"Basic dXNlcjpwYXNz"},
			401, bare, claims.ReasonUnsupportedScheme,
		},
		"token without scheme": {
			claims.Authenticated(), []string{read}, 400,
			bare + `, error="invalid_request"` + description, claims.ReasonMalformedCredentials,
		},
		"empty field": {
			claims.Authenticated(), []string{""}, 400,
			bare + `, error="invalid_request"` + description, claims.ReasonMalformedCredentials,
		},
		"scheme alone": {
			claims.Authenticated(), []string{"Bearer"}, 400,
			bare + `, error="invalid_request"` + description, claims.ReasonMalformedCredentials,
		},
		"two tokens in one field": {
			claims.Authenticated(), []string{"Bearer " + read + ", Bearer " + read}, 400,
			bare + `, error="invalid_request"` + description, claims.ReasonMalformedCredentials,
		},
		"two fields": {
			claims.Authenticated(), []string{"Bearer " + read, "Bearer " + read}, 400,
			bare + `, error="invalid_request"` + description, claims.ReasonSeveralCredentials,
		},
		"junk": {
			claims.Scopes("orders:read"), []string{"Bearer junk"}, 401,
			bare + `, error="invalid_token"` + description, claims.ReasonMalformed,
		},
		"expired": {
			claims.Scopes("orders:read"), []string{"Bearer " + expired}, 401,
			bare + `, error="invalid_token"` + description, claims.ReasonExpired,
		},
		"authentication too weak": {
			tooWeak, []string{"Bearer " + read}, 401,
			bare + `, error="insufficient_user_authentication"` + description,
			claims.ReasonAuthentication,
		},
		"scope missing": {
			claims.Scopes("orders:write"), []string{"Bearer " + read}, 403,
			bare + `, error="insufficient_scope"` + description, claims.ReasonScope,
		},
		"not permitted": {
			never, []string{"Bearer " + read}, 403,
			bare + `, error="insufficient_scope"` + description, claims.ReasonPermission,
		},
		"undecided": {
			undecided, []string{"Bearer " + read}, 503, "", claims.ReasonUndecided,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var inner spy
			got := get(t, auth.Require(row.needs)(&inner), row.authorization...)
			require.Equal(t, row.status, got.status, got.body)
			assert.Equal(t, row.reason == "", inner.reached)
			challenge := got.header.Get("WWW-Authenticate")
			if strings.HasSuffix(row.challenge, description) {
				assert.True(t, strings.HasPrefix(challenge, row.challenge), challenge)
			} else {
				assert.Equal(t, row.challenge, challenge)
			}
			if row.reason == "" {
				return
			}
			assert.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
			assert.Equal(t, "no-store", got.header.Get("Cache-Control"))
			assert.NotContains(t, got.body, read)
			assert.NotContains(t, got.body+challenge, "secret-internal-text")
			var problem map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.body), &problem))
			assert.Equal(t, float64(row.status), problem["status"])
			assert.Equal(t, http.StatusText(row.status), problem["title"])
			assert.Equal(t, string(row.reason), problem["reason"])
			assert.NotEmpty(t, problem["detail"])
			assert.Len(t, problem, 4)
			assert.Equal(t, row.status == 503, got.header.Get("Retry-After") != "")
		})
	}
}

func TestRequire_namesTheScopeThatWouldDo(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	token := issuer.Mint(claimstest.Token{Scope: "orders:read"})
	got := get(t, auth.Require(claims.Scopes("orders:read", "orders:write"))(&spy{}), "Bearer "+token)
	assert.Equal(t, http.StatusForbidden, got.status)
	assert.True(t, strings.HasSuffix(
		got.header.Get("WWW-Authenticate"), `, scope="orders:read orders:write"`))
}

func TestRequire_doesNotAskForAnotherTokenWhenNoneWouldHelp(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	needs := claims.All(claims.Scopes("orders:read"), claims.Func("own",
		func(context.Context, *claims.Claims) (bool, error) { return false, nil }))
	token := issuer.Mint(claimstest.Token{Scope: "orders:read"})
	got := get(t, auth.Require(needs)(&spy{}), "Bearer "+token)
	assert.Equal(t, http.StatusForbidden, got.status)
	assert.NotContains(t, got.header.Get("WWW-Authenticate"), ` scope=`)
}

func TestRequire_putsTheCallerIntoTheContext(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	var inner spy
	token := issuer.Mint(claimstest.Token{Subject: "alice"})
	require.Equal(t, http.StatusNoContent, get(t, auth.Wrap(&inner), "Bearer "+token).status)
	require.NotNil(t, inner.caller)
	assert.Equal(t, "alice", inner.caller.Subject())
}

func TestRequire_issuerDown(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	issuer.Fail(http.StatusInternalServerError)
	var inner spy
	token := issuer.Mint(claimstest.Token{})
	got := get(t, auth.Wrap(&inner), "Bearer "+token)
	assert.Equal(t, http.StatusServiceUnavailable, got.status)
	assert.Regexp(t, `^[1-9]\d*$`, got.header.Get("Retry-After"))
	assert.Empty(t, got.header.Get("WWW-Authenticate"))
	assert.NotContains(t, got.body, issuer.URL())
	assert.False(t, inner.reached)

	// What is wrong with the token itself is still told apart.
	got = get(t, auth.Wrap(&inner), "Bearer "+issuer.Mint(claimstest.Token{Lifetime: -time.Hour}))
	assert.Equal(t, http.StatusUnauthorized, got.status)
}

// A rotated key is used at once: the request that shows it is served, by one
// fetch.
func TestRequire_rotation(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	before := "Bearer " + issuer.Mint(claimstest.Token{})
	require.Equal(t, http.StatusNoContent, get(t, auth.Wrap(&spy{}), before).status)
	require.Equal(t, 1, issuer.KeySetRequests())
	old := issuer.Key()
	issuer.Rotate("RS256")
	after := "Bearer " + issuer.Mint(claimstest.Token{})
	for range 3 {
		require.Equal(t, http.StatusNoContent, get(t, auth.Wrap(&spy{}), after).status)
		require.Equal(t, http.StatusNoContent, get(t, auth.Wrap(&spy{}), before).status)
	}
	assert.Equal(t, 2, issuer.KeySetRequests())

	// A known key and a wrong signature: no fetch.
	forged := "Bearer " + issuer.Mint(claimstest.Token{
		Key: claimstest.MustKey("ES256"), Header: map[string]any{"kid": old.ID},
	})
	assert.Equal(t, http.StatusUnauthorized, get(t, auth.Wrap(&spy{}), forged).status)
	assert.Equal(t, 2, issuer.KeySetRequests())
}

func TestRequire_noTokenElsewhere(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	token := issuer.Mint(claimstest.Token{})
	var inner spy
	req := httptest.NewRequest(http.MethodPost, "/?access_token="+token,
		strings.NewReader("access_token="+token))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: "access_token", Value: token})
	recorder := httptest.NewRecorder()
	auth.Wrap(&inner).ServeHTTP(recorder, req)
	assert.Equal(t, http.StatusUnauthorized, recorder.Code)
	assert.False(t, inner.reached)
}

func TestCheck_decidesWithoutWriting(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	_, err := auth.Check(req, claims.Authenticated())
	require.ErrorIs(t, err, claims.ErrNoToken)

	caller, err := auth.Check(req, claims.Public())
	require.NoError(t, err)
	assert.Nil(t, caller)

	req.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{Subject: "alice"}))
	caller, err = auth.Check(req, claims.Authenticated())
	require.NoError(t, err)
	assert.Equal(t, "alice", caller.Subject())

	// Behind another guard, too, nobody is the caller of what is public.
	admitted, err := auth.Admit(req, claims.Authenticated())
	require.NoError(t, err)
	caller, err = auth.Check(admitted, claims.Public())
	require.NoError(t, err)
	assert.Nil(t, caller)

	_, err = auth.Check(req, claims.Scopes("orders:read"))
	require.ErrorIs(t, err, claims.ErrInsufficientScope)
	recorder := httptest.NewRecorder()
	auth.Refuse(recorder, err)
	assert.Equal(t, http.StatusForbidden, recorder.Code)
	assert.Contains(t, recorder.Header().Get("WWW-Authenticate"), `scope="orders:read"`)
}

// A reason of the user's own has a body, and what asks for nothing has no challenge.
func TestRefuse_own(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	recorder := httptest.NewRecorder()
	auth.Refuse(recorder, claims.NewError(claims.ErrForbidden, "own_reason", nil))
	assert.Equal(t, http.StatusForbidden, recorder.Code)
	var body struct{ Reason string }
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &body))
	assert.Equal(t, "own_reason", body.Reason)
	recorder = httptest.NewRecorder()
	auth.Refuse(recorder, claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, nil))
	assert.NotContains(t, recorder.Header(), "Www-Authenticate")
}

// An operation is called what its router calls it.
func TestRequire_operation(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(t, err)
	var operations []string
	auth := httpmw.New(verifier, httpmw.Config{Observer: func(_ context.Context, d claims.Decision) {
		operations = append(operations, d.Operation)
	}})
	own := httpmw.NewServeMux(auth)
	own.Handle("GET /own/{id}", claims.Authenticated(), &spy{})
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", auth.Wrap(&spy{}))
	mux.Handle("/own/", own)
	for _, path := range []string{"/orders/1", "/own/2"} {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	auth.Wrap(&spy{}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/secret", nil))
	assert.Equal(t, []string{"GET /orders/{id}", "GET /own/{id}", ""}, operations)
}

// What a handler said of the body that it did not write does not count.
func TestRefuse_insideAHandler(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
		auth.Refuse(w, claims.Allowed(r.Context(), claims.Scopes("orders:write")))
	})
	got := get(t, auth.Wrap(handler), "Bearer "+issuer.Mint(claimstest.Token{}))
	assert.Equal(t, http.StatusForbidden, got.status)
	assert.True(t, json.Valid([]byte(got.body)), got.body)
	for _, name := range []string{"Content-Encoding", "Etag", "Last-Modified"} {
		assert.Empty(t, got.header.Get(name))
	}
}

func TestRefuse_roundsRetryAfterUp(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	issuer.Fail(http.StatusInternalServerError)
	token := "Bearer " + issuer.Mint(claimstest.Token{})
	get(t, auth.Wrap(&spy{}), token)
	// The first failure is followed by one fetch about a second later.
	assert.Contains(t, []string{"1", "2"}, get(t, auth.Wrap(&spy{}), token).header.Get("Retry-After"))
}

func TestNew_realm(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ realm, want string }{
		"plain":              {"orders", `Bearer realm="orders"`},
		"quotes":             {`a "b" \c`, `Bearer realm="a \"b\" \\c"`},
		"header injection":   {"a\r\nSet-Cookie: b", `Bearer realm="aSet-Cookie: b"`},
		"beyond ASCII":       {"Bestellungen für alle", `Bearer realm="Bestellungen fr alle"`},
		"nothing but spaces": {" ", `Bearer realm=" "`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verifier, err := claims.NewVerifier(claims.Config{
				Issuer: "https://issuer.example", Audiences: []string{"a"},
			})
			require.NoError(t, err)
			auth := httpmw.New(verifier, httpmw.Config{Realm: row.realm})
			assert.Equal(t, row.want, get(t, auth.Wrap(&spy{})).header.Get("WWW-Authenticate"))
		})
	}
}

func TestMistakesPanicAtOnce(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	assert.Panics(t, func() { httpmw.New(nil, httpmw.Config{}) })
	assert.Panics(t, func() { httpmw.New((*claims.Verifier)(nil), httpmw.Config{}) })
	assert.Panics(t, func() { auth.Require(claims.Scopes()) })
	assert.Panics(t, func() { httpmw.NewServeMux(nil) })
	mux := httpmw.NewServeMux(auth)
	assert.PanicsWithValue(t,
		`httpmw: GET /a: claims: Scopes needs at least one scope`,
		func() { mux.Handle("GET /a", claims.Scopes(), &spy{}) })
	assert.Panics(t, func() { mux.Handle("GET /a", claims.Public(), nil) })
	assert.Panics(t, func() { mux.HandleFunc("GET /a", claims.Public(), nil) })
	assert.Panics(t, func() { mux.Handle("GET  /a{", claims.Public(), &spy{}) })
	assert.Empty(t, mux.Routes(), "what was refused is no route")
}

// An Authenticator that breaks its word opens no door.
type nobody struct{ err error }

func (n nobody) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return nil, n.err
}

func TestRequire_foreignAuthenticators(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		err    error
		status int
	}{
		"neither claims nor error": {nil, 401},
		"unclassified error":       {errors.New("secret-internal-text"), 401},
		"unavailable":              {claims.ErrUnavailable, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var inner spy
			got := get(t, httpmw.New(nobody{row.err}, httpmw.Config{}).Wrap(&inner), "Bearer x")
			assert.Equal(t, row.status, got.status)
			assert.NotContains(t, got.body, "secret-internal-text")
			assert.False(t, inner.reached)
		})
	}
}

func TestPackage_linksNoGRPC(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	require.Contains(t, deps, "github.com/sallyport-go/sallyport/claims")
	for _, dep := range deps {
		assert.False(t, strings.HasPrefix(dep, "google.golang.org/"), dep)
	}
}
