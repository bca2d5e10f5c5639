package claims_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// The cause of a refusal is in the log, fit for it.
func TestLogDecisions_cause(t *testing.T) {
	t.Parallel()
	token := forged(head(nil), body(nil))
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{name: "as it is", err: errors.New("pq: too many connections"), want: "pq: too many connections"},
		{
			name: "wrapped", err: fmt.Errorf("orders: %w", claims.NewError(
				claims.ErrUnavailable, claims.ReasonUndecided, errors.New("dial: refused"))),
			want: "dial: refused",
		},
		{name: "lines", err: errors.New("one\r\n2026 INFO forged\ttwo"), want: "one  2026 INFO forged two"},
		{name: "terminal", err: errors.New("a\x1b[2Jb\u202ec\xff"), want: "a?[2Jb?c?"},
		{name: "a token", err: errors.New("bad: " + token + "!"), want: "bad: [token]!"},
		{name: "a token cut off", err: errors.New("bad: " + token[:60]), want: "bad: [token]"},
		{name: "a field", err: errors.New("Authorization: Bearer s3cr3t-0paque"), want: "Authorization: Bearer [redacted]"},
		{
			name: "a URL", err: errors.New(`dial "postgres://me:pass@db/x?y=1": refused`),
			want: `dial "postgres://[redacted]@db/x?y=1": refused`,
		},
		{name: "quotes", err: errors.New(`claim "exp" is 'x'`), want: `claim "exp" is 'x'`},
		{name: "long", err: errors.New(strings.Repeat("é", 10000)), want: strings.Repeat("é", 248) + "..."},
		{name: "longest", err: errors.New(strings.Repeat("a", 500)), want: strings.Repeat("a", 500)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			failing := claims.Func("failing", func(context.Context, *claims.Claims) (bool, error) { return false, tt.err })
			records, _ := logged(t, slog.LevelInfo, func(observer claims.Observer) {
				guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Observer: observer})
				_, _ = ask(t.Context(), guard, failing, nil)
				_, _ = ask(t.Context(), guard, claims.ReportOnly(failing), nil)
			})
			require.Len(t, records, 2)
			assert.Equal(t, tt.want, records[0]["cause"])
			assert.Equal(t, tt.want, records[1]["would_be_cause"])
			var text bytes.Buffer
			observer := claims.LogDecisions(slog.New(slog.NewTextHandler(&text, nil)))
			guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Observer: observer})
			_, _ = ask(t.Context(), guard, failing, nil)
			assert.Equal(t, 1, strings.Count(text.String(), "\n"), "one line")
		})
	}
}

// Of a panic there is the value, and where it was, and not all of its stack.
func TestLogDecisions_panic(t *testing.T) {
	t.Parallel()
	var tiers map[string]int
	for name, f := range map[string]func(){
		"a value":     func() { panic("tier") },
		"an error":    func() { panic(errors.New("tier")) },
		"the runtime": func() { tiers["tier"] = 1 },
	} {
		records, text := logged(t, slog.LevelInfo, func(observer claims.Observer) {
			guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Observer: observer})
			_, err := ask(t.Context(), guard, claims.Func("own", func(context.Context, *claims.Claims) (bool, error) {
				f()
				return true, nil
			}), nil)
			assertRefusal(t, claims.ErrUnavailable, err)
			assert.Contains(t, errors.Unwrap(err).Error(), "goroutine ", "the cause has all of it")
		})
		require.Len(t, records, 1, name)
		cause := records[0]["cause"].(string)
		assert.Contains(t, cause, `Func("own") panicked: `, name)
		assert.Contains(t, cause, "guard_decision_cause_test.go:", name)
		assert.NotContains(t, cause, "goroutine", name)
		assert.NotContains(t, cause, "0x", name)
		assert.Equal(t, 1, strings.Count(text, "\n"))
	}
}

func TestLogDecisions_nil(t *testing.T) {
	t.Parallel()
	assert.NotPanics(t, func() { claims.LogDecisions(nil)(t.Context(), claims.Decision{Part: true}) })
}

// decisionOf returns how a token was decided about.
func decisionOf(t testing.TB, auth claims.Authenticator, token string) claims.Decision {
	t.Helper()
	var told []claims.Decision
	guard, err := claims.NewGuard(auth, claims.GuardConfig{
		Observer: func(_ context.Context, d claims.Decision) { told = append(told, d) },
	})
	require.NoError(t, err)
	_, _ = decide(t.Context(), guard, attempt{Needs: claims.Scopes("read"), Credentials: bearer(token)})
	require.Len(t, told, 1)
	return told[0]
}

// Of a token that says it is of a trusted issuer the record says of which, for
// each refusal from then on; before that it is what a stranger has written.
func TestDecision_issuerOfRefused(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	const open = "https://tenants.example/{tenant}/v2.0"
	configs := func() []claims.Config {
		own := claims.Config{
			Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Keys: set,
			Algorithms: []string{"ES256", "RS256", "EdDSA"}, RequiredClaims: []string{"sub"},
			ClientIDs: []string{"shop"}, MaxLifetime: 1 << 62, MaxTokenSize: 4000,
			Check: func(_ context.Context, caller *claims.Claims) error {
				if caller.Subject() == "revoked" {
					return errDown
				}
				return nil
			},
		}
		other := own
		other.Issuer, other.MaxTokenSize = open, 8000
		other.TrustTenant = func(tenant string) bool { return tenant == "good" }
		return []claims.Config{own, other}
	}
	issuers, err := claims.NewIssuers(configs()...)
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(configs()[0])
	require.NoError(t, err)
	tenants, err := claims.NewTenants(func(_ context.Context, issuer string) (claims.Config, error) {
		if issuer != issuerURL {
			return claims.Config{}, claims.ErrUntrusted
		}
		return configs()[0], nil
	}, claims.TenantsConfig{})
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		header m
		claims m
		reason claims.Reason
		issuer string // "" for none
	}{
		{name: "good", reason: claims.ReasonScope, issuer: issuerURL},
		{name: "malformed", claims: m{"exp": "x"}, reason: claims.ReasonMalformed},
		{name: "another issuer", claims: m{"iss": "https://x.example"}, reason: claims.ReasonIssuer},
		{name: "too large for it", claims: m{"x": strings.Repeat("a", 4000)}, reason: claims.ReasonTooLarge, issuer: issuerURL},
		{name: "algorithm", header: m{"alg": "ES384"}, reason: claims.ReasonAlgorithm, issuer: issuerURL},
		{name: "type", header: m{"typ": "x"}, reason: claims.ReasonType, issuer: issuerURL},
		{name: "expired", claims: m{"exp": 1}, reason: claims.ReasonExpired, issuer: issuerURL},
		{name: "no exp", claims: m{"exp": claimstest.Omit}, reason: claims.ReasonClaims, issuer: issuerURL},
		{name: "early", claims: m{"nbf": lastSecond}, reason: claims.ReasonNotYetValid, issuer: issuerURL},
		{name: "audience", claims: m{"aud": "x"}, reason: claims.ReasonAudience, issuer: issuerURL},
		{name: "no sub", claims: m{"sub": claimstest.Omit}, reason: claims.ReasonClaims, issuer: issuerURL},
		{name: "Sub twice", claims: m{"Client_Id": "x"}, reason: claims.ReasonMalformed},
		{name: "key", header: m{"kid": "x"}, reason: claims.ReasonUnknownKey, issuer: issuerURL},
		{name: "signature", header: m{"kid": "ed25519", "alg": "EdDSA"}, reason: claims.ReasonSignature, issuer: issuerURL},
		{name: "client", claims: m{"client_id": "x"}, reason: claims.ReasonClient, issuer: issuerURL},
		{name: "binding", claims: m{"cnf": m{"jkt": "x"}}, reason: claims.ReasonBinding, issuer: issuerURL},
		{name: "check", claims: m{"sub": "revoked"}, reason: claims.ReasonRejected, issuer: issuerURL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			token := forged(head(tt.header), body(tt.claims))
			for i, auth := range []claims.Authenticator{verifier, issuers, tenants, claims.FirstOf(issuers)} {
				for range 2 { // a second time the refusal is made already
					d := decisionOf(t, auth, token)
					if i == 0 && tt.reason == claims.ReasonTooLarge {
						continue // before anything is read
					}
					assert.Equal(t, tt.reason, d.Err.Reason(), i)
					assert.Equal(t, tt.issuer, d.Issuer, i)
				}
			}
		})
	}
	expired := forged(head(nil), body(m{"exp": 1, "iss": "https://tenants.example/good/v2.0"}))
	assert.Equal(t, open, decisionOf(t, issuers, expired).Issuer, "as the Config has it")
	foreign := forged(head(nil), body(m{"exp": 1, "iss": "https://tenants.example/bad/v2.0"}))
	assert.Empty(t, decisionOf(t, issuers, foreign).Issuer)
}

// That the issuer is named costs a refusal nothing, once it has been made.
func TestVerifier_refusalsOfOneIssuer(t *testing.T) {
	t.Parallel()
	verifier := offline(t, func(cfg *claims.Config) { cfg.RequiredClaims = []string{"tenant"} })
	seen := map[error]bool{}
	for range 5 {
		for _, token := range []string{
			forged(head(nil), body(m{"exp": 1})), forged(head(nil), body(nil)),
			forged(head(nil), body(m{"Tenant": 1})),
		} {
			_, err := verifier.Authenticate(t.Context(), bearer(token))
			seen[err] = true
		}
	}
	assert.Len(t, seen, 3)
}

// Whoever waits for the answer and goes away, or whose deadline passes, is no
// outage, wherever that shows.
func TestDecision_canceled(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	waits := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	with := func(change func(*claims.Config)) claims.Authenticator { return offline(t, change) }
	silent := func() claims.Authenticator {
		tenants, err := claims.NewTenants(func(ctx context.Context, _ string) (claims.Config, error) {
			return claims.Config{}, waits(ctx)
		}, claims.TenantsConfig{})
		require.NoError(t, err)
		return tenants
	}
	func1 := claims.Func("f", func(ctx context.Context, _ *claims.Claims) (bool, error) { return false, waits(ctx) })
	asks := source(func(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
		return claims.Grants{}, waits(ctx)
	})
	token := forged(head(nil), body(m{"cnf": claimstest.Omit}))
	for _, tt := range []struct {
		name  string
		auth  func() claims.Authenticator
		needs claims.Requirement
		by    func() claims.PermissionSource
		token string
	}{
		{name: "keys", auth: func() claims.Authenticator {
			return with(func(cfg *claims.Config) { cfg.Keys = waiting{set} })
		}},
		{name: "a key cache", auth: func() claims.Authenticator {
			return with(func(cfg *claims.Config) {
				cache, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{endless{}}, Logger: slog.New(slog.DiscardHandler)})
				require.NoError(t, err)
				cfg.Keys = cache
			})
		}},
		{name: "tenants", auth: silent},
		{name: "Check", auth: func() claims.Authenticator {
			return with(func(cfg *claims.Config) {
				cfg.Check = func(ctx context.Context, _ *claims.Claims) error { return waits(ctx) }
			})
		}},
		{name: "Check, wrapped", auth: func() claims.Authenticator {
			return with(func(cfg *claims.Config) {
				cfg.Check = func(ctx context.Context, _ *claims.Claims) error {
					return fmt.Errorf("db: %w: %w", claims.ErrUnavailable, waits(ctx))
				}
			})
		}},
		{name: "Confirmer", token: forged(head(nil), body(m{"cnf": m{"own": "x"}})), auth: func() claims.Authenticator {
			return with(func(cfg *claims.Config) { cfg.Confirmers = []claims.Confirmer{hanging{nil}} })
		}},
		{name: "Func", needs: func1},
		{name: "Func, of its own words", needs: claims.Func("f", func(ctx context.Context, _ *claims.Claims) (bool, error) {
			_ = waits(ctx)
			return false, fmt.Errorf("i/o timeout: %w", claims.ErrUnavailable)
		})},
		{name: "Confirmer, of its own words", token: forged(head(nil), body(m{"cnf": m{"own": "x"}})), auth: func() claims.Authenticator {
			return with(func(cfg *claims.Config) { cfg.Confirmers = []claims.Confirmer{hanging{errors.New("i/o timeout")}} })
		}},
		{name: "Authenticator", auth: func() claims.Authenticator { return own(waits) }},
		{name: "Authenticator, of its own words", auth: func() claims.Authenticator {
			return own(func(ctx context.Context) error {
				return fmt.Errorf("%w: i/o timeout: %v", claims.ErrUnavailable, waits(ctx))
			})
		}},
		{name: "one of several", needs: claims.AnyOf(claims.Scopes("x"), func1)},
		{name: "permission source", needs: claims.Permissions("p"), by: func() claims.PermissionSource { return asks }},
		{name: "permission cache", needs: claims.Permissions("p"), by: func() claims.PermissionSource {
			cache, err := claims.NewPermissionCache(asks, claims.PermissionCacheConfig{})
			require.NoError(t, err)
			return cache
		}},
	} {
		for name, over := range map[string]func(context.Context) (context.Context, context.CancelFunc){
			"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 100*time.Millisecond)
			},
			"gone": func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(100*time.Millisecond, cancel)
				return ctx, cancel
			},
		} {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var told []claims.Decision
					records, _ := logged(t, slog.LevelDebug, func(log claims.Observer) {
						auth := claims.Authenticator(offline(t, nil))
						if tt.auth != nil {
							auth = tt.auth()
						}
						cfg := claims.GuardConfig{Observer: func(ctx context.Context, d claims.Decision) {
							told = append(told, d)
							log(ctx, d)
						}}
						if tt.by != nil {
							cfg.Permissions = tt.by()
						}
						guard, err := claims.NewGuard(auth, cfg)
						require.NoError(t, err)
						call := attempt{Needs: tt.needs, Credentials: bearer(token)}
						if tt.token != "" {
							call.Credentials.Token = tt.token
						}
						ctx, cancel := over(t.Context())
						defer cancel()
						_, err = decide(ctx, guard, call)
						assertRefusal(t, claims.ErrUnavailable, err)
					})
					require.Len(t, told, 1)
					assert.Equal(t, "canceled", told[0].Outcome())
					assert.Equal(t, claims.ReasonCanceled, told[0].Err.Reason())
					require.Len(t, records, 1)
					assert.Equal(t, "DEBUG", records[0]["level"])
					assert.Equal(t, "canceled", records[0]["outcome"])
					time.Sleep(time.Minute) // until all have given up
				})
			})
		}
	}
}

// A check that takes longer than it may has decided nothing.
func TestVerifier_lateCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		verifier := offline(t, func(cfg *claims.Config) {
			cfg.Check = func(ctx context.Context, _ *claims.Claims) error { <-ctx.Done(); return ctx.Err() }
			cfg.Confirmers = []claims.Confirmer{hanging{nil}}
		})
		for _, token := range []string{forged(head(nil), body(nil)), forged(head(nil), body(m{"cnf": m{"own": "x"}}))} {
			_, err := verifier.Authenticate(t.Context(), bearer(token))
			assertRefusal(t, claims.ErrUnavailable, err)
			assert.Equal(t, claims.ReasonUndecided, claims.AsError(err).Reason())
		}
	})
}

// waiting is a KeySource that waits for as long as it may.
type waiting struct{ *jwks.Set }

func (waiting) Lookup(ctx context.Context, _, _ string) ([]*jwks.Key, error) {
	<-ctx.Done()
	return nil, fmt.Errorf("%w: %w", jwks.ErrUnavailable, ctx.Err())
}

// endless is a Source that never answers.
type endless struct{}

func (endless) KeySet(ctx context.Context, _ bool) (*jwks.Set, time.Duration, error) {
	<-ctx.Done()
	return nil, 0, ctx.Err()
}

// hanging is a Confirmer that waits for as long as it may.
type hanging struct{ err error }

// own is an Authenticator of somebody's own.
type own func(context.Context) error

func (f own) Authenticate(ctx context.Context, _ claims.Credentials) (*claims.Claims, error) {
	return nil, f(ctx)
}

func (hanging) Confirms() (member, scheme string) { return "own", "Bearer" }

func (h hanging) Confirm(ctx context.Context, _ string, _ claims.Credentials) error {
	<-ctx.Done()
	if h.err != nil {
		return fmt.Errorf("%w: %w", claims.ErrUnavailable, h.err)
	}
	return ctx.Err()
}
