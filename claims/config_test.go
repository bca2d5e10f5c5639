package claims_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

func TestNewVerifier(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		change func(*claims.Config)
		wrong  []string // what the error must mention, none if all is well
	}{
		{name: "good", change: func(*claims.Config) {}},
		{
			name: "nothing", change: func(cfg *claims.Config) { *cfg = claims.Config{} },
			wrong: []string{"Config.Issuer", "Config.Audiences"},
		},
		{
			name: "everything at once",
			change: func(cfg *claims.Config) {
				*cfg = claims.Config{
					Issuer: "ftp://issuer.example", Algorithms: []string{"HS256", "ES256", "none"},
					Types: []string{"application/at+jwt", "JWT", "text/x"}, Leeway: time.Hour,
				}
			},
			wrong: []string{
				"Config.Issuer", "Config.Audiences", "Config.Algorithms", `"HS256"`, `"none"`,
				"Config.Types", `"application/at+jwt"`, `"text/x"`, "Config.Leeway", "1h0m0s",
			},
		},
		{
			name:   "no issuer, keys given",
			change: func(cfg *claims.Config) { cfg.Issuer, cfg.Keys = "", set },
			wrong:  []string{"Config.Issuer"},
		},
		{
			name:   "issuer no URL, keys given",
			change: func(cfg *claims.Config) { cfg.Issuer, cfg.Keys = "accounts.example", set },
		},
		{
			name:   "empty audience",
			change: func(cfg *claims.Config) { cfg.Audiences = []string{"x", ""} },
			wrong:  []string{"Config.Audiences"},
		},
		{
			name:   "any audience and some",
			change: func(cfg *claims.Config) { cfg.InsecureSkipAudience = true },
			wrong:  []string{"Config.InsecureSkipAudience", "Audiences"},
		},
		{
			name:   "any audience",
			change: func(cfg *claims.Config) { cfg.InsecureSkipAudience, cfg.Audiences = true, nil },
		},
		{
			name: "all algorithms",
			change: func(cfg *claims.Config) {
				cfg.Algorithms = []string{
					"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
					"EdDSA", "Ed25519",
				}
			},
		},
		{
			name:   "algorithm empty",
			change: func(cfg *claims.Config) { cfg.Algorithms = []string{""} },
			wrong:  []string{"Config.Algorithms"},
		},
		{
			name:   "algorithm in lower case",
			change: func(cfg *claims.Config) { cfg.Algorithms = []string{"es256"} },
			wrong:  []string{`Config.Algorithms: "es256" is not one`},
		},
		{
			name:   "type empty",
			change: func(cfg *claims.Config) { cfg.Types = []string{""} },
		},
		{
			name:   "leeway greatest",
			change: func(cfg *claims.Config) { cfg.Leeway = 5 * time.Minute },
		},
		{
			name:   "leeway greater",
			change: func(cfg *claims.Config) { cfg.Leeway = 5*time.Minute + 1 },
			wrong:  []string{"Config.Leeway"},
		},
		{
			name:   "no leeway",
			change: func(cfg *claims.Config) { cfg.Leeway = -time.Hour },
		},
		{
			name:   "negative limits",
			change: func(cfg *claims.Config) { cfg.MaxTokenAge, cfg.MaxLifetime = -1, -1 },
			wrong:  []string{"Config.MaxTokenAge", "Config.MaxLifetime"},
		},
		{
			name:   "token cache largest",
			change: func(cfg *claims.Config) { cfg.MaxTokens = 10_000_000 },
		},
		{
			name:   "token cache larger",
			change: func(cfg *claims.Config) { cfg.MaxTokens = 10_000_001 },
			wrong:  []string{"Config.MaxTokens of 10000001"},
		},
		{
			name:   "empty client",
			change: func(cfg *claims.Config) { cfg.ClientIDs = []string{"shop", ""} },
			wrong:  []string{"Config.ClientIDs"},
		},
		{
			name:   "required claims",
			change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"sub", "scp|roles"} },
		},
		{
			name:   "required claims without a name",
			change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"", "scp|"} },
			wrong:  []string{`RequiredClaims: ""`, `RequiredClaims: "scp|"`},
		},
		{
			name: "forbidden claims that are required",
			change: func(cfg *claims.Config) {
				cfg.RequiredClaims = []string{"sub"}
				cfg.ForbiddenClaims = []string{"iss", "exp", "sub", "", "nonce"}
			},
			wrong: []string{
				`ForbiddenClaims: "iss"`, `ForbiddenClaims: "exp"`, `ForbiddenClaims: "sub"`,
				"has an empty name",
			},
		},
		{
			name: "claim values of none",
			change: func(cfg *claims.Config) {
				cfg.ClaimValues = map[string][]string{"": {"x"}, "typ": nil, "ver": {"1"}}
			},
			wrong: []string{`ClaimValues: ""`, `ClaimValues: "typ"`},
		},
		{
			name:   "path that ends in any name",
			change: func(cfg *claims.Config) { cfg.PermissionClaims = []string{"*", "x.*", "x.*.y"} },
			wrong:  []string{`"*" must name`, `"x.*" must name`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := claims.Config{Issuer: issuerURL, Audiences: []string{claimstest.Audience}}
			tt.change(&cfg)
			verifier, err := claims.NewVerifier(cfg)
			if len(tt.wrong) == 0 {
				require.NoError(t, err)
				assert.NotNil(t, verifier)
				return
			}
			assert.Nil(t, verifier)
			for _, field := range tt.wrong {
				assert.ErrorContains(t, err, field)
			}
		})
	}
}

// One mistake is reported once.
func TestNewVerifier_saysItOnce(t *testing.T) {
	t.Parallel()
	anyTenant := func(string) bool { return true }
	for name, cfg := range map[string]claims.Config{
		"no issuer":              {},
		"issuer unclosed":        {Issuer: "http://issuer.example/{"},
		"open issuer, no keys":   {Issuer: "http://issuer.example/{tenant}", TrustTenant: anyTenant},
		"issuer without a host":  {Issuer: "https://"},
		"algorithm of a secret":  {Issuer: issuerURL, Algorithms: []string{"HS256"}},
		"claim without a name":   {Issuer: issuerURL, RequiredClaims: []string{""}},
		"permission of any name": {Issuer: issuerURL, PermissionClaims: []string{"*"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Audiences = []string{"x"}
			_, err := claims.NewVerifier(cfg)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// Where keys are discovered, the issuer must be a URL that nobody can listen
// to.
func TestNewVerifier_issuer(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		issuerURL, issuerURL + "/", issuerURL + "/tenant", "https://issuer.example:8443",
		"http://127.0.0.1:8082", "http://localhost", "http://[::1]:80",
	} {
		_, err := claims.NewVerifier(claims.Config{Issuer: good, Audiences: []string{"x"}})
		assert.NoError(t, err, good)
	}
	for _, bad := range []string{
		"issuer.example", "/tenant", "http://issuer.example", "http://127.0.0.1.evil.example",
		"ftp://issuer.example", "https://", "https:issuer.example", "https://issuer.example?x",
		"https://issuer.example?", "https://issuer.example#x", " https://issuer.example",
		"https://issuer.example\n", "https://user:hunter2@issuer.example", "https://[",
	} {
		verifier, err := claims.NewVerifier(claims.Config{Issuer: bad, Audiences: []string{"x"}})
		assert.Nil(t, verifier)
		if assert.Error(t, err, bad) {
			assert.Contains(t, err.Error(), "Config.Issuer")
			assert.NotContains(t, err.Error(), "hunter2")
		}
	}
}

func TestNewVerifier_doesNoIO(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	cfg := claims.Config{Issuer: issuer.URL(), Audiences: []string{"x"}}
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	issuers, err := claims.NewIssuers(cfg)
	require.NoError(t, err)
	assert.Zero(t, issuer.Requests(wellKnown))
	assert.Zero(t, issuer.KeySetRequests())

	assert.NoError(t, verifier.Ready(t.Context()))
	assert.Equal(t, 1, issuer.KeySetRequests())
	assert.NoError(t, issuers.Ready(t.Context()))
	assert.Equal(t, 2, issuer.KeySetRequests())
}

func TestVerifier_Ready(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newForgerIssuer(t)
		verifier := newVerifier(t, issuer, nil)
		issuer.Fail(http.StatusBadGateway)
		err := verifier.Ready(t.Context())
		assert.ErrorIs(t, err, claims.ErrUnavailable)
		assert.Equal(t, claims.ReasonKeysUnavailable, claims.AsError(err).Reason())
		issuer.Intercept(nil)
		time.Sleep(2 * time.Second)
		assert.NoError(t, verifier.Ready(t.Context()))
		requests := issuer.KeySetRequests()
		assert.NoError(t, verifier.Ready(t.Context()))
		assert.Equal(t, requests, issuer.KeySetRequests())
	})
}

// A KeySource that holds its keys is always ready.
func TestVerifier_Ready_static(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Audiences: []string{"x"}, Keys: set,
	})
	require.NoError(t, err)
	assert.NoError(t, verifier.Ready(t.Context()))
}

// A KeySource that breaks its word opens nothing.
func TestVerifier_keySource(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	p256, others := set.Keys()[:1], set.Keys()[1:]
	var wrong []*jwks.Key // of the same type
	for range 4 {
		more, err := jwks.Parse([]byte(fmt.Sprintf(`{"keys":[%s]}`,
			encodeJSON(claimstest.MustKey("ES256").JWK()))))
		require.NoError(t, err)
		wrong = append(wrong, more.Keys()...)
	}
	good := forged(head(nil), body(nil))
	// P-256 where P-384 should be: the halves of the signature are made as
	// long.
	input := b64([]byte(head(m{"alg": "ES384"}))) + "." + b64([]byte(body(nil)))
	short := sign("p256", "ES384", input)
	r, s := new(big.Int).SetBytes(short[:32]), new(big.Int).SetBytes(short[32:])
	wrongCurve := input + "." + b64(p1363(r, s, 48))
	for _, tt := range []struct {
		name       string
		keys       []*jwks.Key
		err        error
		token      string // empty means a good one by p256
		class      error  // nil if the token is accepted
		reason     claims.Reason
		retryAfter time.Duration
	}{
		{name: "right key", keys: p256},
		{name: "right key fourth", keys: slices.Concat(wrong[:3], p256)},
		{name: "right key after others that do not fit", keys: slices.Concat(others, wrong[:3], p256)},
		{
			name: "right key last of those that are tried", keys: slices.Concat(slices.Repeat(wrong[:1], 31), p256),
		},
		{
			name: "right key after too many", keys: slices.Concat(slices.Repeat(wrong[:1], 32), p256),
			class: claims.ErrInvalidToken, reason: claims.ReasonSignature,
		},
		{
			name: "keys of other types", keys: others,
			class: claims.ErrInvalidToken, reason: claims.ReasonUnknownKey,
		},
		{
			name: "key of another curve", keys: p256, token: wrongCurve,
			class: claims.ErrInvalidToken, reason: claims.ReasonUnknownKey,
		},
		{name: "no key", class: claims.ErrInvalidToken, reason: claims.ReasonUnknownKey},
		{
			name: "unknown error and a key", keys: p256, err: errors.New("x"),
			class: claims.ErrInvalidToken, reason: claims.ReasonUnknownKey,
		},
		{
			name: "unknown key", err: jwks.ErrUnknownKey,
			class: claims.ErrInvalidToken, reason: claims.ReasonUnknownKey,
		},
		{
			name: "mismatch", err: fmt.Errorf("x: %w", jwks.ErrKeyMismatch),
			class: claims.ErrInvalidToken, reason: claims.ReasonAlgorithm,
		},
		{
			name: "unavailable", err: fmt.Errorf("x: %w", jwks.ErrUnavailable),
			class: claims.ErrUnavailable, reason: claims.ReasonKeysUnavailable,
		},
		{
			name: "unavailable for a minute", err: &jwks.UnavailableError{RetryAfter: time.Minute},
			class: claims.ErrUnavailable, reason: claims.ReasonKeysUnavailable, retryAfter: time.Minute,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			verifier, err := claims.NewVerifier(claims.Config{
				Issuer: issuerURL, Audiences: []string{claimstest.Audience},
				Keys: lookup(func() ([]*jwks.Key, error) { return tt.keys, tt.err }),
			})
			require.NoError(t, err)
			caller, err := verifier.Authenticate(t.Context(), bearer(cmp.Or(tt.token, good)))
			if tt.class == nil {
				require.NoError(t, err)
				return
			}
			assert.Nil(t, caller)
			assert.ErrorIs(t, err, tt.class)
			assert.Equal(t, tt.reason, claims.AsError(err).Reason())
			assert.Equal(t, tt.retryAfter, claims.AsError(err).RetryAfter())
		})
	}
}

// lookup is a claims.KeySource.
type lookup func() ([]*jwks.Key, error)

func (f lookup) Lookup(context.Context, string, string) ([]*jwks.Key, error) { return f() }

func TestVerifier_scheme(t *testing.T) {
	t.Parallel()
	issuer := newForgerIssuer(t)
	verifier := newVerifier(t, issuer, nil)
	issuers, err := claims.NewIssuers(claims.Config{
		Issuer: issuerURL, Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	good := forged(head(nil), body(nil))
	for _, scheme := range []string{"Bearer", "bearer", "BEARER"} {
		_, err := verifier.Authenticate(t.Context(), claims.Credentials{Scheme: scheme, Token: good})
		assert.NoError(t, err, scheme)
	}
	before := issuer.KeySetRequests()
	for _, scheme := range []string{"", "DPoP", "Basic", "Bearer ", "Beare", "Bearers", "MAC"} {
		for _, auth := range []claims.Authenticator{verifier, issuers} {
			caller, err := auth.Authenticate(t.Context(), claims.Credentials{Scheme: scheme, Token: good})
			assert.Nil(t, caller)
			assert.ErrorIs(t, err, claims.ErrNoToken)
			assert.NotErrorIs(t, err, claims.ErrInvalidToken)
			assert.Equal(t, claims.ReasonUnsupportedScheme, claims.AsError(err).Reason())
		}
	}
	assert.Equal(t, before, issuer.KeySetRequests())
}

// Each setting narrows what is accepted, and none of the refusals needs a key.
func TestVerifier_settings(t *testing.T) {
	t.Parallel()
	ps256 := forgedBy("ps256", "PS256", head(m{"alg": "PS256", "kid": "ps256"}), body(nil))
	ed25519 := forgedBy("ed25519", "EdDSA", head(m{"alg": "EdDSA", "kid": "ed25519"}), body(nil))
	es256 := func(header, payload m) string { return forged(head(header), body(payload)) }
	only := func(algorithms ...string) func(*claims.Config) {
		return func(cfg *claims.Config) { cfg.Algorithms = algorithms }
	}
	types := func(types ...string) func(*claims.Config) {
		return func(cfg *claims.Config) { cfg.Types = types }
	}
	anyAudience := func(cfg *claims.Config) { cfg.Audiences, cfg.InsecureSkipAudience = nil, true }
	two := func(cfg *claims.Config) { cfg.Audiences = []string{"a", claimstest.Audience} }
	for _, tt := range []struct {
		name   string
		change func(*claims.Config)
		token  string
		reason claims.Reason
	}{
		{name: "algorithm allowed", change: only("RS256", "ES256"), token: es256(nil, nil)},
		{
			name: "algorithm not allowed", change: only("RS256", "ES256"),
			token: ps256, reason: claims.ReasonAlgorithm,
		},
		{
			name: "its newer name alone", change: only("Ed25519"),
			token: ed25519, reason: claims.ReasonAlgorithm,
		},
		{name: "at+jwt alone", change: types("at+jwt"), token: es256(nil, nil)},
		{
			name: "at+jwt alone, in full", change: types("at+jwt"),
			token: es256(m{"typ": "application/at+jwt"}, nil),
		},
		{
			name: "at+jwt alone, JWT", change: types("at+jwt"),
			token: es256(m{"typ": "JWT"}, nil), reason: claims.ReasonType,
		},
		{
			name: "at+jwt alone, none", change: types("at+jwt"),
			token: es256(m{"typ": claimstest.Omit}, nil), reason: claims.ReasonType,
		},
		{
			name: "at+jwt alone, empty", change: types("at+jwt"),
			token: es256(m{"typ": ""}, nil), reason: claims.ReasonType,
		},
		{name: "no typ alone", change: types(""), token: es256(m{"typ": claimstest.Omit}, nil)},
		{
			name: "no typ alone, at+jwt", change: types(""),
			token: es256(nil, nil), reason: claims.ReasonType,
		},
		{
			name: "no typ alone, application", change: types(""),
			token: es256(m{"typ": "application/"}, nil), reason: claims.ReasonType,
		},
		{name: "type of one's own", change: types("x+jwt"), token: es256(m{"typ": "X+jwt"}, nil)},
		{name: "second audience", change: two, token: es256(nil, nil)},
		{name: "first audience", change: two, token: es256(nil, m{"aud": "a"})},
		{
			name: "neither audience", change: two,
			token: es256(nil, m{"aud": []string{"b"}}), reason: claims.ReasonAudience,
		},
		{name: "any audience", change: anyAudience, token: es256(nil, m{"aud": "b"})},
		{
			name: "any audience, none", change: anyAudience,
			token: es256(nil, m{"aud": claimstest.Omit}),
		},
		{
			name: "any audience, malformed", change: anyAudience,
			token: es256(nil, m{"aud": 1}), reason: claims.ReasonMalformed,
		},
		{
			name: "any audience, expired", change: anyAudience,
			token: es256(nil, m{"exp": longAgo}), reason: claims.ReasonExpired,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuer := newForgerIssuer(t)
			verifier := newVerifier(t, issuer, tt.change)
			caller, err := verifier.Authenticate(t.Context(), bearer(tt.token))
			if tt.reason == "" {
				require.NoError(t, err)
				return
			}
			assertRefused(t, caller, err, tt.reason)
			assert.Zero(t, issuer.KeySetRequests())
			assert.Zero(t, issuer.Requests(wellKnown))
		})
	}
}

// What is changed after NewVerifier changes nothing.
func TestVerifier_copiesItsConfig(t *testing.T) {
	t.Parallel()
	audiences := []string{claimstest.Audience}
	algorithms, types := []string{"ES256"}, []string{"at+jwt"}
	required, forbidden, clients := []string{"sub"}, []string{"nonce"}, []string{"shop"}
	values := map[string][]string{"jti": {"1"}}
	issuer := newForgerIssuer(t)
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Audiences, cfg.Algorithms, cfg.Types = audiences, algorithms, types
		cfg.RequiredClaims, cfg.ForbiddenClaims, cfg.ClientIDs = required, forbidden, clients
		cfg.ClaimValues = values
	})
	audiences[0], algorithms[0], types[0] = "x", "RS256", "JWT"
	required[0], forbidden[0], clients[0], values["jti"][0] = "x", "sub", "x", "x"
	values["x"] = []string{"x"}
	_, err := verifier.Authenticate(t.Context(), bearer(forged(head(nil), body(nil))))
	assert.NoError(t, err)
}

// Times are compared to the nanosecond, with the leeway on the token's side.
func TestVerifier_times(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		set    time.Duration
		leeway time.Duration
	}{
		{name: "default", set: 0, leeway: 30 * time.Second},
		{name: "none", set: -1, leeway: 0},
		{name: "one second", set: time.Second, leeway: time.Second},
		{name: "greatest", set: 5 * time.Minute, leeway: 5 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now() // a whole second in a bubble
				require.Zero(t, start.Nanosecond())
				verifier := newVerifier(t, newForgerIssuer(t), func(cfg *claims.Config) {
					cfg.Leeway = tt.set
				})
				check := func(reason claims.Reason, changes m) {
					t.Helper()
					caller, err := verifier.Authenticate(t.Context(), bearer(forged(head(nil), body(changes))))
					if reason == "" {
						require.NoError(t, err)
						return
					}
					assertRefused(t, caller, err, reason)
				}
				at := func(d time.Duration) int64 { return start.Add(d).Unix() }
				const s = time.Second

				check("", m{"exp": at(-tt.leeway + s)})
				check(claims.ReasonExpired, m{"exp": at(-tt.leeway)})
				check(claims.ReasonExpired, m{"exp": at(-tt.leeway - s)})
				for _, name := range []string{"nbf", "iat"} {
					check("", m{name: at(tt.leeway - s)})
					check("", m{name: at(tt.leeway)})
					check(claims.ReasonNotYetValid, m{name: at(tt.leeway + s)})
				}

				exp, nbf := m{"exp": at(600 * s)}, m{"nbf": at(tt.leeway + 600*s)}
				time.Sleep(600*s - time.Nanosecond)
				check(claims.ReasonNotYetValid, nbf)
				time.Sleep(time.Nanosecond)
				check("", nbf)
				if tt.leeway > 0 {
					time.Sleep(tt.leeway - time.Nanosecond)
					check("", exp)
					time.Sleep(time.Nanosecond)
				}
				check(claims.ReasonExpired, exp)
			})
		})
	}
}

func TestVerifier_fractionalTimes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		claim  string
		value  string
		after  time.Duration // from the start of the bubble
		reason claims.Reason // before it
		then   claims.Reason // from it on
	}{
		{
			name: "exp and a half", claim: "exp", value: "946684810.5",
			after: 10500 * time.Millisecond, then: claims.ReasonExpired,
		},
		{
			name: "exp and a quarter, with an exponent", claim: "exp", value: "94668481025e-2",
			after: 10250 * time.Millisecond, then: claims.ReasonExpired,
		},
		{
			name: "exp and nothing", claim: "exp", value: "946684810.0",
			after: 10 * time.Second, then: claims.ReasonExpired,
		},
		{
			name: "nbf and a half", claim: "nbf", value: "946684810.5",
			after: 10500 * time.Millisecond, reason: claims.ReasonNotYetValid,
		},
		{
			name: "iat and a half", claim: "iat", value: "946684810.5",
			after: 10500 * time.Millisecond, reason: claims.ReasonNotYetValid,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				require.EqualValues(t, 946684800, time.Now().Unix())
				verifier := newVerifier(t, newForgerIssuer(t), func(cfg *claims.Config) { cfg.Leeway = -1 })
				token := bearer(forged(head(nil), body(m{tt.claim: json.Number(tt.value)})))
				check := func(reason claims.Reason) {
					t.Helper()
					caller, err := verifier.Authenticate(t.Context(), token)
					if reason == "" {
						require.NoError(t, err)
						return
					}
					assertRefused(t, caller, err, reason)
				}
				time.Sleep(tt.after - time.Nanosecond)
				check(tt.reason)
				time.Sleep(time.Nanosecond)
				check(tt.then)
			})
		})
	}
}
