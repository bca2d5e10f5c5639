package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/relay"
	"github.com/sallyport-go/sallyport/httpmw"
)

// chain is a service that asks another in the name of its caller: both real, on
// loopback, the other over TLS.
type chain struct {
	issuer *claimstest.Issuer
	front  *httptest.Server
	back   *httptest.Server
	asked  atomic.Int64 // how often the other was
	seen   atomic.Value // the last Authorization field there
}

func trusting(t testing.TB, issuer *claimstest.Issuer, audience string) *claims.Verifier {
	t.Helper()
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{audience}})
	require.NoError(t, err)
	return verifier
}

func newBack(t testing.TB, c *chain, audience string) {
	t.Helper()
	auth := httpmw.New(trusting(t, c.issuer, audience), httpmw.Config{})
	c.back = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		c.seen.Store(r.Header.Get("Authorization"))
		auth.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			caller, _ := claims.FromContext(r.Context())
			_, _ = fmt.Fprint(w, caller.Subject())
		})).ServeHTTP(w, r)
	}))
	t.Cleanup(c.back.Close)
}

// newFront serves callers by asking target, as to says.
func newFront(t testing.TB, c *chain, cfg httpmw.Config, needs claims.Requirement, to *relay.Relay, target string) {
	t.Helper()
	client := &http.Client{Transport: to.Transport(c.back.Client().Transport)}
	auth := httpmw.New(trusting(t, c.issuer, claimstest.Audience), cfg)
	c.front = httptest.NewServer(auth.Require(needs)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, target, nil)
		if err == nil {
			var resp *http.Response
			if resp, err = client.Do(req); err == nil {
				defer resp.Body.Close()
				body, _ := io.ReadAll(resp.Body)
				_, _ = fmt.Fprintf(w, "%d %s", resp.StatusCode, body)
				return
			}
		}
		_, _ = fmt.Fprint(w, "error: ", err)
	})))
	t.Cleanup(c.front.Close)
}

func (c *chain) ask(t testing.TB, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.front.URL, nil)
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if token != "" {
		assert.NotContains(t, string(body), token)
	}
	return string(body)
}

func hostOf(t testing.TB, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	return u.Host
}

// The caller's token goes to the host that is named, if the Config lets it.
func TestRelay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		keep   bool
		needs  claims.Requirement
		change func(*claimstest.Token)
		token  bool
		want   string
	}{
		"passed on": {true, claims.Authenticated(), nil, true, "200 alice"},
		"not kept":  {false, claims.Authenticated(), nil, true, "Config.KeepToken is not set"},
		"anonymous": {true, claims.Optional(), nil, false, "its caller is anonymous"},
		"public":    {true, claims.Public(), nil, true, "it is not of a guarded request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &chain{issuer: claimstest.Start(t, claimstest.Config{})}
			newBack(t, c, claimstest.Audience)
			to, err := relay.New(relay.Config{Hosts: []string{hostOf(t, c.back.URL)}})
			require.NoError(t, err)
			newFront(t, c, httpmw.Config{KeepToken: tt.keep}, tt.needs, to, c.back.URL)
			token := ""
			if tt.token {
				token = c.issuer.Mint(claimstest.Token{Subject: "alice"})
			}
			got := c.ask(t, token)
			assert.Contains(t, got, tt.want)
			if tt.want == "200 alice" {
				assert.Equal(t, "Bearer "+token, c.seen.Load())
				return
			}
			assert.Zero(t, c.asked.Load(), "nothing is sent")
		})
	}
}

// No other host is asked, by whatever way a request comes there.
func TestRelay_elsewhere(t *testing.T) {
	t.Parallel()
	c := &chain{issuer: claimstest.Start(t, claimstest.Config{})}
	newBack(t, c, claimstest.Audience)
	var leaked atomic.Int64
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Add(1) }))
	t.Cleanup(other.Close)
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Add(1) }))
	t.Cleanup(plain.Close)
	redirecting := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
	}))
	t.Cleanup(redirecting.Close)
	to, err := relay.New(relay.Config{Hosts: []string{
		hostOf(t, c.back.URL), hostOf(t, redirecting.URL), hostOf(t, plain.URL),
	}})
	require.NoError(t, err)
	token := c.issuer.Mint(claimstest.Token{Subject: "alice"})
	for name, tt := range map[string]struct{ target, want string }{
		"another host":            {other.URL, "is none of Config.Hosts"},
		"a redirect to another":   {redirecting.URL + "?to=" + url.QueryEscape(other.URL), "is none of Config.Hosts"},
		"without TLS":             {plain.URL, "may not be sent a token without TLS"},
		"a redirect without TLS":  {redirecting.URL + "?to=" + url.QueryEscape(plain.URL), "may not be sent a token without TLS"},
		"a host that begins so":   {"https://" + hostOf(t, c.back.URL) + ".evil.example", "relay"},
		"a user before the host":  {"https://" + hostOf(t, c.back.URL) + "@" + hostOf(t, other.URL), "is none of Config.Hosts"},
		"a redirect to one named": {redirecting.URL + "?to=" + url.QueryEscape(c.back.URL), "200 alice"},
	} {
		if strings.HasPrefix(name, "a host that") {
			u := &url.URL{Scheme: "https", Host: "billing.example.evil.example"}
			assert.ErrorContains(t, to.May(u), "is none of Config.Hosts")
			continue
		}
		front := &chain{issuer: c.issuer, back: c.back}
		newFront(t, front, httpmw.Config{KeepToken: true}, claims.Authenticated(), to, tt.target)
		assert.Contains(t, front.ask(t, token), tt.want, name)
	}
	assert.Zero(t, leaked.Load())
}

// May goes by the exact host, and TLS.
func TestRelay_May(t *testing.T) {
	t.Parallel()
	to, err := relay.New(relay.Config{
		Hosts:             []string{"a.example", "b.example:8443", "127.0.0.1:8080", "[::1]", "c.example:443"},
		InsecureHTTPHosts: []string{"127.0.0.1:8080"},
	})
	require.NoError(t, err)
	for text, good := range map[string]bool{
		"https://a.example": true, "https://A.example/x?y": true, "https://a.example:443": true, "HTTPS://a.example": true,
		"https://b.example:8443": true, "https://[::1]": true, "https://[::1]:443/": true, "https://c.example": true,
		"http://127.0.0.1:8080": true, "https://127.0.0.1:8080": true,
		"http://a.example": false, "https://a.example:8443": false, "https://b.example": false, "https://x.a.example": false,
		"https://a.example.": false, "https://127.0.0.1": false, "http://127.0.0.1": false, "ftp://a.example": false,
		"//a.example": false, "https://": false, "https://[::1]:8443": false, "ws://a.example": false,
	} {
		u, err := url.Parse(text)
		require.NoError(t, err)
		if good {
			assert.NoError(t, to.May(u), text)
		} else {
			assert.Error(t, to.May(u), text)
		}
	}
	assert.Error(t, new(relay.Relay).May(&url.URL{Scheme: "https", Host: "a.example"}))
	_, err = (*relay.Relay)(nil).Token(t.Context())
	assert.Error(t, err)
}

// What can be wrong is said at start, all of it at once.
func TestNew_mistakes(t *testing.T) {
	t.Parallel()
	_, err := relay.New(relay.Config{
		InsecureHTTPHosts: []string{"http://x"},
		Exchange: &relay.Exchange{
			TokenURL: "http://issuer.example/token", Resources: []string{"billing"}, Audiences: []string{""},
			Scopes: []string{"a b"}, MaxTokens: -1,
		},
	})
	for _, want := range []string{
		"relay: New: Config.Hosts is empty: the token would go anywhere",
		`relay: New: Config.InsecureHTTPHosts has "http://x", which is a URL`,
		`relay: New: Config.Exchange.TokenURL of "http://issuer.example/token" must be https`,
		"relay: New: Config.Exchange.ClientID is empty",
		`relay: New: Config.Exchange.Resources has "billing"`, "relay: New: Config.Exchange.Audiences has an empty one",
		`relay: New: Config.Exchange.Scopes has "a b"`, "relay: New: Config.Exchange.MaxTokens of -1 is negative",
	} {
		assert.ErrorContains(t, err, want)
	}
	for host, want := range map[string]string{
		"*.example": "has a wildcard", "": "is no host", "a.example/x": "is no host", "A.example": "is not in lower case",
		"user@a.example": "is no host", "a.example:": "is no host", "a b": "is no host",
	} {
		_, err := relay.New(relay.Config{Hosts: []string{host}})
		assert.ErrorContains(t, err, want, host)
	}
	_, err = relay.New(relay.Config{Hosts: []string{"a.example"}, Exchange: &relay.Exchange{
		TokenURL: "https://issuer.example/token", ClientID: "me",
	}})
	assert.ErrorContains(t, err, "the token would be for nobody")
}

// A token that is bound to a key is of use to nobody else.
func TestRelay_bound(t *testing.T) {
	t.Parallel()
	for cnf, good := range map[string]bool{`{"jkt":"x"}`: false, `{}`: false} {
		caller, err := claims.FromJSON([]byte(`{"sub":"alice","cnf":`+cnf+`}`), claims.Config{})
		require.NoError(t, err)
		guard, err := claims.NewGuard(as{caller}, claims.GuardConfig{KeepToken: true})
		require.NoError(t, err)
		ctx, err := guard.Authorize(t.Context(), claims.Operation{}, claims.Credentials{Scheme: "Bearer", Token: "abc"}, nil)
		require.NoError(t, err)
		to, err := relay.New(relay.Config{Hosts: []string{"a.example"}})
		require.NoError(t, err)
		_, err = to.Token(ctx)
		assert.Equal(t, good, err == nil, cnf)
		// In the name of another caller there is no token at all.
		bob, err := claims.FromJSON([]byte(`{"sub":"bob"}`), claims.Config{})
		require.NoError(t, err)
		_, err = to.Token(claims.NewContext(ctx, bob))
		assert.ErrorIs(t, err, relay.ErrNoToken)
	}
}

// as is an Authenticator that takes everybody for one.
type as struct{ caller *claims.Claims }

func (a as) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return a.caller, nil
}

// What a guard keeps of a token to ask about it again is not for a relay.
func TestRelay_notKept(t *testing.T) {
	t.Parallel()
	caller, err := claims.FromJSON([]byte(`{"sub":"alice"}`), claims.Config{})
	require.NoError(t, err)
	to, err := relay.New(relay.Config{Hosts: []string{"a.example"}})
	require.NoError(t, err)
	for _, keep := range []bool{false, true} {
		guard, err := claims.NewGuard(asAgain{as{caller}}, claims.GuardConfig{KeepToken: keep})
		require.NoError(t, err)
		ctx, err := guard.Authorize(t.Context(), claims.Operation{}, claims.Credentials{Scheme: "Bearer", Token: "abc"}, nil)
		require.NoError(t, err)
		_, err = to.Token(ctx)
		assert.Equal(t, keep, err == nil)
	}
}

// asAgain can be asked again.
type asAgain struct{ as }

func (asAgain) Recheck(context.Context, *claims.Claims) error { return nil }

// A request of its own mind is not sent.
func TestTransport_ownToken(t *testing.T) {
	t.Parallel()
	to, err := relay.New(relay.Config{Hosts: []string{"a.example"}})
	require.NoError(t, err)
	body := &closing{Reader: strings.NewReader("x")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://a.example", body)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Basic YTpi")
	resp, err := to.Transport(nil).RoundTrip(req)
	if resp != nil {
		_ = resp.Body.Close()
	}
	assert.ErrorContains(t, err, "has an Authorization field of its own")
	assert.True(t, body.closed)
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// endpoint is a token endpoint that exchanges (RFC 8693).
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	forms  []url.Values
	basic  string
	answer func(w http.ResponseWriter, form url.Values)
}

func newEndpoint(t testing.TB, answer func(http.ResponseWriter, url.Values)) *endpoint {
	t.Helper()
	e := &endpoint{answer: answer}
	e.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		e.mu.Lock()
		e.forms = append(e.forms, r.PostForm)
		user, password, _ := r.BasicAuth()
		e.basic = user + ":" + password
		e.mu.Unlock()
		e.answer(w, r.PostForm)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) requests() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.forms)
}

func (e *endpoint) issue(w http.ResponseWriter, token string, expiresIn any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": token, "token_type": "bearer", "expires_in": expiresIn,
		"issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
	})
}

// A token is exchanged for one that is for the other service, once.
func TestExchange(t *testing.T) {
	t.Parallel()
	c := &chain{issuer: claimstest.Start(t, claimstest.Config{})}
	newBack(t, c, "https://billing.example")
	var tokens *endpoint
	tokens = newEndpoint(t, func(w http.ResponseWriter, form url.Values) {
		tokens.issue(w, c.issuer.Mint(claimstest.Token{Subject: "alice@billing", Audience: form["audience"]}), 3600)
	})
	to, err := relay.New(relay.Config{Hosts: []string{hostOf(t, c.back.URL)}, Exchange: &relay.Exchange{
		TokenURL: tokens.URL, ClientID: "front door", ClientSecret: "s&cret", Client: tokens.Client(),
		Audiences: []string{"https://billing.example"}, Resources: []string{"https://billing.example/api"},
		Scopes: []string{"bill:read", "bill:write"},
	}})
	require.NoError(t, err)
	newFront(t, c, httpmw.Config{KeepToken: true}, claims.Authenticated(), to, c.back.URL)
	token := c.issuer.Mint(claimstest.Token{Subject: "alice"})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { assert.Equal(t, "200 alice@billing", c.ask(t, token)) })
	}
	group.Wait()
	assert.Equal(t, 1, tokens.requests(), "many ask at a time, and after one another")
	assert.Equal(t, "front+door:s%26cret", tokens.basic)
	assert.Equal(t, url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":        {token},
		"subject_token_type":   {"urn:ietf:params:oauth:token-type:access_token"},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"audience":             {"https://billing.example"},
		"resource":             {"https://billing.example/api"},
		"scope":                {"bill:read bill:write"},
	}, tokens.forms[0])
	assert.NotEqual(t, "Bearer "+token, c.seen.Load())

	assert.Equal(t, "200 alice@billing", c.ask(t, c.issuer.Mint(claimstest.Token{Subject: "bob"})))
	assert.Equal(t, 2, tokens.requests(), "another's is another")
}

// What the endpoint says wrongly is an error that holds no token, and is not
// asked about in a storm.
func TestExchange_refused(t *testing.T) {
	t.Parallel()
	const secret = "c2VjcmV0LXRva2Vu"
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
	}{
		"refused":      {answering(400, `{"error":"invalid_target","error_description":"`+secret+`"}`), "the token endpoint answered 400 invalid_target"},
		"an odd code":  {answering(400, `{"error":"a\nb"}`), "the token endpoint answered 400"},
		"an outage":    {answering(503, "down"), "the token endpoint answered 503"},
		"a redirect":   {func(w http.ResponseWriter) { w.Header().Set("Location", "https://evil.example"); w.WriteHeader(307) }, "the token endpoint answered 307"},
		"no JSON":      {answering(200, secret), "is no JSON object"},
		"an array":     {answering(200, `["`+secret+`"]`), "is no JSON object"},
		"not Bearer":   {answering(200, `{"access_token":"`+secret+`","token_type":"N_A"}`), "issued no Bearer token"},
		"no token":     {answering(200, `{"token_type":"Bearer"}`), "issued no token that can be sent"},
		"a line break": {answering(200, `{"access_token":"`+secret+`\r\nX: y","token_type":"Bearer"}`), "issued no token that can be sent"},
		"too long":     {answering(200, `{"access_token":"`+strings.Repeat("a", 2<<20)+`","token_type":"Bearer"}`), "is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens := newEndpoint(t, func(w http.ResponseWriter, _ url.Values) { tt.answer(w) })
			ctx, to := exchanging(t, tokens, 0)
			for range 5 {
				_, err := to.Token(ctx)
				require.ErrorContains(t, err, tt.want)
				assert.NotContains(t, err.Error(), secret)
				assert.NotContains(t, err.Error(), "caller-token")
			}
			assert.LessOrEqual(t, tokens.requests(), 4, "one a second at most")
		})
	}
	var refusal *relay.ExchangeError
	tokens := newEndpoint(t, func(w http.ResponseWriter, _ url.Values) { answering(400, `{"error":"invalid_grant"}`)(w) })
	ctx, to := exchanging(t, tokens, 0)
	_, err := to.Token(ctx)
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, relay.ExchangeError{Status: 400, Code: "invalid_grant"}, *refusal)
}

func answering(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// exchanging returns the context of a caller's request and a Relay that
// exchanges their token.
func exchanging(t testing.TB, tokens *endpoint, most int) (context.Context, *relay.Relay) {
	t.Helper()
	to, err := relay.New(relay.Config{Hosts: []string{"a.example"}, Exchange: &relay.Exchange{
		TokenURL: tokens.URL, ClientID: "me", Audiences: []string{"a"}, MaxTokens: most, Client: tokens.Client(),
	}})
	require.NoError(t, err)
	return requestOf(t, "caller-token", time.Time{}), to
}

// requestOf returns the context of a guarded request with a token.
func requestOf(t testing.TB, token string, until time.Time) context.Context {
	t.Helper()
	object := `{"sub":"alice"}`
	if !until.IsZero() {
		object = fmt.Sprintf(`{"sub":"alice","exp":%d}`, until.Unix())
	}
	caller, err := claims.FromJSON([]byte(object), claims.Config{})
	require.NoError(t, err)
	guard, err := claims.NewGuard(as{caller}, claims.GuardConfig{KeepToken: true})
	require.NoError(t, err)
	ctx, err := guard.Authorize(t.Context(), claims.Operation{}, claims.Credentials{Scheme: "Bearer", Token: token}, nil)
	require.NoError(t, err)
	return ctx
}

// What is remembered is bounded, and ends when it expires or the caller's own
// token does.
func TestExchange_remembered(t *testing.T) {
	t.Parallel()
	var tokens *endpoint
	tokens = newEndpoint(t, func(w http.ResponseWriter, form url.Values) {
		tokens.issue(w, "for-"+form.Get("subject_token"), map[string]any{
			"brief": 0, "one": 3600, "two": 3600, "three": 3600,
		}[form.Get("subject_token")])
	})
	_, to := exchanging(t, tokens, 2)
	ask := func(token string) {
		got, err := to.Token(requestOf(t, token, time.Time{}))
		require.NoError(t, err)
		assert.Equal(t, "for-"+token, got)
	}
	for _, step := range []struct {
		token    string
		requests int
	}{
		{"one", 1}, {"two", 2}, {"one", 2}, {"two", 2}, {"one", 2},
		{"three", 3}, {"one", 3}, {"two", 4}, // evicted, as the least recently used
		{"brief", 5}, {"brief", 6}, // it is not said how long it lasts
	} {
		ask(step.token)
		assert.Equal(t, step.requests, tokens.requests(), step)
	}
	_, err := to.Token(requestOf(t, "one", time.Now().Add(-time.Hour)))
	assert.ErrorContains(t, err, "the caller's token has expired")
}

// A caller who gives up ends nobody else's exchange.
func TestExchange_canceled(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var tokens *endpoint
	tokens = newEndpoint(t, func(w http.ResponseWriter, _ url.Values) {
		<-release
		tokens.issue(w, "abc", 60)
	})
	ctx, to := exchanging(t, tokens, 0)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for tokens.requests() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := to.Token(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	close(release)
	got, err := to.Token(requestOf(t, "caller-token", time.Time{}))
	require.NoError(t, err)
	assert.Equal(t, "abc", got)
	assert.Equal(t, 1, tokens.requests())
}

// Whatever an endpoint answers, what comes of it is an error or a token that
// fits a header.
func FuzzExchange(f *testing.F) {
	f.Add(200, "application/json", `{"access_token":"a","token_type":"Bearer","expires_in":60}`)
	f.Add(400, "application/json", `{"error":"invalid_target"}`)
	f.Add(200, "text/html", "<p>")
	f.Fuzz(func(t *testing.T, status int, mediaType, body string) {
		if status < 200 || status > 599 || strings.ContainsAny(mediaType, "\r\n\x00") {
			return
		}
		fake := &http.Client{Transport: answers{status, mediaType, body}}
		to, err := relay.New(relay.Config{Hosts: []string{"a.example"}, Exchange: &relay.Exchange{
			TokenURL: "https://issuer.example", ClientID: "me", Audiences: []string{"a"}, Client: fake,
		}})
		require.NoError(t, err)
		token, err := to.Token(requestOf(t, "caller-token", time.Time{}))
		if err != nil {
			return
		}
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		if status != 200 || token == "" || strings.ContainsAny(token, " \r\n\t,\"") {
			t.Fatalf("%d %q", status, token)
		}
	})
}

// answers is what an endpoint says, without a network.
type answers struct {
	status          int
	mediaType, body string
}

func (a answers) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil, errors.New("body")
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {a.mediaType}},
		Body: io.NopCloser(strings.NewReader(a.body)), Request: req,
	}, nil
}
