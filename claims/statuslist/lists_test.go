package statuslist_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/statuslist"
)

// publisher publishes lists over real HTTP.
type publisher struct {
	issuer *claimstest.Issuer
	server *httptest.Server
	prefix string // what its lists begin with

	mu       sync.Mutex
	statuses []byte                                        // of 8 bits each
	claims   map[string]any                                // that a list has, or has instead
	header   map[string]any                                // likewise
	key      *claimstest.Key                               // nil for the issuer's
	handle   func(http.ResponseWriter, *http.Request) bool // true if it has answered
	requests atomic.Int64
}

func publish(t testing.TB) *publisher {
	t.Helper()
	p := &publisher{issuer: claimstest.Start(t, claimstest.Config{}), statuses: []byte{0, 1, 2, 3}}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	p.prefix = p.server.URL + "/lists/"
	return p
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handle != nil && p.handle(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/statuslist+jwt")
	_, _ = w.Write([]byte(p.token(p.server.URL + r.URL.String())))
}

func (p *publisher) token(uri string) string {
	var lst bytes.Buffer
	z := zlib.NewWriter(&lst)
	_, _ = z.Write(p.statuses)
	_ = z.Close()
	key := p.key
	if key == nil {
		key = p.issuer.Key()
	}
	payload := map[string]any{
		"sub": uri, "iss": p.issuer.URL(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "ttl": 60,
		"status_list": map[string]any{"bits": 8, "lst": base64.RawURLEncoding.EncodeToString(lst.Bytes())},
	}
	header := map[string]any{"alg": key.Algorithm, "kid": key.ID, "typ": "statuslist+jwt"}
	return key.Sign(join(header, p.header), join(payload, p.claims))
}

func join(members, other map[string]any) []byte {
	both := maps.Clone(members)
	maps.Copy(both, other)
	maps.DeleteFunc(both, func(_ string, v any) bool { return v == claimstest.Omit })
	text, err := json.Marshal(both)
	if err != nil {
		panic(err)
	}
	return text
}

func (p *publisher) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *publisher) config() statuslist.Config {
	return statuslist.Config{Issuers: []statuslist.Issuer{{Issuer: p.issuer.URL(), Prefixes: []string{p.prefix}}}}
}

func newLists(t testing.TB, cfg statuslist.Config) *statuslist.Lists {
	t.Helper()
	lists, err := statuslist.New(cfg)
	require.NoError(t, err)
	return lists
}

// verifier returns a Verifier of the issuer that asks the lists.
func (p *publisher) verifier(t testing.TB, lists *statuslist.Lists) *claims.Verifier {
	t.Helper()
	v, err := claims.NewVerifier(claims.Config{
		Issuer: p.issuer.URL(), Audiences: []string{claimstest.Audience}, Check: lists.Check,
	})
	require.NoError(t, err)
	return v
}

func (p *publisher) mint(status any) string {
	return p.issuer.Mint(claimstest.Token{Subject: "alice", Claims: map[string]any{"status": status}})
}

func in(uri string, index any) map[string]any {
	return map[string]any{"status_list": map[string]any{"uri": uri, "idx": index}}
}

// present returns how a token is answered.
func present(t testing.TB, v *claims.Verifier, token string) error {
	t.Helper()
	_, err := v.Authenticate(t.Context(), claims.Credentials{Scheme: "Bearer", Token: token})
	return err
}

// What tokens say of their status (section 6.2), and what their list says.
func TestCheck_tokens(t *testing.T) {
	t.Parallel()
	p := publish(t)
	list := p.prefix + "1"
	for _, tt := range []struct {
		name     string
		status   any
		required bool
		want     error
		cause    string
		fetches  int64
	}{
		{name: "valid", status: in(list, 0), fetches: 1},
		{name: "invalid", status: in(list, 1), want: claims.ErrInvalidToken, cause: "INVALID", fetches: 1},
		{name: "suspended", status: in(list, 2), want: claims.ErrInvalidToken, cause: "SUSPENDED", fetches: 1},
		{name: "of the issuer's own", status: in(list, 3), want: claims.ErrInvalidToken, cause: "status 3", fetches: 1},
		{name: "out of range", status: in(list, 4), want: claims.ErrInvalidToken, cause: "no such index", fetches: 1},
		{name: "far out of range", status: in(list, int64(1)<<60), want: claims.ErrInvalidToken, cause: "idx"},
		{name: "below zero", status: in(list, -1), want: claims.ErrInvalidToken},
		{name: "half", status: in(list, 0.5), want: claims.ErrInvalidToken},
		{name: "an index of text", status: in(list, "0"), want: claims.ErrInvalidToken},
		{name: "no index", status: map[string]any{"status_list": map[string]any{"uri": list}}, want: claims.ErrInvalidToken},
		{name: "no uri", status: map[string]any{"status_list": map[string]any{"idx": 0}}, want: claims.ErrInvalidToken},
		{name: "a list of text", status: map[string]any{"status_list": "x"}, want: claims.ErrInvalidToken},
		{name: "a status of text", status: "valid", want: claims.ErrInvalidToken},
		{name: "no status", status: claimstest.Omit},
		{name: "no status, though required", status: claimstest.Omit, required: true, want: claims.ErrInvalidToken},
		{name: "another mechanism", status: map[string]any{"other": 1}},
		{name: "another mechanism, though one is required", status: map[string]any{"other": 1}, required: true, want: claims.ErrInvalidToken},

		{name: "elsewhere", status: in("https://attacker.example/lists/1", 0), want: claims.ErrInvalidToken, cause: "prefixes"},
		{name: "beside", status: in(p.server.URL+"/other/1", 0), want: claims.ErrInvalidToken, cause: "prefixes"},
		{name: "the prefix itself", status: in(p.prefix, 0), want: claims.ErrInvalidToken, cause: "prefixes"},
		{name: "out of the prefix", status: in(p.prefix+"../admin", 0), want: claims.ErrInvalidToken, cause: "elsewhere"},
		{name: "out of the prefix, escaped", status: in(p.prefix+"%2e%2e/admin", 0), want: claims.ErrInvalidToken, cause: "elsewhere"},
		{name: "out of the prefix, slash escaped", status: in(p.prefix+"..%2fadmin", 0), want: claims.ErrInvalidToken, cause: "elsewhere"},
		{name: "out of the prefix, backslash", status: in(p.prefix+`..\admin`, 0), want: claims.ErrInvalidToken},
		{name: "a fragment", status: in(list+"#x", 0), want: claims.ErrInvalidToken},
		{name: "no URL", status: in(p.prefix+"%zz", 0), want: claims.ErrInvalidToken},
		{name: "endless", status: in(p.prefix+strings.Repeat("x", 5000), 0), want: claims.ErrInvalidToken},
	} {
		cfg := p.config()
		cfg.Issuers[0].Required = tt.required
		before := p.requests.Load()
		err := present(t, p.verifier(t, newLists(t, cfg)), p.mint(tt.status))
		if tt.want == nil {
			assert.NoError(t, err, tt.name)
		} else {
			assert.ErrorIs(t, err, tt.want, tt.name)
			assert.ErrorContains(t, errors.Join(err, claims.AsError(err).Unwrap()), tt.cause, tt.name)
		}
		assert.Equal(t, tt.fetches, p.requests.Load()-before, tt.name)
	}
}

// What a list's token must be (section 5.1), and an answer. None can be relied
// on: nothing can be decided.
func TestCheck_lists(t *testing.T) {
	t.Parallel()
	omit := claimstest.Omit
	now := time.Now()
	body := func(contentType string, status int, text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
			return true
		}
	}
	const set = "application/statuslist+jwt"
	for _, tt := range []struct {
		name           string
		claims, header map[string]any
		key            *claimstest.Key
		handle         func(http.ResponseWriter, *http.Request) bool
		good           bool
	}{
		{name: "good", good: true},
		{name: "no issuer", claims: map[string]any{"iss": omit}, good: true},
		{name: "no exp, no ttl", claims: map[string]any{"exp": omit, "ttl": omit}, good: true},
		{name: "another URL's", claims: map[string]any{"sub": "https://other.example/1"}},
		{name: "no URL's", claims: map[string]any{"sub": omit}},
		{name: "another issuer's", claims: map[string]any{"iss": "https://other.example"}},
		{name: "issuer null", claims: map[string]any{"iss": nil}},
		{name: "no iat", claims: map[string]any{"iat": omit}},
		{name: "of the future", claims: map[string]any{"iat": now.Add(time.Hour).Unix()}},
		{name: "expired", claims: map[string]any{"exp": now.Add(-time.Hour).Unix()}},
		{name: "no list", claims: map[string]any{"status_list": omit}},
		{name: "another type", header: map[string]any{"typ": "JWT"}},
		{name: "no type", header: map[string]any{"typ": omit}},
		{name: "alg none", header: map[string]any{"alg": "none"}},
		{name: "signed by a stranger", key: claimstest.MustKey("ES256")},
		{name: "404", handle: body(set, 404, "")},
		{name: "another media type", handle: body("application/json", 200, "{}")},
		{name: "no token", handle: body(set, 200, "{}")},
		{name: "endless", handle: body(set, 200, strings.Repeat("x", 5<<20))},
		{name: "redirect elsewhere", handle: func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://attacker.example/lists/1", http.StatusFound)
			return true
		}},
		{name: "redirect out of the prefix", handle: func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/other/1", http.StatusFound)
			return true
		}},
		{name: "redirects without end", handle: func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
			return true
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := publish(t)
			p.claims, p.header, p.key, p.handle = tt.claims, tt.header, tt.key, tt.handle
			lists := newLists(t, p.config())
			v := p.verifier(t, lists)
			for range 3 { // the failure is remembered
				err := present(t, v, p.mint(in(p.prefix+"1", 0)))
				if tt.good {
					assert.NoError(t, err)
				} else {
					assert.ErrorIs(t, err, claims.ErrUnavailable)
				}
			}
			assert.LessOrEqual(t, p.requests.Load(), int64(7), "one fetch, with its redirects")
			assert.EqualValues(t, 1, lists.Stats().Fetches)
			assert.Equal(t, tt.good, lists.Stats().Failures == 0)
		})
	}
}

// A redirect below the prefix is followed.
func TestCheck_redirect(t *testing.T) {
	t.Parallel()
	p := publish(t)
	p.handle = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/lists/moved" {
			return false
		}
		http.Redirect(w, r, "/lists/moved", http.StatusFound)
		return true
	}
	p.claims = map[string]any{"sub": p.prefix + "1"}
	assert.NoError(t, present(t, p.verifier(t, newLists(t, p.config())), p.mint(in(p.prefix+"1", 0))))
}

// However many tokens wait for a list, it is fetched once; a change is seen
// once its time is over; and a remembered token is asked about on each use.
func TestCheck_cache(t *testing.T) {
	t.Parallel()
	p := publish(t)
	p.claims = map[string]any{"ttl": 1}
	lists := newLists(t, p.config())
	v := p.verifier(t, lists)
	token := p.mint(in(p.prefix+"1", 0))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { assert.NoError(t, present(t, v, token)) })
	}
	all.Wait()
	assert.EqualValues(t, 1, p.requests.Load())
	p.change(func() { p.statuses = []byte{1} })
	require.Eventually(t, func() bool { return errors.Is(present(t, v, token), claims.ErrInvalidToken) },
		30*time.Second, 50*time.Millisecond)
	caller := callerWith(t, p, in(p.prefix+"1", 0))
	assert.Error(t, lists.Check(t.Context(), caller), "by Recheck too")
}

func callerWith(t testing.TB, p *publisher, status any) *claims.Claims {
	t.Helper()
	text, err := json.Marshal(map[string]any{"iss": p.issuer.URL(), "sub": "alice", "status": status})
	require.NoError(t, err)
	caller, err := claims.FromJSON(text, claims.Config{})
	require.NoError(t, err)
	return caller
}

// In an outage a list serves for MaxStale, and never beyond.
func TestCheck_outage(t *testing.T) {
	t.Parallel()
	p := publish(t)
	p.claims = map[string]any{"ttl": 1}
	stale, strict := p.config(), p.config()
	stale.MaxStale, strict.MaxStale = time.Hour, -1
	patient, hasty := newLists(t, stale), newLists(t, strict)
	caller := callerWith(t, p, in(p.prefix+"1", 0))
	for _, lists := range []*statuslist.Lists{patient, hasty} {
		require.NoError(t, lists.Check(t.Context(), caller))
	}
	p.change(func() {
		p.handle = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
	})
	require.Eventually(t, func() bool {
		return errors.Is(hasty.Check(t.Context(), caller), claims.ErrUnavailable)
	}, 30*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool {
		require.NoError(t, patient.Check(t.Context(), caller))
		return patient.Stats().Failures > 0
	}, 30*time.Second, 50*time.Millisecond)
	require.NoError(t, patient.Check(t.Context(), caller))
	p.change(func() { p.handle = nil })
	require.Eventually(t, func() bool { return hasty.Check(t.Context(), caller) == nil },
		30*time.Second, 50*time.Millisecond, "back by itself")
}

// As many lists as there are, so many are kept at most.
func TestCheck_bound(t *testing.T) {
	t.Parallel()
	p := publish(t)
	cfg := p.config()
	cfg.MaxLists = 4
	lists := newLists(t, cfg)
	first := callerWith(t, p, in(p.prefix+"first", 0))
	for i := range 20 {
		require.NoError(t, lists.Check(t.Context(), first))
		require.NoError(t, lists.Check(t.Context(), callerWith(t, p, in(fmt.Sprint(p.prefix, i), 0))))
	}
	assert.Equal(t, 4, lists.Stats().Lists)
	assert.EqualValues(t, 21, lists.Stats().Fetches, "the one in use is kept")
}

// A list that does not come is waited for no longer than the Timeout.
func TestCheck_silent(t *testing.T) {
	t.Parallel()
	p := publish(t)
	release := make(chan struct{})
	p.handle = func(http.ResponseWriter, *http.Request) bool { <-release; return true }
	t.Cleanup(func() { close(release) })
	cfg := p.config()
	cfg.Timeout = 100 * time.Millisecond
	lists := newLists(t, cfg)
	start := time.Now()
	err := lists.Check(t.Context(), callerWith(t, p, in(p.prefix+"1", 0)))
	assert.ErrorIs(t, err, claims.ErrUnavailable)
	assert.Less(t, time.Since(start), 20*time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, lists.Check(ctx, callerWith(t, p, in(p.prefix+"2", 0))), claims.ErrUnavailable)
}

// Tokens of other issuers are none of its business.
func TestCheck_otherIssuers(t *testing.T) {
	t.Parallel()
	p, other := publish(t), publish(t)
	assert.NoError(t, newLists(t, p.config()).Check(t.Context(), callerWith(t, other, in(other.prefix+"1", 1))))
	assert.Zero(t, other.requests.Load())
}

func TestNew_faults(t *testing.T) {
	t.Parallel()
	_, err := statuslist.New(statuslist.Config{
		Issuers: []statuslist.Issuer{
			{}, {Issuer: "no URL", Prefixes: []string{"http://a.example/", "https://a.example", "https://a.example/?x", "https://u@a.example/", "/"}},
			{Issuer: "https://a.example", Prefixes: []string{"https://a.example/"}}, {Issuer: "https://a.example", Prefixes: []string{"https://a.example/"}},
		},
		Timeout: time.Hour, DefaultTTL: time.Millisecond, MaxStale: 48 * time.Hour, MaxLists: -1, MaxListSize: 1 << 40,
	})
	require.Error(t, err)
	for _, text := range []string{
		"Issuers[0].Issuer is required", "Issuers[0].Prefixes is required", "Issuers[1].Issuer or Keys",
		`"http://a.example/" is not https`, `"https://a.example" does not end in "/"`, `"https://a.example/?x" is not a URL`,
		`"https://u@a.example/" is not a URL`, `Prefixes: "/"`, "is there twice", "Timeout of 1h", "DefaultTTL", "MaxStale", "MaxLists of -1", "MaxListSize",
	} {
		assert.ErrorContains(t, err, text)
	}
	_, err = statuslist.New(statuslist.Config{})
	assert.ErrorContains(t, err, "statuslist: New: Config.Issuers is required")
}
