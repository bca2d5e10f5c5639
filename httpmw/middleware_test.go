package httpmw_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

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
			claims.Scopes("orders:read"), []string{""},
			401, bare + `, scope="orders:read"`, claims.ReasonNoToken,
		},
		"scheme alone": {
			claims.Scopes("orders:read"), []string{"Bearer"},
			401, bare + `, scope="orders:read"`, claims.ReasonNoToken,
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
			never, []string{"Bearer " + read}, 403, "", claims.ReasonPermission,
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

// Without a token, with a bad one and with one that lacks it: the scope that
// would do.
func TestRequire_namesTheScopeThatWouldDo(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	guarded := auth.Require(claims.Scopes("orders:read", "orders:write"))(&spy{})
	for status, authorization := range map[int][][]string{
		http.StatusUnauthorized: {
			nil, {""}, {"Bearer"}, {"Basic dXNlcjpwYXNz"}, {"Bearer junk"},
			{"Bearer " + issuer.Mint(claimstest.Token{Lifetime: -time.Hour})},
		},
		http.StatusForbidden: {{"Bearer " + issuer.Mint(claimstest.Token{Scope: "orders:read"})}},
	} {
		for _, fields := range authorization {
			got := get(t, guarded, fields...)
			assert.Equal(t, status, got.status)
			assert.True(t, strings.HasSuffix(got.header.Get("WWW-Authenticate"),
				`, scope="orders:read orders:write"`), "%q", fields)
		}
	}
}

func TestRequire_doesNotAskForAnotherTokenWhenNoneWouldHelp(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	needs := claims.All(claims.Scopes("orders:read"), claims.Func("own",
		func(context.Context, *claims.Claims) (bool, error) { return false, nil }))
	token := issuer.Mint(claimstest.Token{Scope: "orders:read"})
	got := get(t, auth.Require(needs)(&spy{}), "Bearer "+token)
	assert.Equal(t, http.StatusForbidden, got.status)
	assert.Empty(t, got.header["Www-Authenticate"])
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

func TestAdmit(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	_, err := auth.Admit(req, claims.Authenticated())
	require.ErrorIs(t, err, claims.ErrNoToken)
	assert.Equal(t, claims.ReasonNoToken, claims.AsError(err).Reason())

	admitted, err := auth.Admit(req, claims.Public())
	require.NoError(t, err)
	assert.Same(t, req, admitted)

	req.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{Subject: "alice"}))
	admitted, err = auth.Admit(req, claims.Authenticated())
	require.NoError(t, err)
	caller, found := claims.FromContext(admitted.Context())
	require.True(t, found)
	assert.Equal(t, "alice", caller.Subject())

	_, err = auth.Admit(req, claims.Scopes())
	require.ErrorIs(t, err, claims.ErrForbidden, "an invalid requirement")

	admitted, err = auth.Admit(req, claims.Scopes("orders:read"))
	require.ErrorIs(t, err, claims.ErrInsufficientScope)
	assert.Nil(t, admitted)
	recorder := httptest.NewRecorder()
	auth.Refuse(recorder, httptest.NewRequest(http.MethodGet, "/", nil), err)
	assert.Equal(t, http.StatusForbidden, recorder.Code)
	assert.Contains(t, recorder.Header().Get("WWW-Authenticate"), `scope="orders:read"`)
}

func TestNew_realm(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ realm, want string }{
		"plain":              {"orders", `Bearer realm="orders"`},
		"quotes":             {`a "b" \c`, `Bearer realm="a \"b\" \\c"`},
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

// What no client could read in a challenge is refused, not left out.
func TestNew_realmThatIsNone(t *testing.T) {
	t.Parallel()
	for _, realm := range []string{"a\r\nSet-Cookie: b", "für", "\x00", "a\tb"} {
		assert.PanicsWithValue(t,
			fmt.Sprintf("httpmw: New: Config.Realm of %q must be printable ASCII", realm),
			func() { httpmw.New(nobody{}, httpmw.Config{Realm: realm}) })
	}
}

// An Authenticator that breaks its word opens no door.
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

// waiting is a PermissionSource that tells that it is asked, and waits for its
// caller to go.
type waiting chan struct{}

func (w waiting) Permissions(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
	close(w)
	<-ctx.Done()
	return claims.Grants{}, ctx.Err()
}

// A client that does not wait for the decision is no outage.
func TestRequire_callerWhoGoesAway(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	asked, outcome := make(waiting), make(chan string, 1)
	auth := httpmw.New(verifier, httpmw.Config{
		Permissions: asked,
		Observer:    func(_ context.Context, d claims.Decision) { outcome <- d.Outcome() },
	})
	var inner spy
	server := httptest.NewServer(auth.Require(claims.Permissions("a"))(&inner))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{Subject: "alice"}))
	go func() {
		<-asked
		cancel()
	}()
	_, err = server.Client().Do(r)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, "canceled", <-outcome)
	server.Close()
	assert.False(t, inner.reached)
}
