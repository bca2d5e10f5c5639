package introspection_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
)

// A caller is what the endpoint says, by the meaning that the Config gives it.
func TestIntrospector_caller(t *testing.T) {
	t.Parallel()
	a := &authority{}
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	a.set("opaque-1", good(m{"roles": []string{"clerk"}, "exp": expires.Unix(), "token_type": "Bearer", "jti": "7"}))
	in := a.start(t, func(cfg *introspection.Config) {
		cfg.Accept.PermissionClaims = []string{"roles"}
		cfg.Accept.PermissionMap = map[string][]string{"clerk": {"refund"}}
		cfg.Accept.ScopeMap = map[string][]string{"write": {"draft"}}
	})
	for range 3 {
		caller, err := in.Authenticate(t.Context(), bearer("opaque-1"))
		require.NoError(t, err)
		assert.Equal(t, "alice", caller.Subject())
		assert.Equal(t, "shop", caller.ClientID())
		assert.Equal(t, issuer, caller.Issuer(), "who was asked, as it does not say")
		assert.Equal(t, []string{"read", "write", "draft"}, caller.Scopes())
		assert.Equal(t, []string{"refund"}, caller.Permissions())
		assert.Equal(t, "7", caller.ID())
		assert.True(t, expires.Equal(caller.ExpiresAt()))
		*caller = claims.Claims{} // it is this request's own
	}
	assert.EqualValues(t, 1, a.asked.Load())
	assert.Equal(t, "opaque-1", a.forms[0].Get("token"))
	assert.Equal(t, "access_token", a.forms[0].Get("token_type_hint"))
}

// What an answer says decides, and whatever is wrong with it is not the
// caller's to choose.
func TestIntrospector_answers(t *testing.T) {
	t.Parallel()
	now := time.Now()
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	const undecided = claims.ReasonUndecided
	huge := `{"active":true,"aud":"` + audience + `","x":"` + strings.Repeat("x", 256<<10) + `"}`
	for _, tt := range []struct {
		name     string
		answer   any
		audience bool          // may be missing
		reason   claims.Reason // empty if the token is accepted
	}{
		{name: "all", answer: good(m{"iss": issuer, "exp": in(time.Hour), "iat": in(-time.Minute), "token_type": "bearer"})},
		{name: "the least", answer: m{"active": true, "aud": audience}},
		{name: "with a charset", answer: text(200, "application/json; charset=utf-8", `{"active":true,"aud":"`+audience+`"}`)},
		{name: "not active", answer: m{"active": false}, reason: claims.ReasonRejected},
		{name: "not active, with claims", answer: good(m{"active": false}), reason: claims.ReasonRejected},
		{name: "expired", answer: good(m{"exp": in(-time.Minute)}), reason: claims.ReasonExpired},
		{name: "not yet", answer: good(m{"nbf": in(time.Minute)}), reason: claims.ReasonNotYetValid},
		{name: "issued later", answer: good(m{"iat": in(time.Minute)}), reason: claims.ReasonNotYetValid},
		{name: "another issuer", answer: good(m{"iss": "https://other.example"}), reason: claims.ReasonIssuer},
		{name: "no audience", answer: good(m{"aud": nil}), reason: claims.ReasonAudience},
		{name: "no audience, of an endpoint that answers to whom it may", answer: good(m{"aud": nil}), audience: true},
		{name: "the least, of that", answer: text(200, "application/json", ` {"active":true}`), audience: true},
		{name: "another audience, of that", answer: good(m{"aud": "https://other.example"}), audience: true, reason: claims.ReasonAudience},
		{name: "no audience in the list, of that", answer: good(m{"aud": []string{}}), audience: true, reason: claims.ReasonAudience},
		{name: "null for the audience, of that", answer: text(200, "application/json", `{"active":true,"aud":null}`), audience: true, reason: claims.ReasonMalformed},
		{name: "another audience", answer: good(m{"aud": []string{"https://other.example"}}), reason: claims.ReasonAudience},
		{name: "a refresh token, of Hydra", answer: good(m{"token_use": "refresh_token"}), reason: claims.ReasonType},
		{name: "an access token, of Hydra", answer: good(m{"token_use": "access_token"})},
		{name: "a refresh token, of Keycloak", answer: good(m{"typ": "Refresh"}), reason: claims.ReasonType},
		{name: "an offline token, of Keycloak", answer: good(m{"typ": "Offline"}), reason: claims.ReasonType},
		{name: "an ID token, of Keycloak", answer: good(m{"typ": "ID"}), reason: claims.ReasonType},
		{name: "an access token, of Keycloak", answer: good(m{"typ": "Bearer", "token_type": "Bearer"})},
		{name: "typ a number", answer: good(m{"typ": 1}), reason: claims.ReasonType},
		{name: "another type", answer: good(m{"token_type": "mac"}), reason: claims.ReasonType},
		{name: "DPoP, which nothing proves", answer: good(m{"token_type": "DPoP"}), reason: claims.ReasonType},
		{name: "type a list", answer: good(m{"token_type": []string{"Bearer"}}), reason: claims.ReasonType},
		{name: "type null", answer: text(200, "application/json", `{"active":true,"aud":"`+audience+`","token_type":null}`), reason: claims.ReasonType},
		{name: "bound, which nothing proves", answer: good(m{"cnf": m{"jkt": "x"}}), reason: claims.ReasonBinding},
		{name: "an ID token's mark", answer: good(m{"at_hash": "x"}), reason: claims.ReasonType},
		{name: "subject a number", answer: good(m{"sub": 7}), reason: claims.ReasonMalformed},
		{name: "active in another case", answer: m{"Active": true, "aud": audience}, reason: undecided},
		{name: "active a string", answer: m{"active": "true", "aud": audience}, reason: undecided},
		{name: "active a number", answer: m{"active": 1, "aud": audience}, reason: undecided},
		{name: "active twice", answer: text(200, "application/json", `{"active":false,"active":true,"aud":"`+audience+`"}`), reason: undecided},
		{name: "active twice, escaped", answer: text(200, "application/json", `{"active":false,"\u0061ctive":true,"aud":"`+audience+`"}`), reason: undecided},
		{name: "nothing", answer: text(200, "application/json", ``), reason: undecided},
		{name: "null", answer: text(200, "application/json", `null`), reason: undecided},
		{name: "an array", answer: text(200, "application/json", `[{"active":true}]`), reason: undecided},
		{name: "cut off", answer: text(200, "application/json", `{"active":true,"aud":"x"`), reason: undecided},
		{name: "two answers", answer: text(200, "application/json", `{"active":true}{"active":true}`), reason: undecided},
		{name: "too long", answer: text(200, "application/json", huge), reason: undecided},
		{name: "HTML", answer: text(200, "text/html", `{"active":true,"aud":"`+audience+`"}`), reason: undecided},
		{name: "no type", answer: text(200, "", `{"active":true,"aud":"`+audience+`"}`), reason: undecided},
		{name: "a JWT that nobody wants", answer: text(200, "application/token-introspection+jwt", `a.b.c`), reason: undecided},
		{name: "201", answer: text(201, "application/json", `{"active":true,"aud":"`+audience+`"}`), reason: undecided},
		{name: "204", answer: text(204, "application/json", ``), reason: undecided},
		{name: "400", answer: text(400, "application/json", `{"error":"invalid_request"}`), reason: claims.ReasonRejected},
		{name: "401", answer: text(401, "application/json", `{"active":true}`), reason: undecided},
		{name: "403", answer: text(403, "application/json", `{"active":true}`), reason: undecided},
		{name: "404", answer: text(404, "application/json", `{"active":true}`), reason: undecided},
		{name: "413", answer: text(413, "application/json", ``), reason: claims.ReasonRejected},
		{name: "429", answer: text(429, "application/json", ``), reason: undecided},
		{name: "500", answer: text(500, "application/json", `{"active":true,"aud":"`+audience+`"}`), reason: undecided},
		{name: "breaks off", answer: answering(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"active":true`))
		}), reason: undecided},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &authority{}
			a.set("secret-opaque-token", tt.answer)
			in := a.start(t, func(cfg *introspection.Config) { cfg.InsecureMissingAudience = tt.audience })
			caller, err := in.Authenticate(t.Context(), bearer("secret-opaque-token"))
			if tt.reason == "" {
				require.NoError(t, err)
				assert.Equal(t, issuer, caller.Issuer())
				return
			}
			class := claims.ErrInvalidToken
			if tt.reason == undecided {
				class = claims.ErrUnavailable
			}
			assertRefused(t, class, tt.reason, caller, err)
			for _, text := range []string{err.Error(), claims.AsError(err).Text(), fmt.Sprint(claims.AsError(err).Unwrap())} {
				assert.NotContains(t, text, "secret-opaque-token")
				assert.NotContains(t, text, secret)
			}
		})
	}
}

// What cannot be one of its tokens is not asked about.
func TestIntrospector_form(t *testing.T) {
	t.Parallel()
	a := &authority{}
	in := a.start(t, nil)
	prefixed := a.start(t, func(cfg *introspection.Config) {
		cfg.Recognizes = func(token string) bool { return strings.HasPrefix(token, "ory_at_") }
	})
	for _, tt := range []struct {
		name         string
		c            claims.Credentials
		class        error
		unrecognized bool
		by           *introspection.Introspector
	}{
		{name: "another scheme", c: claims.Credentials{Scheme: "Basic", Token: "opaque"}, class: claims.ErrNoToken, unrecognized: true},
		{name: "DPoP", c: claims.Credentials{Scheme: "DPoP", Token: "opaque"}, class: claims.ErrNoToken, unrecognized: true},
		{name: "a JWT", c: bearer("eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), class: claims.ErrInvalidToken, unrecognized: true},
		{name: "empty", c: bearer(""), class: claims.ErrInvalidToken, unrecognized: true},
		{name: "padding alone", c: bearer("=="), class: claims.ErrInvalidToken, unrecognized: true},
		{name: "a space", c: bearer("a b"), class: claims.ErrInvalidToken, unrecognized: true},
		{name: "a line break", c: bearer("a\nb"), class: claims.ErrInvalidToken, unrecognized: true},
		{name: "too long", c: bearer(strings.Repeat("a", 16<<10+1)), class: claims.ErrInvalidToken},
		{name: "another prefix", c: bearer("ory_rt_x"), class: claims.ErrInvalidToken, unrecognized: true, by: prefixed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			by := in
			if tt.by != nil {
				by = tt.by
			}
			_, err := by.Authenticate(t.Context(), tt.c)
			require.ErrorIs(t, err, tt.class)
			assert.Equal(t, tt.unrecognized, errors.Is(err, claims.ErrUnrecognized))
		})
	}
	t.Cleanup(func() { assert.Zero(t, a.asked.Load()) })
	panics := a.start(t, func(cfg *introspection.Config) { cfg.Recognizes = func(string) bool { panic("no") } })
	_, err := panics.Authenticate(t.Context(), bearer("x"))
	require.ErrorIs(t, err, claims.ErrUnavailable)
}

// A bound token is proven on each use, a remembered one included.
func TestIntrospector_bound(t *testing.T) {
	t.Parallel()
	a := &authority{}
	a.set("jkt", good(m{"cnf": m{"jkt": "j"}, "token_type": "DPoP"}))
	a.set("x5t", good(m{"cnf": m{"x5t#S256": "x"}}))
	a.set("both", good(m{"cnf": m{"jkt": "j", "x5t#S256": "x"}}))
	a.set("more", good(m{"cnf": m{"jkt": "j", "other": "x"}}))
	a.set("liar", good(m{"token_type": "DPoP"}))
	a.set("free", good(nil))
	in := a.start(t, func(cfg *introspection.Config) {
		cfg.Accept.Confirmers = []claims.Confirmer{confirmer{"jkt", "DPoP"}, confirmer{"x5t#S256", "Bearer"}}
	})
	for _, tt := range []struct {
		token, scheme string
		proofs        proofs
		accepted      bool
	}{
		{token: "jkt", scheme: "DPoP", proofs: proofs{"j"}, accepted: true},
		{token: "jkt", scheme: "dpop", proofs: proofs{"j"}, accepted: true},
		{token: "jkt", scheme: "DPoP", proofs: proofs{"k"}},
		{token: "jkt", scheme: "DPoP"},
		{token: "jkt", scheme: "Bearer", proofs: proofs{"j"}},
		{token: "x5t", scheme: "Bearer", proofs: proofs{"x"}, accepted: true},
		{token: "x5t", scheme: "Bearer"},
		{token: "x5t", scheme: "DPoP", proofs: proofs{"x"}},
		{token: "both", scheme: "DPoP", proofs: proofs{"x", "j"}, accepted: true},
		{token: "both", scheme: "DPoP", proofs: proofs{"x"}},
		{token: "more", scheme: "DPoP", proofs: proofs{"j", "x"}},
		{token: "liar", scheme: "DPoP", proofs: proofs{"j"}},
		{token: "liar", scheme: "Bearer"},
		{token: "free", scheme: "DPoP", proofs: proofs{"j"}},
		{token: "free", scheme: "Bearer", accepted: true},
	} {
		for range 2 {
			caller, err := in.Authenticate(t.Context(), claims.Credentials{Scheme: tt.scheme, Token: tt.token, Proof: tt.proofs})
			if tt.accepted {
				require.NoError(t, err, "%v", tt)
				continue
			}
			assertRefused(t, claims.ErrInvalidToken, claims.ReasonBinding, caller, err)
		}
	}
}

// An answer counts for MaxAge, or until the token expires; that a token is not
// active for ten seconds. What lasts ends with it.
func TestIntrospector_age(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		maxAge time.Duration
		exp    time.Duration // of the token
		counts time.Duration
	}{
		"a minute":           {counts: time.Minute},
		"ten minutes":        {maxAge: 10 * time.Minute, counts: 10 * time.Minute},
		"the token expires":  {exp: 20 * time.Second, counts: 20 * time.Second},
		"the token outlives": {exp: time.Hour, counts: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &authority{}
				answer := good(nil)
				if tt.exp != 0 {
					answer["exp"] = time.Now().Add(tt.exp).Unix()
				}
				a.set("opaque", answer)
				in := newIntrospector(t, "https://issuer.example/introspect", within(a, func(cfg *introspection.Config) {
					cfg.MaxAge, cfg.Accept.Leeway = tt.maxAge, -1
				}))
				guard, err := claims.NewGuard(in, claims.GuardConfig{})
				require.NoError(t, err)
				ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Scopes("read")}, bearer("opaque"), nil)
				require.NoError(t, err)
				a.set("opaque", m{"active": false})
				time.Sleep(tt.counts*3/4 - time.Nanosecond) // later the next would be asked for
				_, err = in.Authenticate(t.Context(), bearer("opaque"))
				require.NoError(t, err)
				require.NoError(t, guard.Recheck(ctx))
				require.EqualValues(t, 1, a.asked.Load())
				time.Sleep(tt.counts/4 + time.Nanosecond)
				require.ErrorIs(t, guard.Recheck(ctx), claims.ErrInvalidToken)
				_, err = in.Authenticate(t.Context(), bearer("opaque"))
				require.ErrorIs(t, err, claims.ErrInvalidToken)
				asked := a.asked.Load()
				a.set("opaque", good(nil))
				time.Sleep(10*time.Second - time.Nanosecond)
				_, err = in.Authenticate(t.Context(), bearer("opaque"))
				require.ErrorIs(t, err, claims.ErrInvalidToken)
				require.Equal(t, asked, a.asked.Load())
				time.Sleep(time.Nanosecond)
				_, err = in.Authenticate(t.Context(), bearer("opaque"))
				require.NoError(t, err)
			})
		})
	}
}

// What lasts ends if its token means something else by now.
func TestIntrospector_recheck(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		now  m
		ends bool
	}{
		"as before":       {now: good(m{"exp": int64(4102444800)})},
		"a scope less":    {now: good(m{"scope": "read"}), ends: true},
		"another subject": {now: good(m{"sub": "bob"}), ends: true},
		"another client":  {now: good(m{"client_id": "x"}), ends: true},
		"not for us":      {now: good(m{"aud": "x"}), ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &authority{}
				a.set("opaque", good(nil))
				in := newIntrospector(t, "https://issuer.example/introspect", within(a, nil))
				guard, err := claims.NewGuard(claims.FirstOf(in), claims.GuardConfig{})
				require.NoError(t, err)
				ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Scopes("read")}, bearer("opaque"), nil)
				require.NoError(t, err)
				a.set("opaque", tt.now)
				time.Sleep(time.Minute)
				err = claims.Recheck(ctx)
				if tt.ends {
					require.ErrorIs(t, err, claims.ErrInvalidToken)
					return
				}
				require.NoError(t, err)
			})
		})
	}
}

// An endpoint that is down or silent says nothing: what it said before counts
// to its end, and it comes back by itself.
func TestIntrospector_outage(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]answering{
		"500":    text(500, "application/json", ""),
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &authority{}
				a.set("known", good(nil))
				in := newIntrospector(t, "https://issuer.example/introspect", within(a, nil))
				_, err := in.Authenticate(t.Context(), bearer("known"))
				require.NoError(t, err)
				a.set("known", fault)
				a.set("new", fault)
				time.Sleep(50 * time.Second)
				_, err = in.Authenticate(t.Context(), bearer("known"))
				require.NoError(t, err, "it counts still")
				time.Sleep(10 * time.Second)
				for _, token := range []string{"known", "new"} {
					start := time.Now()
					caller, err := in.Authenticate(t.Context(), bearer(token))
					assertRefused(t, claims.ErrUnavailable, claims.ReasonUndecided, caller, err)
					assert.LessOrEqual(t, time.Since(start), 5*time.Second)
				}
				gone, cancel := context.WithTimeout(t.Context(), time.Second)
				caller, err := in.Authenticate(gone, bearer("new"))
				cancel()
				if name == "silent" {
					assertRefused(t, claims.ErrUnavailable, claims.ReasonCanceled, caller, err)
				}
				time.Sleep(5 * time.Second)
				a.set("known", good(nil))
				a.set("new", good(nil))
				for _, token := range []string{"known", "new"} {
					_, err := in.Authenticate(t.Context(), bearer(token))
					require.NoError(t, err)
				}
			})
		})
	}
	t.Run("down", func(t *testing.T) {
		t.Parallel()
		in := newIntrospector(t, "http://127.0.0.1:1/introspect", nil)
		caller, err := in.Authenticate(t.Context(), bearer("opaque"))
		assertRefused(t, claims.ErrUnavailable, claims.ReasonUndecided, caller, err)
	})
}

// A redirect would take the token and the secret elsewhere.
func TestIntrospector_redirect(t *testing.T) {
	t.Parallel()
	a := &authority{}
	a.set("opaque", answering(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	in := a.start(t, func(cfg *introspection.Config) { cfg.HTTP = &http.Client{} })
	_, err := in.Authenticate(t.Context(), bearer("opaque"))
	require.ErrorIs(t, err, claims.ErrUnavailable)
	assert.EqualValues(t, 1, a.asked.Load())
}

// Of a flood of made-up tokens only so many are asked about, and those who are
// known do not feel it.
func TestIntrospector_flood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &authority{}
		a.set("known", good(nil))
		in := newIntrospector(t, "https://issuer.example/introspect", within(a, nil))
		_, err := in.Authenticate(t.Context(), bearer("known"))
		require.NoError(t, err)
		time.Sleep(time.Minute)
		slow := answering(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			write(w, m{"active": false})
		})
		for i := range 3000 {
			a.set(fmt.Sprint("made-up-", i), slow)
		}
		before := a.asked.Load()
		var flood sync.WaitGroup
		for i := range 3000 {
			flood.Go(func() {
				_, err := in.Authenticate(t.Context(), bearer(fmt.Sprint("made-up-", i)))
				assert.ErrorIs(t, err, claims.ErrInvalidToken, "never that it cannot be decided")
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 32, a.asked.Load()-before)
		start := time.Now()
		_, err = in.Authenticate(t.Context(), bearer("known"))
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
		flood.Wait()
	})
}

func TestNew_reportsAll(t *testing.T) {
	t.Parallel()
	_, err := introspection.New(introspection.Config{
		Endpoint: "http://issuer.example/i", Client: introspection.Basic("", ""), MaxAge: 2 * time.Hour, Timeout: -1,
		Accept: claims.Config{Leeway: time.Hour},
	})
	require.Error(t, err)
	for _, want := range []string{
		`Config.Endpoint of "http://issuer.example/i" must be https`, "Config.Client needs an ID and a secret",
		"Config.MaxAge of 2h0m0s", "Config.Timeout of -1ns", "Config.Accept: claims: Config.Issuer is required",
		"Config.Accept: claims: Config.Audiences is required", "Config.Accept: claims: Config.Leeway",
	} {
		assert.ErrorContains(t, err, "introspection: New: "+want)
	}
	for endpoint, want := range map[string]string{
		"": "is required", "https://u:p@issuer.example/": "must not have user information", "/introspect": "must be an absolute URL",
		"https://issuer.example/#f": "without a fragment", "ftp://issuer.example/": "must be https", "http://[::1]:80/": "",
		"http://localhost:8080/": "", "https://issuer.example": "", "%": "is not a URL",
	} {
		_, err := introspection.New(introspection.Config{Endpoint: endpoint, Client: introspection.MutualTLS("x"),
			Accept: claims.Config{Issuer: issuer, InsecureSkipAudience: true}})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "u:p")
	}
	_, err = introspection.New(introspection.Config{
		Endpoint: "https://issuer.example", Client: introspection.MutualTLS("x"), InsecureMissingAudience: true,
		Accept: claims.Config{Issuer: issuer, InsecureSkipAudience: true},
	})
	require.ErrorContains(t, err, "Config.InsecureMissingAudience is set, and Accept.Audiences is empty")
	var zero introspection.Introspector
	_, err = zero.Authenticate(t.Context(), bearer("x"))
	require.ErrorIs(t, err, claims.ErrUnavailable)
	require.ErrorIs(t, zero.Recheck(t.Context(), nil), claims.ErrUnavailable)
}

// An answer that is remembered costs one allocation, the caller's own Claims.
func TestBudget_Authenticate(t *testing.T) {
	a := &authority{}
	a.set("opaque", good(nil))
	in := a.start(t, nil)
	c := bearer("opaque")
	_, err := in.Authenticate(t.Context(), c)
	require.NoError(t, err)
	assert.LessOrEqual(t, testing.AllocsPerRun(200, func() { _, _ = in.Authenticate(t.Context(), c) }), 1.0)
}
