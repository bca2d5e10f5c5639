package claims_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// confirms is a Confirmer.
type confirms struct {
	member, scheme string
	confirm        func(ctx context.Context, value string, c claims.Credentials) error
	asked          atomic.Int32
}

func (c *confirms) Confirms() (member, scheme string) { return c.member, c.scheme }

func (c *confirms) Confirm(ctx context.Context, value string, by claims.Credentials) error {
	c.asked.Add(1)
	return c.confirm(ctx, value, by)
}

var errNoProof = errors.New("no proof of the key")

// byProof confirms requests with a proof of this value.
func byProof(member, scheme string) *confirms {
	return &confirms{member: member, scheme: scheme,
		confirm: func(ctx context.Context, value string, c claims.Credentials) error {
			for _, proof := range c.Proof.Prove(ctx).DPoP {
				if proof == value {
					return nil
				}
			}
			return errNoProof
		}}
}

// proofs is what a request proves.
type proofs []string

func (p proofs) Prove(context.Context) claims.Proof { return claims.Proof{DPoP: p} }

func proving(scheme, token string, values ...string) claims.Credentials {
	return claims.Credentials{Scheme: scheme, Token: token, Proof: proofs(values)}
}

// Each member of cnf is proven, on each use, and a token is presented as it is
// bound.
func TestConfirmers(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	token := func(cnf any) string { return issuer.Mint(claimstest.Token{Claims: m{"cnf": cnf}}) }
	plain := issuer.Mint(claimstest.Token{})
	jkt, both := token(m{"jkt": "j"}), token(m{"jkt": "j", "x5t#S256": "x"})
	x5t := token(m{"x5t#S256": "x"})
	const unsupported = claims.ReasonUnsupportedScheme
	for _, tt := range []struct {
		name   string
		c      claims.Credentials
		reason claims.Reason // empty if it is accepted
	}{
		{name: "not bound", c: bearer(plain)},
		{name: "not bound, under DPoP", c: proving("DPoP", plain, "j"), reason: claims.ReasonBinding},
		{name: "DPoP", c: proving("DPoP", jkt, "j")},
		{name: "DPoP in another case", c: proving("dpop", jkt, "j")},
		{name: "DPoP, another key", c: proving("DPoP", jkt, "k"), reason: claims.ReasonBinding},
		{name: "DPoP, no proof", c: claims.Credentials{Scheme: "DPoP", Token: jkt}, reason: claims.ReasonBinding},
		{name: "DPoP as Bearer", c: proving("Bearer", jkt, "j"), reason: claims.ReasonBinding},
		{name: "certificate", c: proving("Bearer", x5t, "x")},
		{name: "certificate, none", c: bearer(x5t), reason: claims.ReasonBinding},
		{name: "certificate under DPoP", c: proving("DPoP", x5t, "x"), reason: claims.ReasonBinding},
		{name: "both", c: proving("DPoP", both, "x", "j")},
		{name: "both, as Bearer", c: proving("Bearer", both, "x", "j"), reason: claims.ReasonBinding},
		{name: "both, the first missing", c: proving("DPoP", both, "x"), reason: claims.ReasonBinding},
		{name: "both, the second missing", c: proving("DPoP", both, "j"), reason: claims.ReasonBinding},
		{name: "two schemes", c: proving("DPoP", token(m{"jkt": "j", "mac": "m"}), "j", "m"), reason: claims.ReasonBinding},
		{name: "two schemes, the other", c: proving("MAC", token(m{"jkt": "j", "mac": "m"}), "j", "m"), reason: claims.ReasonBinding},
		{name: "another scheme", c: proving("MAC", token(m{"mac": "m"}), "m")},
		{name: "unknown member", c: proving("Bearer", token(m{"kid": "x"}), "x"), reason: claims.ReasonBinding},
		{name: "unknown beside known", c: proving("DPoP", token(m{"jkt": "j", "kid": "x"}), "j"), reason: claims.ReasonBinding},
		{name: "member in another case", c: proving("DPoP", token(m{"JKT": "j"}), "j"), reason: claims.ReasonBinding},
		{name: "empty cnf", c: bearer(token(m{})), reason: claims.ReasonBinding},
		{name: "empty cnf under DPoP", c: proving("DPoP", token(m{}), "j"), reason: claims.ReasonBinding},
		{name: "cnf null", c: bearer(token(nil)), reason: claims.ReasonBinding},
		{name: "cnf a string", c: bearer(token("jkt")), reason: claims.ReasonBinding},
		{name: "cnf an array", c: bearer(token([]m{{"jkt": "j"}})), reason: claims.ReasonBinding},
		{name: "JSON", c: proving("Bearer", token(m{"jwk": m{"kty": "OKP"}}), `{"kty":"OKP"}`)},
		{name: "a scheme nobody takes", c: proving("Basic", plain), reason: unsupported},
		{name: "no JWT under it", c: proving("Basic", "dXNlcjpwYXNz"), reason: unsupported},
		{name: "bound, under it", c: proving("Token", jkt, "j"), reason: unsupported},
		{name: "no scheme", c: proving("", plain), reason: unsupported},
	} {
		list := []claims.Confirmer{
			byProof("jkt", "DPoP"), byProof("x5t#S256", "Bearer"), byProof("mac", "MAC"), byProof("jwk", "bearer"),
		}
		cfg := trusting(t, issuer)
		cfg.Confirmers = list
		for name, auth := range makers(t, cfg) {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				t.Parallel()
				for range 3 { // remembered, if it is accepted
					caller, err := auth.Authenticate(t.Context(), tt.c)
					if tt.reason == "" {
						require.NoError(t, err)
						assert.Equal(t, issuer.URL(), caller.Issuer())
						refused := tt.c
						if tt.c.Proof != nil && refused.Token != plain {
							refused.Proof = nil
							caller, err = auth.Authenticate(t.Context(), refused)
							assertRefused(t, caller, err, claims.ReasonBinding)
						}
						continue
					}
					require.Error(t, err)
					assert.Nil(t, caller)
					assert.Equal(t, tt.reason, claims.AsError(err).Reason(), "%v", errors.Unwrap(claims.AsError(err)))
				}
			})
		}
	}
}

// A proof may be good for one use: it is asked for once nothing else refuses.
func TestConfirmers_askedLast(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	confirmer := byProof("jkt", "DPoP")
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Confirmers = []claims.Confirmer{confirmer}
	})
	for _, c := range []claims.Credentials{
		proving("DPoP", issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": "j", "other": "x"}}}), "j"),
		proving("Bearer", issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": "j"}}}), "j"),
		proving("DPoP", issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": "j"}, "aud": "x"}}), "j"),
		proving("DPoP", issuer.Mint(claimstest.Token{}), "j"),
	} {
		_, err := verifier.Authenticate(t.Context(), c)
		require.Error(t, err)
	}
	assert.Zero(t, confirmer.asked.Load())
}

// What a Confirmer's error says is the refusal; what it cannot help is
// unavailable.
func TestConfirmers_errors(t *testing.T) {
	t.Parallel()
	own := claims.NewError(claims.ErrInvalidToken, "dpop_replayed", errNoProof)
	for _, tt := range []struct {
		name    string
		confirm func(context.Context) error
		class   error
		reason  claims.Reason
	}{
		{
			name: "plain", class: claims.ErrInvalidToken, reason: claims.ReasonBinding,
			confirm: func(context.Context) error { return errNoProof },
		},
		{
			name: "a refusal", class: claims.ErrInvalidToken, reason: "dpop_replayed",
			confirm: func(context.Context) error { return own },
		},
		{
			name: "malformed", class: claims.ErrInvalidRequest, reason: claims.ReasonMalformedCredentials,
			confirm: func(context.Context) error { return claims.ErrInvalidRequest },
		},
		{
			name: "unavailable", class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
			confirm: func(context.Context) error { return claims.ErrUnavailable },
		},
		{
			name: "too long", class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
			confirm: func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			},
		},
		{
			name: "panic", class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
			confirm: func(context.Context) error { panic("no store") },
		},
		{
			name: "an error that panics", class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
			confirm: func(context.Context) error { return (*touchy)(nil) },
		},
		{
			name: "a nil refusal", class: claims.ErrInvalidToken, reason: claims.ReasonBinding,
			confirm: func(context.Context) error { return (*claims.Error)(nil) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuer := newIssuer(t, claimstest.Config{})
				verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
					cfg.Confirmers = []claims.Confirmer{&confirms{member: "jkt", scheme: "DPoP",
						confirm: func(ctx context.Context, _ string, _ claims.Credentials) error { return tt.confirm(ctx) }}}
				})
				token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": "j"}}})
				_, err := verifier.Authenticate(t.Context(), proving("DPoP", token))
				refusal := assertRefusal(t, tt.class, err)
				assert.Equal(t, tt.reason, refusal.Reason())
			})
		})
	}
}

// nameless is a Confirmer that cannot say what it confirms.
type nameless struct{}

func (nameless) Confirms() (member, scheme string) { panic("no name") }

func (nameless) Confirm(context.Context, string, claims.Credentials) error { return nil }

// confirmFunc is a Confirmer that is a function.
type confirmFunc func() error

func (confirmFunc) Confirms() (member, scheme string) { return "f", "Bearer" }

func (f confirmFunc) Confirm(context.Context, string, claims.Credentials) error { return f() }

func TestConfirmers_mistakes(t *testing.T) {
	t.Parallel()
	good := byProof("jkt", "DPoP")
	_, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Audiences: []string{"x"}, Confirmers: []claims.Confirmer{
			good, nil, (*confirms)(nil), byProof("jkt", "Bearer"), byProof("", "DPoP"), byProof("x", ""),
			byProof("y", "not a scheme"), nameless{}, confirmFunc(nil), good,
		},
	})
	for _, wrong := range []string{
		"Config.Confirmers[1] is nil", "Config.Confirmers[2] is nil", `Confirmers[3] proves "jkt" of cnf, as another does`,
		`Confirmers[4], a *claims_test.confirms, has "" for the member`, `has "x" for the member of cnf and "" for the scheme`,
		`"not a scheme" for the scheme`, "Confirms panicked: no name", "Config.Confirmers[8] is nil", "Confirmers[9] proves",
	} {
		assert.ErrorContains(t, err, wrong)
	}
}

// What a Confirmer holds is in use: to compare Configs looks at which it is, no
// deeper.
func TestTenants_confirmersInUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{})
		cfg := trusting(t, issuer)
		tenants, err := claims.NewTenants(
			func(context.Context, string) (claims.Config, error) {
				cfg := cfg
				cfg.Confirmers = []claims.Confirmer{&store{seen: map[string]bool{}}}
				return cfg, nil
			},
			claims.TenantsConfig{MaxAge: 1},
		)
		require.NoError(t, err)
		token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": "j"}}})
		for range 20 {
			for range 20 {
				go func() {
					_, err := tenants.Authenticate(t.Context(), claims.Credentials{Scheme: "DPoP", Token: token})
					assert.NoError(t, err)
				}()
			}
			synctest.Wait()
		}
	})
}

// store is a Confirmer that keeps what it has seen.
type store struct {
	sync.Mutex
	seen map[string]bool
}

func (*store) Confirms() (member, scheme string) { return "jkt", "DPoP" }

func (s *store) Confirm(_ context.Context, value string, _ claims.Credentials) error {
	s.Lock()
	defer s.Unlock()
	s.seen[value+strconv.Itoa(len(s.seen))] = true
	return nil
}

// Under a scheme that no tenant is known to take, what cannot be of one is told
// that the scheme is the fault; once one has shown to take it, the token is.
func TestTenants_schemes(t *testing.T) {
	t.Parallel()
	bound := newIssuer(t, claimstest.Config{URL: "https://bound.example"})
	other := newIssuer(t, claimstest.Config{URL: "https://other.example"})
	tenants, err := claims.NewTenants(
		func(_ context.Context, issuer string) (claims.Config, error) {
			switch issuer {
			case bound.URL():
				cfg := trusting(t, bound)
				cfg.Confirmers = []claims.Confirmer{byProof("jkt", "DPoP")}
				return cfg, nil
			case other.URL():
				return trusting(t, other), nil
			case "https://down.example":
				return claims.Config{}, errDown
			}
			return claims.Config{}, claims.ErrUntrusted
		},
		claims.TenantsConfig{},
	)
	require.NoError(t, err)
	of := func(issuer *claimstest.Issuer, iss string) string {
		return issuer.Mint(claimstest.Token{Claims: m{"iss": iss, "cnf": m{"jkt": "j"}}})
	}
	ask := func(scheme, token string) *claims.Error {
		_, err := tenants.Authenticate(t.Context(), proving(scheme, token, "j"))
		if err == nil {
			return nil
		}
		return claims.AsError(err)
	}
	unsupported := func(token string) {
		t.Helper()
		refusal := ask("DPoP", token)
		require.NotNil(t, refusal)
		assert.Equal(t, claims.ErrNoToken, refusal.Class())
		assert.Equal(t, claims.ReasonUnsupportedScheme, refusal.Reason())
		assert.ErrorIs(t, refusal, claims.ErrUnrecognized)
	}
	stranger := of(other, "https://stranger.example")
	unsupported("garbage")
	unsupported(stranger)
	unsupported(of(other, other.URL()))
	assert.Equal(t, claims.ErrUnavailable, ask("DPoP", of(other, "https://down.example")).Class())

	require.Nil(t, ask("DPoP", of(bound, bound.URL())))
	for token, reason := range map[string]claims.Reason{
		"garbage": claims.ReasonMalformed, stranger: claims.ReasonIssuer, of(other, other.URL()): claims.ReasonBinding,
	} {
		assert.Equal(t, reason, ask("dpop", token).Reason())
		assert.Equal(t, claims.ReasonUnsupportedScheme, ask("Basic", token).Reason())
	}
}

// A request that lasts goes on by another Config, if that can prove what binds
// it.
func TestRecheck_bound(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	cfg := trusting(t, issuer)
	cfg.Confirmers = []claims.Confirmer{byProof("jkt", "DPoP")}
	issuers, err := claims.NewIssuers(cfg)
	require.NoError(t, err)
	guard, err := claims.NewGuard(issuers, claims.GuardConfig{})
	require.NoError(t, err)
	token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": "j"}}})
	ctx, err := guard.Authorize(t.Context(), claims.Operation{}, proving("DPoP", token, "j"), nil)
	require.NoError(t, err)
	require.NoError(t, claims.Recheck(ctx), "proven when it began")
	cfg.Leeway = -1
	require.NoError(t, issuers.Add(cfg))
	require.NoError(t, claims.Recheck(ctx))
	cfg.Confirmers = nil
	require.NoError(t, issuers.Add(cfg))
	refusal := assertRefusal(t, claims.ErrInvalidToken, claims.Recheck(ctx))
	assert.Equal(t, claims.ReasonBinding, refusal.Reason())
}
