package httpmw_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// sandboxed is a service whose requests may have the token of a sandbox, in a
// field of its own, by an issuer of its own.
type sandboxed struct {
	first, boxes *claimstest.Issuer
	auth         *httpmw.Middleware
	made         refusals
	server       *httptest.Server
}

func newSandboxed(t testing.TB) *sandboxed {
	t.Helper()
	s := &sandboxed{
		first: claimstest.Start(t, claimstest.Config{}), boxes: claimstest.Start(t, claimstest.Config{}),
	}
	trusting := func(issuer *claimstest.Issuer) *claims.Verifier {
		verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
		require.NoError(t, err)
		return verifier
	}
	s.auth = httpmw.New(trusting(s.first), httpmw.Config{
		Observer: s.made.observe,
		Second: map[string]httpmw.Second{
			"sandbox": {From: httpmw.FromHeader("X-Sandbox-Token", ""), Auth: trusting(s.boxes)},
		},
	})
	mux := httpmw.NewServeMux(s.auth)
	both := func(w http.ResponseWriter, r *http.Request) {
		caller, _ := claims.FromContext(r.Context())
		box, ok := claims.SecondFromContext(r.Context(), "sandbox")
		_, _ = fmt.Fprint(w, caller.Subject(), " ", box.Subject(), " ", ok)
	}
	mux.HandleFunc("GET /plain", claims.Scopes("read"), both)
	mux.HandleFunc("GET /run", claims.All(claims.Scopes("read"), claims.Second("sandbox", claims.Scopes("run"))), both)
	mux.HandleFunc("GET /may", claims.Second("sandbox", claims.Optional()), both)
	mux.HandleFunc("GET /open", claims.Optional(), both)
	mux.HandleFunc("GET /box", claims.All(claims.Optional(), claims.Second("sandbox", claims.Authenticated())), both)
	mux.HandleFunc("GET /part", claims.Authenticated(), func(w http.ResponseWriter, r *http.Request) {
		if err := claims.Allowed(r.Context(), claims.Second("sandbox", claims.Scopes("run"))); err != nil {
			s.auth.Refuse(w, r, err)
			return
		}
		both(w, r)
	})
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	return s
}

// get asks a real server with these values of both fields.
func (s *sandboxed) get(t testing.TB, path string, authorization, sandbox []string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil)
	require.NoError(t, err)
	if authorization != nil {
		req.Header["Authorization"] = authorization
	}
	if sandbox != nil {
		req.Header["X-Sandbox-Token"] = sandbox
	}
	resp, err := s.server.Client().Do(req)
	require.NoError(t, err)
	sent := ""
	for _, value := range append(authorization, sandbox...) {
		sent += value + " "
	}
	resp = scanned(t, sent, resp)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, resp.Trailer, string(body)}
}

// Each credential has its own place, issuer and refusal, and a handler finds
// both callers. No fault of the second is blamed on the first.
func TestSecond(t *testing.T) {
	t.Parallel()
	s := newSandboxed(t)
	alice := "Bearer " + s.first.Mint(claimstest.Token{Subject: "alice", Scope: "read"})
	box := s.boxes.Mint(claimstest.Token{Subject: "box", Scope: "run"})
	poor := s.boxes.Mint(claimstest.Token{Subject: "box", Scope: "walk"})
	expired := s.boxes.Mint(claimstest.Token{Subject: "box", Claims: map[string]any{"exp": 1}})
	swapped := s.first.Mint(claimstest.Token{Subject: "alice", Scope: "read run"})
	for name, tt := range map[string]struct {
		path           string
		first, sandbox []string
		status         int
		body           string // or the detail of a refusal
		scheme         string // of its one challenge, empty for none
		params         map[string]string
	}{
		"both":        {"/run", []string{alice}, []string{box}, 200, "alice box true", "", nil},
		"not needed":  {"/plain", []string{alice}, []string{box}, 200, "alice  false", "", nil},
		"never asked": {"/plain", []string{alice}, []string{"rubbish"}, 200, "alice  false", "", nil},
		"no second": {
			"/run", []string{alice}, nil, 401, "sandbox: This operation needs an access token.",
			"sandbox", map[string]string{"realm": "api", "scope": "run"},
		},
		"empty": {
			"/run", []string{alice}, []string{""}, 401, "sandbox: This operation needs an access token.",
			"sandbox", map[string]string{"realm": "api", "scope": "run"},
		},
		"expired": {
			"/run", []string{alice}, []string{expired}, 401, "sandbox: The access token has expired.",
			"sandbox", map[string]string{"realm": "api", "scope": "run", "error": "invalid_token", "error_description": "sandbox: The access token has expired."},
		},
		"of the first's issuer": {
			"/run", []string{alice}, []string{swapped}, 401, "sandbox: The issuer of the access token is not trusted here.",
			"sandbox", map[string]string{"realm": "api", "scope": "run", "error": "invalid_token", "error_description": "sandbox: The issuer of the access token is not trusted here."},
		},
		"with a scheme": {
			"/run", []string{alice}, []string{"Bearer " + box}, 400, "sandbox: This credential is malformed.",
			"sandbox", map[string]string{"realm": "api", "error": "invalid_request", "error_description": "sandbox: This credential is malformed."},
		},
		"twice": {
			"/run", []string{alice}, []string{box, box}, 400, "sandbox: The request has more than one credential of this kind.",
			"sandbox", map[string]string{"realm": "api", "error": "invalid_request", "error_description": "sandbox: The request has more than one credential of this kind."},
		},
		"too little": {
			"/run", []string{alice}, []string{poor}, 403, "sandbox: The access token lacks a scope that this operation needs.",
			"sandbox", map[string]string{
				"realm": "api", "scope": "run", "error": "insufficient_scope",
				"error_description": "sandbox: The access token lacks a scope that this operation needs.",
			},
		},
		"no first": {
			"/run", nil, []string{box}, 401, "This operation needs an access token.",
			"bearer", map[string]string{"realm": "api", "scope": "read"},
		},
		"a bad first": {
			"/run", []string{"Bearer a.b.c"}, []string{expired}, 401, "The access token is malformed.",
			"bearer", map[string]string{"realm": "api", "scope": "read", "error": "invalid_token", "error_description": "The access token is malformed."},
		},
		"the second as the first": {
			"/run", []string{"Bearer " + box}, []string{box}, 401, "The issuer of the access token is not trusted here.",
			"bearer", map[string]string{"realm": "api", "scope": "read", "error": "invalid_token", "error_description": "The issuer of the access token is not trusted here."},
		},
		"it may be missing": {"/may", []string{alice}, nil, 200, "alice  false", "", nil},
		"and not be bad": {
			"/may", []string{alice}, []string{expired}, 401, "sandbox: The access token has expired.",
			"sandbox", map[string]string{"realm": "api", "error": "invalid_token", "error_description": "sandbox: The access token has expired."},
		},
		"alone":          {"/box", nil, []string{box}, 200, " box true", "", nil},
		"alone, missing": {"/box", nil, nil, 401, "sandbox: This operation needs an access token.", "sandbox", map[string]string{"realm": "api"}},
		"a part":         {"/part", []string{alice}, []string{box}, 200, "alice box true", "", nil},
		"no part": {
			"/part", []string{alice}, []string{poor}, 403, "sandbox: The access token lacks a scope that this operation needs.",
			"sandbox", map[string]string{
				"realm": "api", "scope": "run", "error": "insufficient_scope",
				"error_description": "sandbox: The access token lacks a scope that this operation needs.",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.get(t, tt.path, tt.first, tt.sandbox)
			assert.Equal(t, tt.status, got.status)
			if tt.status == http.StatusOK {
				assert.Equal(t, tt.body, got.body)
				assert.Equal(t, "private", got.header.Get("Cache-Control"), "a shared cache does not know the field")
				return
			}
			var told httpmw.Problem
			require.NoError(t, json.Unmarshal([]byte(got.body), &told))
			assert.Equal(t, tt.body, told.Detail)
			challenges, err := readChallenges(got.header.Values("WWW-Authenticate"))
			require.NoError(t, err)
			assert.Equal(t, []readChallenge{{tt.scheme, tt.params}}, challenges)
			assert.Equal(t, tt.scheme == "sandbox", told.Credential == "sandbox", told)
		})
	}
}

// Who has no credential passes where it is optional, and nobody else does.
func TestOptional(t *testing.T) {
	t.Parallel()
	s := newSandboxed(t)
	alice := s.first.Mint(claimstest.Token{Subject: "alice"})
	expired := s.first.Mint(claimstest.Token{Subject: "alice", Claims: map[string]any{"exp": 1}})
	for name, tt := range map[string]struct {
		authorization []string
		status        int
		body          string
	}{
		"none":           {nil, 200, "  false"},
		"a token":        {[]string{"Bearer " + alice}, 200, "alice  false"},
		"expired":        {[]string{"Bearer " + expired}, 401, ""},
		"empty":          {[]string{""}, 401, ""},
		"a lost token":   {[]string{"Bearer "}, 401, ""},
		"a scheme alone": {[]string{"Bearer"}, 401, ""},
		"malformed":      {[]string{"Bearer a b"}, 400, ""},
		"another scheme": {[]string{"Basic YTpi"}, 401, ""},
		"twice":          {[]string{"Bearer " + alice, "Bearer " + alice}, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.get(t, "/open", tt.authorization, nil)
			assert.Equal(t, tt.status, got.status)
			if tt.status == http.StatusOK {
				assert.Equal(t, tt.body, got.body)
				return
			}
			challenges, err := readChallenges(got.header.Values("WWW-Authenticate"))
			require.NoError(t, err)
			assert.Equal(t, "bearer", challenges[0].scheme)
		})
	}
}

// A place that is there and empty is not one where nothing is.
func TestOptional_places(t *testing.T) {
	t.Parallel()
	form := "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		from        httpmw.Place
		field       string
		none, empty string
		body        [2]string
	}{
		"header":  {from: httpmw.FromHeader("X-Token", ""), field: "X-Token", empty: " "},
		"cookie":  {from: httpmw.FromCookie("s", http.NewCrossOriginProtection()), field: "Cookie", none: "t=1", empty: "s="},
		"one of":  {from: httpmw.OneOf(httpmw.FromHeader("X-A", ""), httpmw.FromHeader("X-Token", "")), field: "X-Token", empty: " "},
		"form":    {from: httpmw.FromForm(0), field: "Content-Type", none: form, empty: form, body: [2]string{"a=b", "access_token="}},
		"default": {field: "Authorization", empty: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			auth := httpmw.New(nobody{claims.ErrInvalidToken}, httpmw.Config{From: tt.from})
			server := httptest.NewServer(auth.Require(claims.Optional())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
			t.Cleanup(server.Close)
			ask := func(values []string, body string) int {
				resp := statusOn(t, server.URL, tt.field, values, body)
				return resp.StatusCode
			}
			none := []string(nil)
			if tt.none != "" {
				none = []string{tt.none}
			}
			assert.Equal(t, http.StatusOK, ask(none, tt.body[0]))
			assert.Equal(t, http.StatusUnauthorized, ask([]string{tt.empty}, tt.body[1]))
		})
	}
}

// statusOn sends a request with these values of a field.
func statusOn(t testing.TB, url, field string, values []string, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	if values != nil {
		req.Header[field] = values
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp
}

// The handler gets no second credential that it must not see.
func TestSecond_hidden(t *testing.T) {
	t.Parallel()
	first := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{Issuer: first.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(t, err)
	auth := httpmw.New(verifier, httpmw.Config{Second: map[string]httpmw.Second{
		"page": {From: httpmw.FromWebSocketProtocol("token."), Auth: verifier},
	}})
	token := first.Mint(claimstest.Token{Subject: "alice"})
	server := httptest.NewServer(auth.Require(claims.Second("page", claims.Authenticated()))(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, r.Header.Values("Sec-WebSocket-Protocol"))
		})))
	t.Cleanup(server.Close)
	resp := raw(t, server.Listener.Addr().String(), "GET /\nConnection: Upgrade\nUpgrade: websocket\n"+
		"Authorization: Bearer "+token+"\nSec-WebSocket-Protocol: chat, token."+token+"\n\n")
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "[chat]", string(body))
}

// Everything that is wrong with the Config is said at start, at once.
func TestSecond_mistakes(t *testing.T) {
	t.Parallel()
	message := panicOf(func() {
		httpmw.New(nobody{}, httpmw.Config{
			From: httpmw.FromHeader("X-Token", ""),
			Second: map[string]httpmw.Second{
				"bearer": {From: httpmw.FromHeader("X-Own", ""), Auth: nobody{}},
				"box":    {From: httpmw.FromHeader("x-token", "Token"), Auth: nobody{}},
				"form":   {From: httpmw.FromForm(0), Auth: nobody{}},
				"nobody": {From: httpmw.FromHeader("X-Own", "")},
				"wrong":  {From: httpmw.FromHeader("", ""), Auth: nobody{}},
			},
		})
	})
	for _, want := range []string{
		`httpmw: New: Config.Second has "bearer", which is an authentication scheme`,
		`httpmw: New: Config.Second["nobody"]: its Authenticator is nil`,
		`httpmw: New: Config.Second["box"].From and Config.From both look at the field X-Token`,
		`httpmw: New: Config.Second["nobody"].From and Config.Second["bearer"].From both look at the field X-Own`,
		`httpmw: New: Config.Second["form"].From is the body`,
		`httpmw: New: Config.Second["wrong"].From: FromHeader: the name ""`,
	} {
		assert.Contains(t, message, want)
	}
	auth := httpmw.New(nobody{}, httpmw.Config{})
	assert.Contains(t, panicOf(func() { auth.Require(claims.Second("box", claims.Authenticated())) }),
		`Config.Second has no "box", but nothing`)
	assert.Contains(t, panicOf(func() {
		httpmw.NewServeMux(auth).HandleFunc("GET /", claims.All(claims.Optional(), claims.Scopes("a")), func(http.ResponseWriter, *http.Request) {})
	}), "Optional cannot be part of All")
}

// The tables show what is asked for.
func TestSecond_operations(t *testing.T) {
	t.Parallel()
	s := newSandboxed(t)
	mux := httpmw.NewServeMux(s.auth)
	handler := func(http.ResponseWriter, *http.Request) {}
	mux.HandleFunc("GET /a", claims.Optional(), handler)
	mux.HandleFunc("GET /b", claims.Second("sandbox", claims.Scopes("run")), handler)
	table := claims.NewAccessTable(mux.Operations()).Markdown()
	assert.Contains(t, table, "`Optional()`")
	assert.Contains(t, table, "`Second(\"sandbox\", Scopes(\"run\"))`")

	var audit httpmw.Audit
	guarded := s.auth.Require
	outer, inner := guarded(claims.Optional()), guarded(claims.Scopes("a"))
	next := http.HandlerFunc(handler)
	audit.Route("GET /optional", outer(next))
	audit.Route("GET /scoped", outer(inner(next)))
	audit.Route("GET /any", outer(guarded(claims.Authenticated())(next)))
	audit.Route("GET /public", outer(guarded(claims.Public())(next)))
	require.NoError(t, audit.Err())
	found := map[string]string{}
	for _, o := range audit.Operations() {
		found[o.Name] = o.Requirement.String()
	}
	assert.Equal(t, map[string]string{
		"GET /optional": "Optional()", "GET /scoped": `Scopes("a")`, "GET /any": "Authenticated()", "GET /public": "Optional()",
	}, found)
}

// panicOf returns what f panics with, as text.
func panicOf(f func()) (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	f()
	return ""
}
