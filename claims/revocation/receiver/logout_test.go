package receiver_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
	"github.com/sallyport-go/sallyport/jwks"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutClaims are those of a good logout token with an own "jti".
func logoutClaims(issuer *claimstest.Issuer, jti string) map[string]any {
	return map[string]any{
		"iss": issuer.URL(), "aud": self, "iat": time.Now().Unix(), "jti": jti,
		"exp": time.Now().Add(2 * time.Minute).Unix(), "sub": "alice", "sid": "s1",
		"events": map[string]any{logoutEvent: map[string]any{}},
	}
}

func newLogout(t testing.TB, table receiver.Table, cfg receiver.LogoutConfig) *receiver.Logout {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	logout, err := receiver.NewLogout(table, cfg)
	require.NoError(t, err)
	return logout
}

// What a logout token must and must not have (OpenID Connect Back-Channel
// Logout 1.0 sections 2.4 and 2.6), and what each that is taken ends.
func TestLogout_tokens(t *testing.T) {
	t.Parallel()
	issuer, stranger := claimstest.Start(t, claimstest.Config{}), claimstest.MustKey("ES256")
	now := time.Now()
	omit := claimstest.Omit
	session := revocation.Entry{Issuer: issuer.URL(), Session: "s1"}
	subject := revocation.Entry{Issuer: issuer.URL(), Subject: "alice"}
	rest := subject
	rest.Sessionless = true
	both := []revocation.Entry{session, rest}
	for _, tt := range []struct {
		name           string
		header, claims map[string]any
		key            *claimstest.Key
		want           []revocation.Entry // none: it is refused
		reason         string
	}{
		{name: "session and subject", want: both},
		{name: "session alone", claims: map[string]any{"sub": omit}, want: []revocation.Entry{session}},
		{name: "subject alone", claims: map[string]any{"sid": omit}, want: []revocation.Entry{subject}},
		{name: "no type", header: map[string]any{"typ": omit}, want: both},
		{name: "type JWT", header: map[string]any{"typ": "JWT"}, want: both},
		{name: "type in full", header: map[string]any{"typ": "application/LOGOUT+jwt"}, want: both},
		{name: "no expiry", claims: map[string]any{"exp": omit}, want: both},
		{name: "audience among others", claims: map[string]any{"aud": []string{"x", self}}, want: both},
		{name: "further events", claims: map[string]any{"events": map[string]any{
			logoutEvent: map[string]any{}, "https://other.example": 1,
		}}, want: both},
		{name: "issued a moment ahead", claims: map[string]any{"iat": now.Add(20 * time.Second).Unix()}, want: both},

		{name: "access token", header: map[string]any{"typ": "at+jwt"}, reason: "type"},
		{name: "security event token", header: map[string]any{"typ": "secevent+jwt"}, reason: "type"},
		{name: "type is no string", header: map[string]any{"typ": 1}, reason: "malformed"},
		{name: "nonce", claims: map[string]any{"nonce": "n"}, reason: "claims"},
		{name: "nonce null", claims: map[string]any{"nonce": nil}, reason: "claims"},
		{name: "no events", claims: map[string]any{"events": omit}, reason: "claims"},
		{name: "events is a string", claims: map[string]any{"events": logoutEvent}, reason: "claims"},
		{name: "events is a list", claims: map[string]any{"events": []string{logoutEvent}}, reason: "claims"},
		{name: "another event", claims: map[string]any{"events": map[string]any{"https://other.example": map[string]any{}}}, reason: "claims"},
		{name: "event is no object", claims: map[string]any{"events": map[string]any{logoutEvent: true}}, reason: "claims"},
		{name: "no jti", claims: map[string]any{"jti": omit}, reason: "claims"},
		{name: "empty jti", claims: map[string]any{"jti": ""}, reason: "malformed"},
		{name: "jti is no string", claims: map[string]any{"jti": 7}, reason: "malformed"},
		{name: "endless jti", claims: map[string]any{"jti": strings.Repeat("x", 2000)}, reason: "malformed"},
		{name: "neither subject nor session", claims: map[string]any{"sub": omit, "sid": omit}, reason: "claims"},
		{name: "empty session", claims: map[string]any{"sid": ""}, reason: "malformed"},
		{name: "session is no string", claims: map[string]any{"sid": 1}, reason: "malformed"},
		{name: "subject is a list", claims: map[string]any{"sub": []string{"alice"}}, reason: "malformed"},
		{name: "another audience", claims: map[string]any{"aud": "https://other.example"}, reason: "audience"},
		{name: "no audience", claims: map[string]any{"aud": omit}, reason: "audience"},
		{name: "audience is a number", claims: map[string]any{"aud": 1}, reason: "malformed"},
		{name: "another issuer", claims: map[string]any{"iss": "https://other.example"}, reason: "issuer"},
		{name: "no issuer", claims: map[string]any{"iss": omit}, reason: "issuer"},
		{name: "issuer but for a slash", claims: map[string]any{"iss": issuer.URL() + "/"}, reason: "issuer"},
		{name: "no iat", claims: map[string]any{"iat": omit}, reason: "claims"},
		{name: "iat is a string", claims: map[string]any{"iat": "1"}, reason: "malformed"},
		{name: "old, without expiry", claims: map[string]any{"iat": now.Add(-6 * time.Minute).Unix(), "exp": omit}, reason: "time"},
		{name: "old, with a late expiry", claims: map[string]any{"iat": now.Add(-6 * time.Minute).Unix(), "exp": now.Add(time.Hour).Unix()}, reason: "time"},
		{name: "expired", claims: map[string]any{"exp": now.Add(-time.Minute).Unix()}, reason: "time"},
		{name: "of the future", claims: map[string]any{"iat": now.Add(time.Hour).Unix(), "exp": now.Add(2 * time.Hour).Unix()}, reason: "time"},
		{name: "signed by a stranger", key: stranger, reason: "signature"},
		{name: "unknown key", header: map[string]any{"kid": "unknown"}, key: stranger, reason: "signature"},
		{name: "alg none", header: map[string]any{"alg": "none"}, reason: "algorithm"},
		{name: "alg None", header: map[string]any{"alg": "None"}, reason: "algorithm"},
		{name: "symmetric", header: map[string]any{"alg": "HS256"}, reason: "algorithm"},
		{name: "no alg", header: map[string]any{"alg": omit}, reason: "algorithm"},
		{name: "an algorithm of other keys", header: map[string]any{"alg": "RS256"}, reason: "algorithm"},
		{name: "critical extension", header: map[string]any{"crit": []string{"x"}}, reason: "malformed"},
		{name: "a claim in another case", claims: map[string]any{"Sub": "bob"}, reason: "malformed"},
		{name: "a parameter in another case", header: map[string]any{"Alg": "none"}, reason: "malformed"},
		{name: "key in the header", header: map[string]any{"jwk": stranger.JWK(), "kid": omit}, key: stranger, reason: "signature"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t)
			var events []receiver.Event
			logout := newLogout(t, table, receiver.LogoutConfig{
				Senders:  senderOf(issuer),
				Observer: func(_ context.Context, e receiver.Event) { events = append(events, e) },
			})
			key := tt.key
			if key == nil {
				key = issuer.Key()
			}
			token := sign(key, with(headerOf(issuer, "logout+jwt"), tt.header),
				with(logoutClaims(issuer, "1"), tt.claims))
			got := sendLogout(t, serve(t, logout), token)
			assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			require.Len(t, events, 1)
			wanted := []string{}
			for _, e := range tt.want {
				wanted = append(wanted, named(e))
			}
			assert.Equal(t, wanted, entriesOf(table))
			if len(tt.want) > 0 {
				require.Equal(t, http.StatusOK, got.StatusCode, "%v", events)
				assert.Empty(t, got.body)
				assert.Equal(t, receiver.Event{Issuer: issuer.URL(), Outcome: "applied", Entries: len(tt.want)}, events[0])
				return
			}
			require.Equal(t, http.StatusBadRequest, got.StatusCode)
			assert.Equal(t, "invalid_request", got.members(t)["error"])
			assert.NotEmpty(t, got.members(t)["error_description"])
			assert.Equal(t, tt.reason, events[0].Reason, "%v", events[0].Err)
			assert.Error(t, events[0].Err)
			assert.NotContains(t, got.body, "alice")
			assert.EqualValues(t, 1, logout.Stats().Refused)
		})
	}
}

// Tokens that no encoder writes.
func TestLogout_texts(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	good := sign(issuer.Key(), headerOf(issuer, "logout+jwt"), logoutClaims(issuer, "1"))
	parts := strings.Split(good, ".")
	payload := func(text string) string {
		return issuer.Key().Sign([]byte(`{"alg":"ES256","typ":"logout+jwt"}`), []byte(text))
	}
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"logout+jwt"}`))
	body, err := json.Marshal(logoutClaims(issuer, "1"))
	require.NoError(t, err)
	twice := strings.Replace(string(body), `"sub":"alice"`, `"sub":"bob","sub":"alice"`, 1)
	require.NotEqual(t, string(body), twice)
	for name, token := range map[string]string{
		"empty":            "",
		"two segments":     parts[0] + "." + parts[1],
		"four segments":    good + ".x",
		"padding":          parts[0] + "=." + parts[1] + "." + parts[2],
		"no signature":     parts[0] + "." + parts[1] + ".",
		"none, unsigned":   unsigned + "." + parts[1] + ".",
		"cut signature":    good[:len(good)-4],
		"line break":       parts[0] + "." + parts[1] + ".\n" + parts[2],
		"no JSON":          payload("hello"),
		"an array":         payload("[]"),
		"a member twice":   payload(twice),
		"something behind": payload(string(body) + "{}"),
		"deep":             payload(strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)),
		"not UTF-8":        payload(strings.Replace(string(body), "alice", "al\xffice", 1)),
		"other payload":    parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(twice)) + "." + parts[2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t)
			logout := newLogout(t, table, receiver.LogoutConfig{Senders: senderOf(issuer)})
			assert.Equal(t, http.StatusBadRequest, sendLogout(t, serve(t, logout), token).StatusCode)
			assert.Empty(t, entriesOf(table))
		})
	}
}

// Requests that are none of section 2.5.
func TestLogout_requests(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	table := newTable(t)
	to := serve(t, newLogout(t, table, receiver.LogoutConfig{Senders: senderOf(issuer)}))
	good := url.Values{"logout_token": {
		sign(issuer.Key(), headerOf(issuer, "logout+jwt"), logoutClaims(issuer, "1")),
	}}.Encode()
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, method, query, contentType, body string
		want                                   int
	}{
		{name: "GET", method: "GET", want: http.StatusMethodNotAllowed},
		{name: "in the query of a GET", method: "GET", query: "?" + good, want: http.StatusMethodNotAllowed},
		{name: "in the query", query: "?" + good, contentType: form, want: 400},
		{name: "JSON", contentType: "application/json", body: good, want: 400},
		{name: "no type", body: good, want: 400},
		{name: "multipart", contentType: "multipart/form-data; boundary=x", body: good, want: 400},
		{name: "two tokens", contentType: form, body: good + "&" + good, want: 400},
		{name: "no token", contentType: form, body: "token=1", want: 400},
		{name: "no form", contentType: form, body: "logout_token=%zz", want: 400},
		{name: "endless", contentType: form, body: good + "&x=" + strings.Repeat("x", 1<<20), want: 400},
		{name: "good, with another field", contentType: form + "; charset=utf-8", body: good + "&x=1", want: 200},
	} {
		method := tt.method
		if method == "" {
			method = http.MethodPost
		}
		got := send(t, method, to+tt.query, tt.contentType, tt.body, nil)
		assert.Equal(t, tt.want, got.StatusCode, tt.name)
		assert.Equal(t, "no-store", got.Header.Get("Cache-Control"), tt.name)
		if tt.want != 200 {
			assert.Empty(t, entriesOf(table), tt.name)
		}
		if tt.want == http.StatusMethodNotAllowed {
			assert.Equal(t, "POST", got.Header.Get("Allow"), tt.name)
		}
	}
	assert.Len(t, entriesOf(table), 2)
}

// A logout token counts once.
func TestLogout_replay(t *testing.T) {
	t.Parallel()
	issuer, other := claimstest.Start(t, claimstest.Config{}), claimstest.Start(t, claimstest.Config{})
	logout := newLogout(t, newTable(t), receiver.LogoutConfig{
		Senders: append(senderOf(issuer), senderOf(other)...),
	})
	to := serve(t, logout)
	token := sign(issuer.Key(), headerOf(issuer, "logout+jwt"), logoutClaims(issuer, "1"))
	assert.Equal(t, http.StatusOK, sendLogout(t, to, token).StatusCode)
	got := sendLogout(t, to, token)
	assert.Equal(t, http.StatusBadRequest, got.StatusCode)
	assert.Equal(t, "invalid_request", got.members(t)["error"])
	again := sign(issuer.Key(), headerOf(issuer, "logout+jwt"), with(logoutClaims(issuer, "1"), map[string]any{"sub": "bob"}))
	assert.Equal(t, http.StatusBadRequest, sendLogout(t, to, again).StatusCode, "by its jti, whatever else it says")
	same := sign(other.Key(), headerOf(other, "logout+jwt"), logoutClaims(other, "1"))
	assert.Equal(t, http.StatusOK, sendLogout(t, to, same).StatusCode, "the same jti of another sender")
	assert.Equal(t, uint64(2), logout.Stats().Applied)
	assert.Equal(t, uint64(2), logout.Stats().Repeated)
	assert.WithinDuration(t, time.Now(), logout.Stats().Last, time.Minute)
}

// failing is a table that fails, waits or panics, as one whose Store is down.
type failing struct {
	receiver.Table
	fails   atomic.Int64 // so many times
	panics  bool
	revoked atomic.Int64
}

func (f *failing) Revoke(ctx context.Context, e revocation.Entry) error {
	if f.fails.Add(-1) >= 0 {
		if f.panics {
			panic("broken")
		}
		return errors.New("the store is down")
	}
	f.revoked.Add(1)
	return f.Table.Revoke(ctx, e)
}

// What failed may come again: it was not received.
func TestLogout_tableFails(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	for _, panics := range []bool{false, true} {
		table := &failing{Table: newTable(t), panics: panics}
		table.fails.Store(1)
		to := serve(t, newLogout(t, table, receiver.LogoutConfig{Senders: senderOf(issuer)}))
		token := sign(issuer.Key(), headerOf(issuer, "logout+jwt"), logoutClaims(issuer, "1"))
		got := sendLogout(t, to, token)
		assert.Equal(t, http.StatusBadRequest, got.StatusCode)
		assert.Equal(t, "temporarily_unavailable", got.members(t)["error"])
		assert.NotContains(t, got.body, "store")
		assert.Equal(t, http.StatusOK, sendLogout(t, to, token).StatusCode)
		assert.EqualValues(t, 3, table.revoked.Load(), "one of two, then both")
	}
}

// Of many identical tokens at a time one is acted on.
func TestLogout_race(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	table := &failing{Table: newTable(t)}
	to := serve(t, newLogout(t, table, receiver.LogoutConfig{Senders: senderOf(issuer)}))
	token := sign(issuer.Key(), headerOf(issuer, "logout+jwt"), logoutClaims(issuer, "1"))
	var all sync.WaitGroup
	var accepted atomic.Int64
	for range 50 {
		all.Go(func() {
			if sendLogout(t, to, token).StatusCode == http.StatusOK {
				accepted.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, accepted.Load())
	assert.EqualValues(t, 2, table.revoked.Load(), "its two entries")
}

// Keys that cannot be had, or whose source panics, are no fault of the token.
func TestLogout_keysUnavailable(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	token := sign(issuer.Key(), headerOf(issuer, "logout+jwt"), logoutClaims(issuer, "1"))
	issuer.Fail(http.StatusInternalServerError)
	broken := senderOf(issuer)
	broken[0].Keys = panicking{}
	for _, senders := range [][]receiver.Sender{senderOf(issuer), broken} {
		table := newTable(t)
		got := sendLogout(t, serve(t, newLogout(t, table, receiver.LogoutConfig{Senders: senders})), token)
		assert.Equal(t, http.StatusBadRequest, got.StatusCode, "section 2.8 has no other")
		assert.Equal(t, "temporarily_unavailable", got.members(t)["error"])
		assert.Empty(t, entriesOf(table))
	}
}

type panicking struct{ claims.KeySource }

// Rotation: a token signed with a key that came after the last fetch.
func TestLogout_rotation(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	to := serve(t, newLogout(t, newTable(t), receiver.LogoutConfig{Senders: senderOf(issuer)}))
	for i, key := range []*claimstest.Key{issuer.Key(), issuer.Rotate("RS256")} {
		header := map[string]any{"alg": key.Algorithm, "kid": key.ID}
		got := sendLogout(t, to, sign(key, header, logoutClaims(issuer, fmt.Sprint(i))))
		assert.Equal(t, http.StatusOK, got.StatusCode, got.body)
	}
}

// A logout counts for each issuer that the sender speaks for, and of a subject
// until the logout alone.
func TestLogout_tokenIssuers(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	table := newTable(t)
	senders := senderOf(issuer)
	senders[0].TokenIssuers = []string{"https://a.example", "https://b.example"}
	to := serve(t, newLogout(t, table, receiver.LogoutConfig{Senders: senders}))
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	token := sign(issuer.Key(), headerOf(issuer, "logout+jwt"),
		with(logoutClaims(issuer, "1"), map[string]any{"iat": at.Unix()}))
	require.Equal(t, http.StatusOK, sendLogout(t, to, token).StatusCode)
	assert.Equal(t, []string{
		`issuer "https://a.example", session "s1"`, `issuer "https://a.example", subject "alice", without a session`,
		`issuer "https://b.example", session "s1"`, `issuer "https://b.example", subject "alice", without a session`,
	}, entriesOf(table))
	for e := range table.Entries() {
		if e.Subject != "" {
			assert.True(t, at.Equal(e.Before), "%s, not %s", e.Before, at)
		}
	}
}

// A clock of the sender's that is ahead does not end what is issued later.
func TestLogout_clockAhead(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	table := newTable(t)
	to := serve(t, newLogout(t, table, receiver.LogoutConfig{Senders: senderOf(issuer)}))
	token := sign(issuer.Key(), headerOf(issuer, "logout+jwt"), with(logoutClaims(issuer, "1"),
		map[string]any{"iat": time.Now().Add(20 * time.Second).Unix(), "sid": claimstest.Omit}))
	require.Equal(t, http.StatusOK, sendLogout(t, to, token).StatusCode)
	for e := range table.Entries() {
		assert.False(t, e.Before.After(time.Now()))
	}
}

func TestNewLogout_faults(t *testing.T) {
	t.Parallel()
	_, err := receiver.NewLogout(nil, receiver.LogoutConfig{})
	require.Error(t, err)
	assert.ErrorContains(t, err, "receiver: NewLogout: table is nil")
	assert.ErrorContains(t, err, "receiver: NewLogout: Config.Senders is required")
	_, err = receiver.NewLogout((*revocation.Table)(nil), receiver.LogoutConfig{Senders: []receiver.Sender{
		{},
		{Issuer: "not a URL", Audiences: []string{""}, Algorithms: []string{"none", "ES256"}, TokenIssuers: []string{""}},
		{Issuer: "https://a.example", Audiences: []string{"x"}},
		{Issuer: "https://a.example", Audiences: []string{"x"}, Keys: (*jwks.Cache)(nil)},
	}})
	require.Error(t, err)
	for _, text := range []string{
		"table is nil", "Senders[0].Issuer is required", "Senders[0].Audiences", "Senders[1].Issuer or Keys",
		`no public key verifies "none"`, "Senders[1].TokenIssuers", `Senders[3].Issuer "https://a.example" is there twice`,
		"Senders[3].Keys",
	} {
		assert.ErrorContains(t, err, text)
	}
}
