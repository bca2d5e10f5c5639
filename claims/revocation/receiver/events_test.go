package receiver_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
)

const (
	caep  = "https://schemas.openid.net/secevent/caep/event-type/"
	risc  = "https://schemas.openid.net/secevent/risc/event-type/"
	oauth = "https://schemas.openid.net/secevent/oauth/event-type/"
	ssf   = "https://schemas.openid.net/secevent/ssf/event-type/"
)

type object = map[string]any

// eventClaims are those of a good token with an own "jti".
func eventClaims(issuer *claimstest.Issuer, jti string, uri string, event object) object {
	return object{
		"iss": issuer.URL(), "aud": self, "iat": time.Now().Unix(), "jti": jti, "txn": "8675309",
		"sub_id": object{"format": "iss_sub", "iss": issuer.URL(), "sub": "alice"},
		"events": object{uri: event},
	}
}

func newEvents(t testing.TB, table receiver.Table, cfg receiver.EventsConfig) *receiver.Events {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	events, err := receiver.NewEvents(table, cfg)
	require.NoError(t, err)
	return events
}

// What a security event token must and must not have (RFC 8417, RFC 8935
// section 2, SSF section 4.1), with the code of each refusal.
func TestEvents_tokens(t *testing.T) {
	t.Parallel()
	issuer, stranger := claimstest.Start(t, claimstest.Config{}), claimstest.MustKey("ES256")
	omit := claimstest.Omit
	for _, tt := range []struct {
		name           string
		header, claims object
		key            *claimstest.Key
		err, reason    string // none: it is taken
	}{
		{name: "good"},
		{name: "old", claims: object{"iat": time.Now().Add(-12 * time.Hour).Unix()}},
		{name: "type in full", header: object{"typ": "application/secevent+jwt"}},
		{name: "a nonce, which is nothing here", claims: object{"nonce": "n"}},

		{name: "no type", header: object{"typ": omit}, err: "invalid_request", reason: "type"},
		{name: "type JWT", header: object{"typ": "JWT"}, err: "invalid_request", reason: "type"},
		{name: "access token", header: object{"typ": "at+jwt"}, err: "invalid_request", reason: "type"},
		{name: "logout token", header: object{"typ": "logout+jwt"}, err: "invalid_request", reason: "type"},
		{name: "exp", claims: object{"exp": time.Now().Add(time.Hour).Unix()}, err: "invalid_request", reason: "claims"},
		{name: "sub", claims: object{"sub": "alice"}, err: "invalid_request", reason: "claims"},
		{name: "no events", claims: object{"events": omit}, err: "invalid_request", reason: "claims"},
		{name: "empty events", claims: object{"events": object{}}, err: "invalid_request", reason: "claims"},
		{name: "events is a list", claims: object{"events": []string{"x"}}, err: "invalid_request", reason: "claims"},
		{name: "event is no object", claims: object{"events": object{caep + "session-revoked": true}}, err: "invalid_request", reason: "claims"},
		{name: "no jti", claims: object{"jti": omit}, err: "invalid_request", reason: "claims"},
		{name: "no iat", claims: object{"iat": omit}, err: "invalid_request", reason: "claims"},
		{name: "of the future", claims: object{"iat": time.Now().Add(time.Hour).Unix()}, err: "invalid_request", reason: "time"},
		{name: "another audience", claims: object{"aud": "https://other.example"}, err: "invalid_audience", reason: "audience"},
		{name: "no audience", claims: object{"aud": omit}, err: "invalid_audience", reason: "audience"},
		{name: "another issuer", claims: object{"iss": "https://other.example"}, err: "invalid_issuer", reason: "issuer"},
		{name: "alg none", header: object{"alg": "none"}, err: "invalid_key", reason: "algorithm"},
		{name: "symmetric", header: object{"alg": "HS256"}, err: "invalid_key", reason: "algorithm"},
		{name: "signed by a stranger", key: stranger, err: "invalid_key", reason: "signature"},
		{name: "unknown key", key: stranger, header: object{"kid": "x"}, err: "invalid_key", reason: "signature"},
		{name: "no subject", claims: object{"sub_id": omit}, err: "invalid_request", reason: "subject"},
		{name: "subject without format", claims: object{"sub_id": object{"sub": "alice"}}, err: "invalid_request", reason: "subject"},
		{name: "subject is a string", claims: object{"sub_id": "alice"}, err: "invalid_request", reason: "subject"},
		{name: "another issuer's subject", claims: object{"sub_id": object{"format": "iss_sub", "iss": "https://other.example", "sub": "alice"}}, err: "access_denied", reason: "denied"},
		{name: "half a subject", claims: object{"sub_id": object{"format": "iss_sub", "iss": issuer.URL()}}, err: "invalid_request", reason: "subject"},
		{name: "subject that is not understood", claims: object{"sub_id": object{"format": "email", "email": "a@example.com"}}, err: "invalid_request", reason: "subject"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t)
			var told receiver.Event
			events := newEvents(t, table, receiver.EventsConfig{
				Senders:  senderOf(issuer),
				Observer: func(_ context.Context, e receiver.Event) { told = e },
			})
			key := tt.key
			if key == nil {
				key = issuer.Key()
			}
			token := sign(key, with(headerOf(issuer, "secevent+jwt"), tt.header),
				with(eventClaims(issuer, "1", caep+"session-revoked", object{}), tt.claims))
			got := push(t, serve(t, events), token)
			assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			if tt.err == "" {
				require.Equal(t, http.StatusAccepted, got.StatusCode, "%v", told)
				assert.Empty(t, got.body)
				assert.Equal(t, []string{
					named(revocation.Entry{Issuer: issuer.URL(), Subject: "alice"}),
				}, entriesOf(table))
				assert.Equal(t, "applied", told.Outcome)
				return
			}
			require.Equal(t, http.StatusBadRequest, got.StatusCode)
			assert.Equal(t, tt.err, got.members(t)["err"])
			assert.NotEmpty(t, got.members(t)["description"])
			assert.Equal(t, "en", got.Header.Get("Content-Language"), "RFC 8935 section 2.3")
			assert.Equal(t, tt.reason, told.Reason, "%v", told.Err)
			assert.Empty(t, entriesOf(table))
		})
	}
}

// Which events end something.
func TestEvents_kinds(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, tt := range []struct {
		name  string
		uri   string
		event object
		ends  bool
	}{
		{uri: caep + "session-revoked", ends: true},
		{uri: caep + "token-claims-change", event: object{"claims": object{"role": "x"}}, ends: true},
		{uri: caep + "credential-change", event: object{"credential_type": "password", "change_type": "update"}, ends: true},
		{name: "down", uri: caep + "assurance-level-change", event: object{"change_direction": "decrease"}, ends: true},
		{name: "up", uri: caep + "assurance-level-change", event: object{"change_direction": "increase"}},
		{name: "any way", uri: caep + "assurance-level-change", ends: true},
		{name: "bad", uri: caep + "device-compliance-change", event: object{"current_status": "not-compliant"}, ends: true},
		{name: "good", uri: caep + "device-compliance-change", event: object{"current_status": "compliant"}},
		{name: "high", uri: caep + "risk-level-change", event: object{"current_level": "HIGH"}, ends: true},
		{name: "low", uri: caep + "risk-level-change", event: object{"current_level": "LOW"}},
		{uri: caep + "session-established"},
		{uri: caep + "session-presented"},
		{uri: risc + "account-disabled", event: object{"reason": "hijacking"}, ends: true},
		{uri: risc + "account-purged", ends: true},
		{uri: risc + "account-credential-change-required", ends: true},
		{uri: risc + "credential-compromise", event: object{"credential_type": "password"}, ends: true},
		{uri: risc + "sessions-revoked", ends: true},
		{uri: risc + "account-enabled"},
		{uri: risc + "identifier-changed"},
		{uri: risc + "opt-in"},
		{uri: oauth + "tokens-revoked", ends: true},
		{uri: oauth + "client-enabled"},
		{uri: ssf + "stream-updated", event: object{"status": "paused"}},
		{uri: ssf + "verification", event: object{"state": "x"}},
		{uri: "https://other.example/event"},
	} {
		t.Run(tt.uri+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t)
			events := newEvents(t, table, receiver.EventsConfig{Senders: senderOf(issuer)})
			token := sign(issuer.Key(), headerOf(issuer, "secevent+jwt"),
				eventClaims(issuer, "1", tt.uri, with(object{"event_timestamp": at.Unix()}, tt.event)))
			require.Equal(t, http.StatusAccepted, push(t, serve(t, events), token).StatusCode)
			entries := entriesOf(table)
			if !tt.ends {
				assert.Empty(t, entries)
				assert.EqualValues(t, 1, events.Stats().Ignored)
				return
			}
			assert.Equal(t, []string{named(revocation.Entry{Issuer: issuer.URL(), Subject: "alice"})}, entries)
			for e := range table.Entries() {
				assert.True(t, at.Equal(e.Before), "as of the event: %s", e.Before)
			}
		})
	}
}

// When an event happened.
func TestEvents_time(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	issued := time.Now().Add(-10 * time.Minute).Truncate(time.Second)
	at := issued.Add(-time.Minute)
	for _, tt := range []struct {
		name  string
		event object
		want  time.Time // zero: not later than now
		fails bool
	}{
		{name: "none", event: object{}, want: issued},
		{name: "seconds", event: object{"event_timestamp": at.Unix()}, want: at},
		{name: "milliseconds", event: object{"event_timestamp": at.UnixMilli()}, want: at},
		{name: "ahead", event: object{"event_timestamp": time.Now().Add(time.Hour).Unix()}},
		{name: "no number", event: object{"event_timestamp": "now"}, fails: true},
	} {
		table := newTable(t)
		to := serve(t, newEvents(t, table, receiver.EventsConfig{Senders: senderOf(issuer)}))
		token := sign(issuer.Key(), headerOf(issuer, "secevent+jwt"), with(
			eventClaims(issuer, "1", risc+"account-disabled", tt.event), object{"iat": issued.Unix()}))
		got := push(t, to, token)
		if tt.fails {
			assert.Equal(t, http.StatusBadRequest, got.StatusCode, tt.name)
			continue
		}
		require.Equal(t, http.StatusAccepted, got.StatusCode, tt.name)
		for e := range table.Entries() {
			assert.False(t, e.Before.After(time.Now()), tt.name)
			if !tt.want.IsZero() {
				assert.True(t, tt.want.Equal(e.Before), "%s: %s", tt.name, e.Before)
			}
		}
		assert.Len(t, entriesOf(table), 1, tt.name)
	}
}

// Whom an event is about (RFC 9493, SSF section 3).
func TestEvents_subjects(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	user := object{"format": "iss_sub", "iss": issuer.URL(), "sub": "alice"}
	email := object{"format": "email", "email": "alice@example.com"}
	opaque := func(id string) object { return object{"format": "opaque", "id": id} }
	complex := func(members object) object { return with(object{"format": "complex"}, members) }
	foreign := object{"format": "iss_sub", "iss": "https://other.example", "sub": "alice"}
	entry := func(e revocation.Entry) string { e.Issuer = issuer.URL(); return named(e) }
	alice := entry(revocation.Entry{Subject: "alice"})
	resolve := func(_ context.Context, format, value string) (string, error) {
		switch format + " " + value {
		case "email alice@example.com", "phone_number +12065550123", "account acct:alice@example.com",
			"did did:example:alice", "uri https://example.com/alice",
			`badge {"format":"badge","number":7}`:
			return "alice", nil
		case "email broken@example.com":
			return "", errors.New("the directory is down")
		case "email panic@example.com":
			panic("broken")
		}
		return "", nil
	}
	for _, tt := range []struct {
		name    string
		uri     string // none: account-disabled
		subject object
		inEvent bool
		want    []string
		status  int // zero: 202
	}{
		{name: "iss_sub", subject: user, want: []string{alice}},
		{name: "opaque", subject: opaque("alice"), want: []string{alice}},
		{name: "opaque, of a session", uri: caep + "session-revoked", subject: opaque("x1"), want: []string{
			entry(revocation.Entry{Session: "x1"}), entry(revocation.Entry{Subject: "x1"}),
		}},
		{name: "jwt_id", subject: object{"format": "jwt_id", "iss": issuer.URL(), "jti": "t1"}, want: []string{entry(revocation.Entry{Token: "t1"})}},
		{name: "email", subject: email, want: []string{alice}},
		{name: "phone", subject: object{"format": "phone_number", "phone_number": "+12065550123"}, want: []string{alice}},
		{name: "account", subject: object{"format": "account", "uri": "acct:alice@example.com"}, want: []string{alice}},
		{name: "did", subject: object{"format": "did", "url": "did:example:alice"}, want: []string{alice}},
		{name: "uri", subject: object{"format": "uri", "uri": "https://example.com/alice"}, want: []string{alice}},
		{name: "a format of one's own", subject: object{"format": "badge", "number": 7}, want: []string{alice}},
		{name: "nobody", subject: object{"format": "email", "email": "nobody@example.com"}},
		{name: "in the event", subject: user, inEvent: true, want: []string{alice}},
		{name: "aliases", subject: object{"format": "aliases", "identifiers": []object{email, opaque("a2")}}, want: []string{
			entry(revocation.Entry{Subject: "a2"}), alice,
		}},
		{name: "an alias that is not understood", subject: object{"format": "aliases", "identifiers": []object{{"format": "email"}, user}}, want: []string{alice}},
		{name: "complex: user", subject: complex(object{"user": user}), want: []string{alice}},
		{name: "complex: user and device", subject: complex(object{"user": user, "device": opaque("d"), "tenant": opaque("t")}), want: []string{alice}},
		{name: "complex: user by e-mail", subject: complex(object{"user": email}), want: []string{alice}},
		{name: "complex: session", uri: caep + "session-revoked", subject: complex(object{"session": opaque("x1")}), want: []string{entry(revocation.Entry{Session: "x1"})}},
		{name: "complex: session of a user", uri: caep + "session-revoked", subject: complex(object{"user": user, "session": opaque("x1")}), want: []string{
			entry(revocation.Entry{Session: "x1"}), entry(revocation.Entry{Subject: "alice", Sessionless: true}),
		}},
		{name: "complex: application", subject: complex(object{"application": opaque("c1")}), want: []string{entry(revocation.Entry{ClientID: "c1"})}},
		{name: "complex: user of an application", subject: complex(object{"user": user, "application": opaque("c1")}), want: []string{
			entry(revocation.Entry{Subject: "alice", ClientID: "c1"}),
		}},

		{name: "complex: tenant alone", subject: complex(object{"tenant": opaque("t")}), status: 400},
		{name: "complex: empty", subject: complex(object{}), status: 400},
		{name: "complex: another issuer's user", subject: complex(object{"user": foreign}), status: 400},
		{name: "complex: another issuer's session", subject: complex(object{"session": foreign}), status: 400},
		{name: "complex: user is a string", subject: complex(object{"user": "alice"}), status: 400},
		{name: "complex: session is no string", subject: complex(object{"session": object{"format": "opaque", "id": 1}}), status: 400},
		{name: "complex in an alias", subject: object{"format": "aliases", "identifiers": []object{complex(object{"user": user})}}, status: 400},
		{name: "aliases in an alias", subject: object{"format": "aliases", "identifiers": []object{{"format": "aliases", "identifiers": []object{user}}}}, status: 400},
		{name: "no alias", subject: object{"format": "aliases", "identifiers": []object{}}, status: 400},
		{name: "too many aliases", subject: object{"format": "aliases", "identifiers": make([]object, 100)}, status: 400},
		{name: "another issuer's alias", subject: object{"format": "aliases", "identifiers": []object{user, foreign}}, status: 400},
		{name: "another issuer's token", subject: object{"format": "jwt_id", "iss": "https://other.example", "jti": "t1"}, status: 400},
		{name: "empty", subject: object{"format": "opaque", "id": ""}, status: 400},
		{name: "the directory is down", subject: object{"format": "email", "email": "broken@example.com"}, status: 503},
		{name: "the directory panics", subject: object{"format": "email", "email": "panic@example.com"}, status: 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			uri := tt.uri
			if uri == "" {
				uri = risc + "account-disabled"
			}
			table := newTable(t)
			events := newEvents(t, table, receiver.EventsConfig{
				Senders: senderOf(issuer), Resolve: resolve,
			})
			claims := with(eventClaims(issuer, "1", uri, object{}), object{"sub_id": tt.subject})
			if tt.inEvent {
				claims = with(eventClaims(issuer, "1", uri, object{"subject": tt.subject}), object{"sub_id": claimstest.Omit})
			}
			got := push(t, serve(t, events), sign(issuer.Key(), headerOf(issuer, "secevent+jwt"), claims))
			status := tt.status
			if status == 0 {
				status = http.StatusAccepted
			}
			require.Equal(t, status, got.StatusCode, got.body)
			assert.Equal(t, append([]string{}, tt.want...), entriesOf(table))
			if status == http.StatusServiceUnavailable {
				assert.NotEmpty(t, got.Header.Get("Retry-After"))
				assert.Empty(t, got.body)
			}
		})
	}
}

// An event that is sent again is acknowledged and ends nothing more.
func TestEvents_replay(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	table := &failing{Table: newTable(t)}
	events := newEvents(t, table, receiver.EventsConfig{Senders: senderOf(issuer)})
	to := serve(t, events)
	token := sign(issuer.Key(), headerOf(issuer, "secevent+jwt"),
		eventClaims(issuer, "1", risc+"account-disabled", object{}))
	for range 3 {
		got := push(t, to, token)
		assert.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.Empty(t, got.body)
	}
	assert.EqualValues(t, 1, table.revoked.Load())
	assert.Equal(t, uint64(2), events.Stats().Repeated)
}

// What failed is sent again, and counts then.
func TestEvents_tableFails(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	table := &failing{Table: newTable(t)}
	table.fails.Store(2)
	to := serve(t, newEvents(t, table, receiver.EventsConfig{Senders: senderOf(issuer)}))
	token := sign(issuer.Key(), headerOf(issuer, "secevent+jwt"),
		eventClaims(issuer, "1", risc+"account-disabled", object{}))
	for _, want := range []int{503, 503, 202} {
		assert.Equal(t, want, push(t, to, token).StatusCode)
	}
	assert.EqualValues(t, 1, table.revoked.Load())
}

func TestEvents_requests(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	table := newTable(t)
	const authorization = "Bearer secret-of-the-stream"
	to := serve(t, newEvents(t, table, receiver.EventsConfig{
		Senders: senderOf(issuer), Authorization: authorization,
	}))
	good := sign(issuer.Key(), headerOf(issuer, "secevent+jwt"),
		eventClaims(issuer, "1", risc+"account-disabled", object{}))
	const set = "application/secevent+jwt"
	for _, tt := range []struct {
		name, method, contentType, body, authorization string
		status                                         int
		err                                            string
	}{
		{name: "GET", method: "GET", authorization: authorization, status: 405},
		{name: "PUT", method: "PUT", contentType: set, body: good, authorization: authorization, status: 405},
		{name: "not authenticated", contentType: set, body: good, status: 400, err: "authentication_failed"},
		{name: "another secret", contentType: set, body: good, authorization: "Bearer x", status: 400, err: "authentication_failed"},
		{name: "the secret in another case", contentType: set, body: good, authorization: "bearer secret-of-the-stream", status: 400, err: "authentication_failed"},
		{name: "another media type", contentType: "application/jwt", body: good, authorization: authorization, status: 400, err: "invalid_request"},
		{name: "a form", contentType: "application/x-www-form-urlencoded", body: "logout_token=" + good, authorization: authorization, status: 400, err: "invalid_request"},
		{name: "endless", contentType: set, body: good + string(make([]byte, 1<<20)), authorization: authorization, status: 400, err: "invalid_request"},
		{name: "empty", contentType: set, authorization: authorization, status: 400, err: "invalid_request"},
		{name: "good", contentType: set, body: good, authorization: authorization, status: 202},
	} {
		method := tt.method
		if method == "" {
			method = http.MethodPost
		}
		header := map[string]string{}
		if tt.authorization != "" {
			header["Authorization"] = tt.authorization
		}
		got := send(t, method, to, tt.contentType, tt.body, header)
		assert.Equal(t, tt.status, got.StatusCode, tt.name)
		if tt.err != "" {
			assert.Equal(t, tt.err, got.members(t)["err"], tt.name)
		}
		if tt.status != http.StatusAccepted {
			assert.Empty(t, entriesOf(table), tt.name)
		}
	}
	assert.Len(t, entriesOf(table), 1)
}

// A stream is verified (SSF section 8.1.4), and its end is for operators.
func TestEvents_stream(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	var log bytes.Buffer
	events := newEvents(t, newTable(t), receiver.EventsConfig{
		Senders: senderOf(issuer), Logger: slog.New(slog.NewTextHandler(&log, nil)),
		State: func(state string) bool {
			if state == "panic" {
				panic("broken")
			}
			return state == "expected" || state == ""
		},
	})
	to := serve(t, events)
	for i, tt := range []struct {
		event  object
		status int
		err    string
	}{
		{event: object{"state": "expected"}, status: 202},
		{event: object{}, status: 202},
		{event: object{"state": "another"}, status: 400, err: "invalid_state"},
		{event: object{"state": 1}, status: 400, err: "invalid_state"},
		{event: object{"state": "panic"}, status: 503},
	} {
		claims := with(eventClaims(issuer, string(rune('a'+i)), ssf+"verification", tt.event),
			object{"sub_id": object{"format": "opaque", "id": "stream"}})
		got := push(t, to, sign(issuer.Key(), headerOf(issuer, "secevent+jwt"), claims))
		assert.Equal(t, tt.status, got.StatusCode, tt.event)
		if tt.err != "" {
			assert.Equal(t, tt.err, got.members(t)["err"])
		}
	}
	assert.WithinDuration(t, time.Now(), events.Stats().Last, time.Minute)
	updated := with(eventClaims(issuer, "z", ssf+"stream-updated", object{"status": "disabled", "reason": "unpaid"}),
		object{"sub_id": object{"format": "opaque", "id": "stream"}})
	require.Equal(t, 202, push(t, to, sign(issuer.Key(), headerOf(issuer, "secevent+jwt"), updated)).StatusCode)
	assert.Contains(t, log.String(), "disabled")
	assert.Contains(t, log.String(), "unpaid")
}

// Whoever calls cannot fill the log; what a sender has signed is told.
func TestEvents_log(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	var log bytes.Buffer
	to := serve(t, newEvents(t, newTable(t), receiver.EventsConfig{
		Senders: senderOf(issuer), Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}))
	for range 20 {
		assert.Equal(t, 400, push(t, to, "junk").StatusCode)
	}
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")), "%s", &log)
	log.Reset()
	for _, jti := range []string{"1", "2"} {
		claims := with(eventClaims(issuer, jti, risc+"account-disabled", object{}), object{"sub_id": object{"format": "?"}})
		assert.Equal(t, 400, push(t, to, sign(issuer.Key(), headerOf(issuer, "secevent+jwt"), claims)).StatusCode)
	}
	assert.Equal(t, 2, bytes.Count(log.Bytes(), []byte("\n")), "%s", &log)
}

// An Observer that panics harms nobody.
func TestEvents_observerPanics(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	table := newTable(t)
	to := serve(t, newEvents(t, table, receiver.EventsConfig{
		Senders:  senderOf(issuer),
		Observer: func(context.Context, receiver.Event) { panic("broken") },
	}))
	got := push(t, to, sign(issuer.Key(), headerOf(issuer, "secevent+jwt"),
		eventClaims(issuer, "1", risc+"account-disabled", object{})))
	assert.Equal(t, http.StatusAccepted, got.StatusCode)
	assert.Len(t, entriesOf(table), 1)
}
