package claims_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

var errRevoked = errors.New("it is on the list")

// admitted is the context of a request with this token.
func admitted(
	t testing.TB, auth claims.Authenticator, token string, cfg claims.GuardConfig,
) context.Context {
	t.Helper()
	guard, err := claims.NewGuard(auth, cfg)
	require.NoError(t, err)
	ctx, err := guard.Authorize(t.Context(), claims.Operation{}, bearer(token), nil)
	require.NoError(t, err)
	return ctx
}

// wrapper is an Authenticator of one's own around another, which it hides.
type wrapper struct{ auth claims.Authenticator }

func (w wrapper) Authenticate(ctx context.Context, c claims.Credentials) (*claims.Claims, error) {
	return w.auth.Authenticate(ctx, c)
}

// embedding is another, with the methods of what it has.
type hiding struct{ *claims.Verifier }

// makers returns Authenticators by one Config.
func makers(t testing.TB, cfg claims.Config) map[string]claims.Authenticator {
	t.Helper()
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	issuers, err := claims.NewIssuers(cfg)
	require.NoError(t, err)
	tenants, err := claims.NewTenants(
		func(context.Context, string) (claims.Config, error) { return cfg, nil },
		claims.TenantsConfig{},
	)
	require.NoError(t, err)
	return map[string]claims.Authenticator{
		"Verifier": verifier, "Issuers": issuers, "Tenants": tenants,
		"FirstOf":                claims.FirstOf(issuers, verifier),
		"FirstOf in FirstOf":     claims.FirstOf(claims.FirstOf(tenants)),
		"one's own":              wrapper{issuers},
		"one that embeds":        hiding{verifier},
		"FirstOf of one's own":   claims.FirstOf(wrapper{tenants}),
		"one's own around first": wrapper{claims.FirstOf(wrapper{verifier}, issuers)},
	}
}

// A list of revoked tokens in Config.Check ends what lasts, too.
func TestRecheck_check(t *testing.T) {
	t.Parallel()
	for _, outcome := range []struct {
		name  string
		err   error
		class error
	}{
		{name: "revoked", err: errRevoked, class: claims.ErrInvalidToken},
		{name: "cannot tell", err: claims.ErrUnavailable, class: claims.ErrUnavailable},
	} {
		issuer := newIssuer(t, claimstest.Config{})
		token := issuer.Mint(claimstest.Token{})
		for name := range makers(t, trusting(t, issuer)) {
			t.Run(name+", "+outcome.name, func(t *testing.T) {
				t.Parallel()
				var revoked atomic.Bool
				cfg := trusting(t, issuer)
				cfg.Check = func(_ context.Context, caller *claims.Claims) error {
					assert.Equal(t, issuer.URL(), caller.Issuer())
					if revoked.Load() {
						return outcome.err
					}
					return nil
				}
				record := &record{}
				ctx := admitted(t, makers(t, cfg)[name], token, claims.GuardConfig{Observer: record.observe})
				require.NoError(t, claims.Recheck(ctx))
				revoked.Store(true)
				record.take()
				refusal := assertRefusal(t, outcome.class, claims.Recheck(ctx))
				assert.ErrorIs(t, refusal, outcome.err)
				decisions := record.take()
				require.Len(t, decisions, 1)
				assert.True(t, decisions[0].Part)
				assert.Equal(t, refusal, decisions[0].Err)
				revoked.Store(false)
				assert.NoError(t, claims.Recheck(ctx))
			})
		}
	}
}

// A Check is asked once, as for each use.
func TestRecheck_once(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	for name := range makers(t, trusting(t, issuer)) {
		var asked atomic.Int32
		cfg := trusting(t, issuer)
		cfg.Check = func(context.Context, *claims.Claims) error {
			asked.Add(1)
			return nil
		}
		ctx := admitted(t, makers(t, cfg)[name], issuer.Mint(claimstest.Token{}), claims.GuardConfig{})
		asked.Store(0)
		require.NoError(t, claims.Recheck(ctx))
		assert.EqualValues(t, 1, asked.Load(), name)
	}
}

// A key that the issuer has withdrawn ends what lasts, and an outage does not.
func TestRecheck_key(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{})
		ctx := admitted(t, newVerifier(t, issuer, nil),
			issuer.Mint(claimstest.Token{Lifetime: 10 * time.Hour}), claims.GuardConfig{})
		require.NoError(t, claims.Recheck(ctx))
		issuer.Fail(500)
		time.Sleep(20 * time.Minute)
		require.NoError(t, claims.Recheck(ctx))
		issuer.Intercept(nil)
		withdrawn := issuer.Key()
		issuer.Rotate("ES256")
		issuer.Revoke(withdrawn)
		time.Sleep(time.Hour)
		_ = claims.Recheck(ctx) // which has the keys fetched
		synctest.Wait()
		refusal := assertRefusal(t, claims.ErrInvalidToken, claims.Recheck(ctx))
		assert.Equal(t, claims.ReasonUnknownKey, refusal.Reason())
	})
}

// Of an issuer that is no longer trusted nothing lasts.
func TestRecheck_issuer(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	token := issuer.Mint(claimstest.Token{})
	cfg := trusting(t, issuer)
	issuers, err := claims.NewIssuers(cfg)
	require.NoError(t, err)
	var untrusted atomic.Bool
	tenants, err := claims.NewTenants(
		func(context.Context, string) (claims.Config, error) {
			if untrusted.Load() {
				return claims.Config{}, claims.ErrUntrusted
			}
			return cfg, nil
		},
		claims.TenantsConfig{},
	)
	require.NoError(t, err)
	ofIssuers := admitted(t, issuers, token, claims.GuardConfig{})
	ofTenants := admitted(t, tenants, token, claims.GuardConfig{})
	require.NoError(t, claims.Recheck(ofIssuers))
	require.NoError(t, claims.Recheck(ofTenants))
	issuers.Remove(issuer.URL())
	untrusted.Store(true)
	tenants.Forget(issuer.URL())
	for _, ctx := range []context.Context{ofIssuers, ofTenants} {
		refusal := assertRefusal(t, claims.ErrInvalidToken, claims.Recheck(ctx))
		assert.Equal(t, claims.ReasonIssuer, refusal.Reason())
	}
}

// A Config that takes the place of another is followed, as by the next request:
// what lasts goes on if it accepts the token, and means the same by it.
func TestRecheck_anotherConfig(t *testing.T) {
	t.Parallel()
	nothing := func(context.Context, *claims.Claims) error { return nil }
	for _, tt := range []struct {
		name   string
		change func(*claims.Config)
		reason claims.Reason
	}{
		{name: "the same", change: func(*claims.Config) {}},
		{name: "another function", change: func(cfg *claims.Config) { cfg.Check = nothing }},
		{name: "more leeway", change: func(cfg *claims.Config) { cfg.Leeway = time.Minute }},
		{
			name: "that function refuses",
			change: func(cfg *claims.Config) {
				cfg.Check = func(context.Context, *claims.Claims) error { return errRevoked }
			},
			reason: claims.ReasonRejected,
		},
		{
			name: "another audience", reason: claims.ReasonAudience,
			change: func(cfg *claims.Config) { cfg.Audiences = []string{"x"} },
		},
		{
			name: "another algorithm", reason: claims.ReasonAlgorithm,
			change: func(cfg *claims.Config) { cfg.Algorithms = []string{"RS256"} },
		},
		{
			name: "another type", reason: claims.ReasonType,
			change: func(cfg *claims.Config) { cfg.Types = []string{"JWT"} },
		},
		{
			name: "the same type", change: func(cfg *claims.Config) { cfg.Types = []string{"at+jwt"} },
		},
		{
			name: "a claim more", reason: claims.ReasonClaims,
			change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"tenant"} },
		},
		{
			name: "a claim that must not be", reason: claims.ReasonType,
			change: func(cfg *claims.Config) { cfg.ForbiddenClaims = []string{"roles"} },
		},
		{
			name: "another client", reason: claims.ReasonClient,
			change: func(cfg *claims.Config) { cfg.ClientIDs = []string{"x"} },
		},
		{
			name: "another meaning", reason: claims.ReasonIssuer,
			change: func(cfg *claims.Config) { cfg.PermissionClaims = []string{"roles"} },
		},
		{
			name: "another client claim", reason: claims.ReasonIssuer,
			change: func(cfg *claims.Config) { cfg.ClientIDClaim = "app" },
		},
		{
			name: "more implied", reason: claims.ReasonIssuer,
			change: func(cfg *claims.Config) { cfg.ScopeMap = map[string][]string{"a": {"b"}} },
		},
		{
			name: "other keys", reason: claims.ReasonUnknownKey,
			change: func(cfg *claims.Config) {
				other, err := claimstest.New(claimstest.Config{URL: cfg.Issuer})
				require.NoError(t, err)
				cfg.Keys = trusting(t, other).Keys
				cfg.KeysOf = ""
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuer := newIssuer(t, claimstest.Config{})
			token := issuer.Mint(claimstest.Token{
				Scope: "a", ClientID: "shop", Claims: m{"roles": []string{"r"}, "app": "other"},
			})
			cfg := trusting(t, issuer)
			issuers, err := claims.NewIssuers(cfg)
			require.NoError(t, err)
			ctx := admitted(t, issuers, token, claims.GuardConfig{})
			cfg = trusting(t, issuer)
			tt.change(&cfg)
			require.NoError(t, issuers.Add(cfg))
			for range 2 {
				err = claims.Recheck(ctx)
				if tt.reason == "" {
					require.NoError(t, err)
					continue
				}
				require.Error(t, err)
				assert.Equal(t, tt.reason, claims.AsError(err).Reason())
			}
			caller, _ := claims.FromContext(ctx)
			assert.Equal(t, []string{"a"}, caller.Scopes(), "the request's claims stay as they are")
		})
	}
}

// again is an Authenticator of one's own that can be asked again.
type again struct {
	wrapper
	recheck func(context.Context, *claims.Claims) error
}

func (a again) Recheck(ctx context.Context, caller *claims.Claims) error {
	return a.recheck(ctx, caller)
}

// An Authenticator of one's own is asked again if it can be, whatever it does.
func TestRecheck_ownAuthenticator(t *testing.T) {
	t.Parallel()
	caller := says(t, m{"sub": "alice"})
	saysAlice := wrapper{authenticator(
		func(context.Context, claims.Credentials) (*claims.Claims, error) { return caller, nil })}
	for _, tt := range []struct {
		name    string
		recheck func(context.Context, *claims.Claims) error
		class   error
	}{
		{name: "still", recheck: func(context.Context, *claims.Claims) error { return nil }},
		{
			name: "refuses", class: claims.ErrInvalidToken,
			recheck: func(context.Context, *claims.Claims) error { return errRevoked },
		},
		{
			name: "with a class", class: claims.ErrUnavailable,
			recheck: func(context.Context, *claims.Claims) error { return claims.ErrUnavailable },
		},
		{
			name: "panics", class: claims.ErrUnavailable,
			recheck: func(context.Context, *claims.Claims) error { panic("at the disco") },
		},
		{
			name: "an error that panics", class: claims.ErrUnavailable,
			recheck: func(context.Context, *claims.Claims) error { return (*touchy)(nil) },
		},
		{
			name: "takes too long", class: claims.ErrUnavailable,
			recheck: func(ctx context.Context, _ *claims.Claims) error {
				<-ctx.Done()
				return ctx.Err()
			},
		},
		{
			name: "overwrites", recheck: func(_ context.Context, caller *claims.Claims) error {
				*caller = claims.Claims{}
				return nil
			},
		},
	} {
		for _, auth := range []claims.Authenticator{
			again{saysAlice, tt.recheck}, claims.FirstOf(again{saysAlice, tt.recheck}),
		} {
			synctest.Test(t, func(t *testing.T) {
				ctx := admitted(t, auth, "token", claims.GuardConfig{})
				assertRefusal(t, tt.class, claims.Recheck(ctx), tt.name)
				caller, _ := claims.FromContext(ctx)
				assert.Equal(t, "alice", caller.Subject(), tt.name)
			})
		}
	}
}

// touchy is an error whose methods panic of a nil one.
type touchy struct{ cause error }

func (e *touchy) Error() string        { return e.cause.Error() }
func (e *touchy) Unwrap() error        { return e.cause }
func (e *touchy) Is(target error) bool { return e.cause == target }

// In the name of another caller, whose token something else has verified, that
// is asked.
func TestRecheck_anotherCaller(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	var revoked atomic.Bool
	other := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Check = func(context.Context, *claims.Claims) error {
			if revoked.Load() {
				return errRevoked
			}
			return nil
		}
	})
	caller, err := other.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
	require.NoError(t, err)
	within := admitted(t, newVerifier(t, issuer, nil), issuer.Mint(claimstest.Token{}), claims.GuardConfig{})
	for _, ctx := range []context.Context{t.Context(), within} {
		ctx = claims.NewContext(ctx, caller)
		revoked.Store(false)
		require.NoError(t, claims.Recheck(ctx))
		revoked.Store(true)
		assertRefusal(t, claims.ErrInvalidToken, claims.Recheck(ctx))
	}
}
