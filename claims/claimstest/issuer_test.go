package claimstest_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func newIssuer(t *testing.T, cfg claimstest.Config) *claimstest.Issuer {
	t.Helper()
	if cfg.URL == "" {
		cfg.URL = "https://issuer.example"
	}
	issuer, err := claimstest.New(cfg)
	require.NoError(t, err)
	return issuer
}

// decode returns the header and the payload of a token.
func decode(t *testing.T, token string) (header, payload map[string]any) {
	t.Helper()
	segments := strings.Split(token, ".")
	require.Len(t, segments, 3)
	for i, to := range []*map[string]any{&header, &payload} {
		decoded, err := base64.RawURLEncoding.Strict().DecodeString(segments[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(decoded, to))
	}
	return header, payload
}

func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

// keyIDs returns those of the key set that the issuer serves.
func keyIDs(t *testing.T, issuer *claimstest.Issuer) []string {
	t.Helper()
	resp, body := get(t, issuer.Client(), issuer.JWKSURL())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "application/jwk-set+json", resp.Header.Get("Content-Type"))
	assert.JSONEq(t, string(issuer.KeySet()), body)
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &set))
	ids := []string{}
	for _, key := range set.Keys {
		ids = append(ids, key.ID)
	}
	return ids
}

var algorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

func TestIssuer_everyAlgorithm(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			issuer := newIssuer(t, claimstest.Config{Algorithm: alg})
			token := issuer.Mint(claimstest.Token{Subject: "alice"})
			header, _ := decode(t, token)
			assert.Equal(t, alg, header["alg"])
			assert.Equal(t, alg, issuer.Key().Algorithm)

			set, err := jwk.Parse(issuer.KeySet())
			require.NoError(t, err)
			_, err = jws.Verify([]byte(token), jws.WithKeySet(set))
			require.NoError(t, err)
			tampered := []byte(token)
			tampered[len(tampered)/2] ^= 1
			_, err = jws.Verify(tampered, jws.WithKeySet(set))
			require.Error(t, err)

			served := issuer.Key().JWK()
			assert.Equal(t, alg, served["alg"])
			assert.Equal(t, "sig", served["use"])
			assert.Equal(t, issuer.Key().ID, served["kid"])
			for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
				assert.NotContains(t, served, private)
			}
		})
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"", "none", "HS256", "es256", "ES256K", "Ed25519"} {
		key, err := claimstest.NewKey(alg)
		require.Error(t, err, alg)
		assert.Nil(t, key)
		assert.Panics(t, func() { claimstest.MustKey(alg) }, alg)
	}
	one, other := claimstest.MustKey("ES256"), claimstest.MustKey("ES256")
	assert.NotEqual(t, one.ID, other.ID)
	assert.NotEqual(t, one.Public(), other.Public())

	members := one.JWK()
	members["kid"] = "changed"
	delete(members, "x")
	assert.Equal(t, one.ID, one.JWK()["kid"], "what JWK returns is the caller's")
	assert.Contains(t, one.JWK(), "x")

	// Exactly these bytes, whatever they say.
	token := one.Sign([]byte(`{"alg" : "none"}`), []byte("no JSON"))
	segments := strings.Split(token, ".")
	require.Len(t, segments, 3)
	assert.Equal(t, base64.RawURLEncoding.EncodeToString([]byte(`{"alg" : "none"}`)), segments[0])
	assert.Equal(t, base64.RawURLEncoding.EncodeToString([]byte("no JSON")), segments[1])
	assert.Len(t, segments[2], 86, "64 bytes: R and S, not DER (RFC 7518 section 3.4)")
}

func TestNew_refuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]claimstest.Config{
		"no URL":            {},
		"path":              {URL: "/realms/a"},
		"host":              {URL: "issuer.example"},
		"not a URL":         {URL: "https://issuer.example:port"},
		"unknown algorithm": {URL: "https://issuer.example", Algorithm: "HS256"},
	} {
		issuer, err := claimstest.New(cfg)
		require.Error(t, err, name)
		assert.Nil(t, issuer, name)
		assert.True(t, strings.HasPrefix(err.Error(), "claimstest: "), err.Error())
	}
}

func TestIssuer_metadata(t *testing.T) {
	t.Parallel()
	const (
		oidc  = "/.well-known/openid-configuration"
		oauth = "/.well-known/oauth-authorization-server"
	)
	const root, realm = "https://issuer.example", "https://issuer.example/realms/a"
	tests := []struct {
		name     string
		url      string
		base     string // of the endpoints
		metadata []string
		missing  []string
	}{
		{"root", root, root, []string{root + oidc, root + oauth}, []string{root}},
		{"trailing slash", root + "/", root, []string{root + oidc, root + oauth}, nil},
		{"path", realm, realm, []string{realm + oidc, root + oauth + "/realms/a"},
			[]string{root + oidc, root + oauth, realm + oauth, root + "/jwks"}},
		{"path with trailing slash", realm + "/", realm,
			[]string{realm + oidc, root + oauth + "/realms/a"}, []string{root + oidc}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuer := newIssuer(t, claimstest.Config{URL: tt.url})
			assert.Equal(t, tt.url, issuer.URL())
			assert.Equal(t, tt.base+"/jwks", issuer.JWKSURL())
			assert.Equal(t, tt.base+"/token", issuer.TokenURL())
			for _, from := range tt.metadata {
				resp, body := get(t, issuer.Client(), from)
				require.Equal(t, http.StatusOK, resp.StatusCode, from)
				assert.Equal(t, jsonType, resp.Header.Get("Content-Type"))
				var got map[string]any
				require.NoError(t, json.Unmarshal([]byte(body), &got))
				assert.Equal(t, tt.url, got["issuer"], "as it was given, to the letter")
				assert.Equal(t, issuer.JWKSURL(), got["jwks_uri"])
				assert.Equal(t, issuer.TokenURL(), got["token_endpoint"])
				assert.Equal(t, []any{"client_credentials"}, got["grant_types_supported"])
				assert.Equal(t, []any{}, got["response_types_supported"])
				assert.Equal(t, []any{"client_secret_basic", "client_secret_post"},
					got["token_endpoint_auth_methods_supported"])
			}
			for _, from := range tt.missing {
				resp, _ := get(t, issuer.Client(), from)
				assert.Equal(t, http.StatusNotFound, resp.StatusCode, from)
			}
			assert.Len(t, keyIDs(t, issuer), 1)
			assert.Equal(t, 1, issuer.KeySetRequests())
		})
	}
}

func TestIssuer_Mint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		other := claimstest.MustKey("EdDSA")
		now := float64(time.Now().Unix())
		tests := []struct {
			name    string
			cfg     claimstest.Config
			token   claimstest.Token
			header  map[string]any // without those that are as in a zero Token
			payload map[string]any
			without []string
		}{
			{name: "zero", without: []string{"sub", "client_id", "scope", "nbf"}},
			{
				name: "members",
				token: claimstest.Token{
					Subject: "alice", ClientID: "shop", Scope: "a b",
					Audience: []string{"x", "y"}, Lifetime: time.Hour,
				},
				payload: map[string]any{
					"sub": "alice", "client_id": "shop", "scope": "a b",
					"aud": []any{"x", "y"}, "exp": now + 3600,
				},
			},
			{
				name:    "config",
				cfg:     claimstest.Config{Audience: "x", Lifetime: time.Minute},
				payload: map[string]any{"aud": []any{"x"}, "exp": now + 60},
			},
			{
				name:    "expired",
				token:   claimstest.Token{Lifetime: -time.Hour},
				payload: map[string]any{"exp": now - 3600},
			},
			{
				name:    "no audience",
				token:   claimstest.Token{Audience: []string{}},
				payload: map[string]any{"aud": []any{}},
			},
			{
				name: "overrides",
				token: claimstest.Token{
					Subject: "alice",
					Claims: map[string]any{
						"sub": "bob", "iss": "x", "exp": "soon", "list": []any{"a"},
						"tenant": map[string]any{"id": 7.0},
					},
					Header: map[string]any{
						"alg": "none", "typ": "JWT", "kid": 7.0, "crit": []any{"x"},
					},
				},
				header: map[string]any{
					"alg": "none", "typ": "JWT", "kid": 7.0, "crit": []any{"x"},
				},
				payload: map[string]any{
					"sub": "bob", "iss": "x", "exp": "soon", "list": []any{"a"},
					"tenant": map[string]any{"id": 7.0},
				},
			},
			{
				name: "left out",
				token: claimstest.Token{
					Subject: "alice",
					Claims: map[string]any{
						"sub": claimstest.Omit, "exp": claimstest.Omit, "aud": claimstest.Omit,
						"absent": claimstest.Omit,
					},
					Header: map[string]any{"kid": claimstest.Omit, "typ": claimstest.Omit},
				},
				without: []string{"sub", "exp", "aud", "absent", "kid", "typ"},
			},
			{
				name: "null",
				token: claimstest.Token{
					Claims: map[string]any{"exp": nil, "nbf": nil},
					Header: map[string]any{"kid": nil},
				},
				header:  map[string]any{"kid": nil},
				payload: map[string]any{"exp": nil, "nbf": nil},
			},
			{
				name:   "key",
				token:  claimstest.Token{Key: other},
				header: map[string]any{"alg": "EdDSA", "kid": other.ID},
			},
		}
		for _, tt := range tests {
			issuer := newIssuer(t, tt.cfg)
			given, further := len(tt.token.Claims), len(tt.token.Header)
			header, payload := decode(t, issuer.Mint(tt.token))

			wantHeader := map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": issuer.Key().ID}
			want := map[string]any{
				"iss": issuer.URL(), "aud": []any{claimstest.Audience},
				"exp": now + 300, "iat": now,
			}
			assert.NotEmpty(t, payload["jti"], tt.name)
			delete(payload, "jti")
			for name, value := range tt.header {
				wantHeader[name] = value
			}
			for name, value := range tt.payload {
				want[name] = value
			}
			for _, name := range tt.without {
				delete(wantHeader, name)
				delete(want, name)
			}
			assert.Equal(t, wantHeader, header, tt.name)
			assert.Equal(t, want, payload, tt.name)
			assert.Len(t, tt.token.Claims, given, "the maps are the caller's")
			assert.Len(t, tt.token.Header, further)
		}
		issuer := newIssuer(t, claimstest.Config{})
		_, one := decode(t, issuer.Mint(claimstest.Token{}))
		_, two := decode(t, issuer.Mint(claimstest.Token{}))
		assert.NotEqual(t, one["jti"], two["jti"])
		assert.Panics(t, func() {
			issuer.Mint(claimstest.Token{Claims: map[string]any{"f": func() {}}})
		})
	})
}

func TestIssuer_keys(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	first := issuer.Key()
	assert.Equal(t, []string{first.ID}, keyIDs(t, issuer))

	second := issuer.Rotate("")
	assert.Same(t, second, issuer.Key())
	assert.Equal(t, "ES256", second.Algorithm)
	assert.Equal(t, []string{first.ID, second.ID}, keyIDs(t, issuer))
	header, _ := decode(t, issuer.Mint(claimstest.Token{}))
	assert.Equal(t, second.ID, header["kid"])

	third := issuer.Rotate("EdDSA")
	assert.Equal(t, "EdDSA", third.Algorithm)
	assert.Equal(t, "EdDSA", issuer.Rotate("").Algorithm, "that of the key before")
	fourth := issuer.Key()

	published := claimstest.MustKey("ES384")
	issuer.Publish(published)
	assert.Same(t, fourth, issuer.Key(), "published, not signed with")
	assert.Equal(t, []string{first.ID, second.ID, third.ID, fourth.ID, published.ID},
		keyIDs(t, issuer))

	for _, key := range []*claimstest.Key{second, fourth, first, claimstest.MustKey("ES256")} {
		issuer.Revoke(key)
	}
	assert.Equal(t, []string{third.ID, published.ID}, keyIDs(t, issuer))
	assert.Same(t, fourth, issuer.Key(), "revoked, but signed with still")

	assert.Panics(t, func() { issuer.Rotate("HS256") })
	assert.Same(t, fourth, issuer.Key())
	issuer.Revoke(third)
	issuer.Revoke(published)
	assert.JSONEq(t, `{"keys":[]}`, string(issuer.KeySet()))
}

func TestIssuer_Intercept(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{URL: "https://issuer.example/a"})
	status := func() int {
		t.Helper()
		resp, _ := get(t, issuer.Client(), issuer.JWKSURL())
		return resp.StatusCode
	}
	assert.Zero(t, issuer.KeySetRequests())
	assert.Equal(t, http.StatusOK, status())

	issuer.Fail(http.StatusBadGateway)
	assert.Equal(t, http.StatusBadGateway, status())
	resp, err := issuer.Client().Post(issuer.TokenURL(), form, nil)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusBadGateway, resp.StatusCode)

	for range 2 { // replaces the one before, and wraps the issuer's own
		issuer.Intercept(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("X-Intercepted", "yes")
				next.ServeHTTP(w, r)
			})
		})
	}
	resp, body := get(t, issuer.Client(), issuer.JWKSURL())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, []string{"yes"}, resp.Header.Values("X-Intercepted"))
	assert.JSONEq(t, string(issuer.KeySet()), body)

	issuer.Intercept(nil)
	resp, _ = get(t, issuer.Client(), issuer.JWKSURL())
	assert.Empty(t, resp.Header.Values("X-Intercepted"))
	assert.Equal(t, 4, issuer.KeySetRequests(), "those intercepted are counted")
	assert.Equal(t, 4, issuer.Requests("/a/jwks"))
	assert.Equal(t, 1, issuer.Requests("/a/token"))
	assert.Zero(t, issuer.Requests("/elsewhere"))
}

func TestIssuer_concurrentUse(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			key := issuer.Rotate("")
			issuer.Publish(claimstest.MustKey("EdDSA"))
			issuer.Mint(claimstest.Token{})
			issuer.Fail(http.StatusTeapot)
			issuer.Intercept(nil)
			get(t, issuer.Client(), issuer.JWKSURL())
			issuer.Revoke(key)
			issuer.KeySetRequests()
		})
	}
	wg.Wait()
	assert.Len(t, keyIDs(t, issuer), 9)
	assert.Equal(t, 9, issuer.KeySetRequests())
}

func TestStart(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("serves until the end of the test", func(t *testing.T) {
		issuer := claimstest.Start(t, claimstest.Config{
			URL: "https://ignored.example/realms/a", Algorithm: "EdDSA",
			Clients: []claimstest.Client{shop},
		})
		require.True(t, strings.HasPrefix(issuer.URL(), "http://127.0.0.1:"), issuer.URL())
		require.True(t, strings.HasSuffix(issuer.URL(), "/realms/a"), issuer.URL())
		url = issuer.URL()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		_, body := get(t, client, issuer.JWKSURL())
		assert.JSONEq(t, string(issuer.KeySet()), body)
		_, body = get(t, client, issuer.URL()+"/.well-known/openid-configuration")
		assert.Contains(t, body, issuer.JWKSURL())
		req, err := http.NewRequest(http.MethodPost, issuer.TokenURL(),
			strings.NewReader("grant_type=client_credentials"))
		require.NoError(t, err)
		req.Header.Set("Content-Type", form)
		req.SetBasicAuth(shopBasic[0], shopBasic[1])
		resp, err := client.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		_, body = get(t, issuer.Client(), issuer.JWKSURL())
		assert.NotEmpty(t, body, "both ways")

		another := claimstest.Start(t, claimstest.Config{})
		assert.NotEqual(t, issuer.URL(), another.URL())
		assert.NotContains(t, strings.TrimPrefix(another.URL(), "http://"), "/")
	})
	_, err := http.Get(url + "/jwks")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "refused")
}

// A handler that stalls does not keep the test from ending.
func TestStart_endsWhileARequestStalls(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	t.Run("stalled", func(t *testing.T) {
		issuer := claimstest.Start(t, claimstest.Config{})
		arrived := make(chan struct{})
		issuer.Intercept(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
			})
		})
		go func() {
			resp, err := http.Get(issuer.JWKSURL())
			if err == nil {
				resp.Body.Close()
			}
			failed <- err
		}()
		<-arrived
	})
	assert.Error(t, <-failed)
}

// tb is a [testing.TB] whose test may fail.
type tb struct {
	testing.TB
	fatal []any
}

func (t *tb) Fatal(args ...any) {
	t.fatal = args
	runtime.Goexit()
}

func TestStart_fails(t *testing.T) {
	t.Parallel()
	failing := &tb{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		claimstest.Start(failing, claimstest.Config{Algorithm: "HS256"})
	}()
	<-done
	require.Len(t, failing.fatal, 1)
	assert.ErrorContains(t, failing.fatal[0].(error), "HS256")
}

func TestIssuer_Client(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{URL: "https://issuer.example:8443/a"})
	resp, body := get(t, issuer.Client(), issuer.JWKSURL()+"?x=1")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.JSONEq(t, string(issuer.KeySet()), body)
	assert.Equal(t, issuer.JWKSURL()+"?x=1", resp.Request.URL.String())

	for _, elsewhere := range []string{
		"https://other.example/a/jwks", "https://issuer.example/a/jwks",
		"https://a.issuer.example:8443/a/jwks",
	} {
		_, err := issuer.Client().Get(elsewhere) //nolint:bodyclose // there is none
		assert.ErrorContains(t, err, "no route", elsewhere)
	}
	assert.Equal(t, 1, issuer.KeySetRequests())
}

// What a handler is given is what a server would give it.
func TestIssuer_Client_request(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	issuer.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "issuer.example", r.Host)
			assert.Equal(t, "/a?b=c", r.RequestURI)
			assert.Equal(t, "v", r.Header.Get("X-H"))
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write(body)
		})
	})
	req, err := http.NewRequest(http.MethodPut, "https://issuer.example/a?b=c",
		strings.NewReader("body"))
	require.NoError(t, err)
	req.Header.Set("X-H", "v")
	resp, err := issuer.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusTeapot, resp.StatusCode)
	assert.Equal(t, "body", string(got))
}

// closing is a request body that tells whether it was closed.
type closing struct {
	io.Reader
	closed chan struct{}
}

func (c *closing) Close() error {
	close(c.closed)
	return nil
}

// [http.RoundTripper]: it must always close the body, including on errors.
func TestIssuer_Client_closesTheBody(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	for _, to := range []string{issuer.TokenURL(), "https://other.example/token"} {
		body := &closing{strings.NewReader("x"), make(chan struct{})}
		req, err := http.NewRequest(http.MethodPost, to, body)
		require.NoError(t, err)
		if resp, err := issuer.Client().Do(req); err == nil {
			resp.Body.Close()
		}
		select {
		case <-body.closed:
		default:
			assert.Fail(t, "the body is not closed", to)
		}
	}
}

func TestIssuer_Client_obeysTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{})
		issuer.Intercept(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
			})
		})
		client := issuer.Client()
		client.Timeout = time.Minute
		start := time.Now()
		_, err := client.Get(issuer.JWKSURL()) //nolint:bodyclose // there is none
		require.Error(t, err)
		assert.Equal(t, time.Minute, time.Since(start))
	})
}

func TestNew_refusesClientsWithoutSecret(t *testing.T) {
	t.Parallel()
	for _, client := range []claimstest.Client{{ID: "a"}, {Secret: "a"}} {
		_, err := claimstest.New(claimstest.Config{
			URL: "https://issuer.example", Clients: []claimstest.Client{client},
		})
		assert.ErrorContains(t, err, "Config.Clients")
	}
}

func TestIssuer_Client_survivesAPanic(t *testing.T) {
	t.Parallel()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	issuer.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	})
	for _, url := range []string{issuer.JWKSURL(), "http://issuer.example/jwks"} {
		resp, err := issuer.Client().Get(url)
		if !assert.Error(t, err) {
			assert.NoError(t, resp.Body.Close())
		}
	}
}
