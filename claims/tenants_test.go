package claims_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

func TestNewTenants_reportsEverything(t *testing.T) {
	t.Parallel()
	_, err := claims.NewTenants(nil, claims.TenantsConfig{
		Max: -1, MaxAge: -2, MaxTokens: 10_000_001, MaxTokenSize: 65_537,
	})
	for _, text := range []string{
		"NewTenants needs a function", "TenantsConfig.Max of -1 ", "TenantsConfig.MaxAge of -2ns ",
		"TenantsConfig.MaxTokens of 10000001 ", "TenantsConfig.MaxTokenSize of 65537 ",
	} {
		assert.ErrorContains(t, err, text)
	}
	newDirectory(t).tenants(t, claims.TenantsConfig{
		MaxTokens: 10_000_000, MaxTokenSize: 65_536, MaxAge: math.MaxInt64,
	})
}

func TestTenants_asksOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a", "b")
		tenants := d.tenants(t, claims.TenantsConfig{})
		hold := make(chan struct{})
		d.set(nil, hold)

		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				_, err := tenants.Authenticate(t.Context(), d.mint("a"))
				assert.NoError(t, err)
			})
		}
		// One that gives up harms nobody.
		gone, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			_, err := tenants.Authenticate(gone, d.mint("a"))
			assert.ErrorIs(t, err, claims.ErrUnavailable)
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(hold)
		wg.Wait()
		assert.EqualValues(t, 1, d.calls.Load())

		_, err := tenants.Authenticate(t.Context(), d.mint("b"))
		require.NoError(t, err)
		assert.Equal(t, 2, tenants.Len())
	})
}

func TestTenants_neverMixKeys(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, "a", "b")
	tenants := d.tenants(t, claims.TenantsConfig{})
	a, b := d.issuers["https://a.example"], d.issuers["https://b.example"]
	_, err := tenants.Authenticate(t.Context(), d.mint("b"))
	require.NoError(t, err)
	_, err = tenants.Authenticate(t.Context(), bearer(b.Mint(claimstest.Token{
		Claims: map[string]any{"iss": a.URL()},
		Header: map[string]any{"kid": a.Key().ID},
	})))
	assert.ErrorIs(t, err, claims.ErrInvalidToken)
	assert.Equal(t, claims.ReasonSignature, claims.AsError(err).Reason())
}

func TestTenants_untrusted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a")
		tenants := d.tenants(t, claims.TenantsConfig{})
		stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
		token := bearer(stranger.Mint(claimstest.Token{Lifetime: time.Hour}))
		for range 100 {
			_, err := tenants.Authenticate(t.Context(), token)
			require.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason())
			require.ErrorIs(t, err, claims.ErrInvalidToken)
		}
		assert.EqualValues(t, 1, d.calls.Load())
		time.Sleep(time.Minute)
		_, err := tenants.Authenticate(t.Context(), token)
		require.ErrorIs(t, err, claims.ErrInvalidToken)
		assert.EqualValues(t, 2, d.calls.Load())
		assert.Zero(t, tenants.Len())

		// What is no issuer at all is not even asked about.
		for _, iss := range []any{
			"", strings.Repeat("x", 1025), claimstest.Omit, "x\x00", "x y", "x\x7f",
		} {
			_, err = tenants.Authenticate(t.Context(), bearer(stranger.Mint(claimstest.Token{
				Claims: map[string]any{"iss": iss},
			})))
			require.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason())
		}
		assert.EqualValues(t, 2, d.calls.Load())
	})
}

func TestTenants_endOfTrust(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]bool{"by itself": false, "at once": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDirectory(t, "a")
				tenants := d.tenants(t, claims.TenantsConfig{})
				token := bearer(d.issuers["https://a.example"].Mint(
					claimstest.Token{Lifetime: time.Hour}))
				_, err := tenants.Authenticate(t.Context(), token)
				require.NoError(t, err)

				d.set(claims.ErrUntrusted, nil)
				if forget {
					tenants.Forget("https://a.example")
				} else {
					time.Sleep(5 * time.Minute)
					_, err = tenants.Authenticate(t.Context(), token)
					require.NoError(t, err, "nobody waits for the answer")
					synctest.Wait()
				}
				_, err = tenants.Authenticate(t.Context(), token)
				require.ErrorIs(t, err, claims.ErrInvalidToken)
				assert.Zero(t, tenants.Len())

				d.set(nil, nil)
				if forget {
					tenants.Forget("https://a.example")
				} else {
					time.Sleep(time.Minute)
				}
				_, err = tenants.Authenticate(t.Context(), token)
				require.NoError(t, err)
			})
		})
	}
}

func TestTenants_forgottenWhileAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a")
		tenants := d.tenants(t, claims.TenantsConfig{})
		hold := make(chan struct{})
		d.set(nil, hold)
		done := make(chan error)
		go func() {
			_, err := tenants.Authenticate(t.Context(), d.mint("a"))
			done <- err
		}()
		synctest.Wait()
		tenants.Forget("https://a.example")
		d.set(claims.ErrUntrusted, nil)
		close(hold) // with the answer from before
		require.ErrorIs(t, <-done, claims.ErrInvalidToken)
		assert.EqualValues(t, 2, d.calls.Load())
	})
}

func TestTenants_resolverDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a", "b")
		tenants := d.tenants(t, claims.TenantsConfig{})
		_, err := tenants.Authenticate(t.Context(), d.mint("a"))
		require.NoError(t, err)

		d.set(errors.New("secret-internal-text"), nil)
		asked := d.calls.Load()
		for range 100 {
			_, err = tenants.Authenticate(t.Context(), d.mint("b"))
			require.ErrorIs(t, err, claims.ErrUnavailable)
			assert.NotContains(t, err.Error(), "secret-internal-text")
			assert.Equal(t, 10*time.Second, claims.AsError(err).RetryAfter())
		}
		assert.EqualValues(t, 1, d.calls.Load()-asked, "once in 10 s")

		// A tenant that is known stays so, and is asked about every 10 s.
		time.Sleep(time.Hour)
		before := d.calls.Load()
		for range 100 {
			_, err = tenants.Authenticate(t.Context(), d.mint("a"))
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		assert.EqualValues(t, 10, d.calls.Load()-before)

		// Nobody waits for a resolver that hangs longer than it may.
		d.set(nil, make(chan struct{}))
		began := time.Now()
		_, err = tenants.Authenticate(t.Context(), d.mint("b"))
		require.ErrorIs(t, err, claims.ErrUnavailable)
		assert.Equal(t, 5*time.Second, time.Since(began))

		// An answer about one is waited for once, after a quiet time.
		time.Sleep(time.Hour)
		for _, want := range []time.Duration{5 * time.Second, 0, 0} {
			began = time.Now()
			_, err = tenants.Authenticate(t.Context(), d.mint("a"))
			require.NoError(t, err)
			assert.Equal(t, want, time.Since(began))
			time.Sleep(11 * time.Second)
		}
	})
}

// A change shows with the next answer.
func TestTenants_changes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*claims.Config)
		reason claims.Reason
	}{
		"audiences": {func(cfg *claims.Config) {
			cfg.Audiences = []string{"other"}
		}, claims.ReasonAudience},
		"algorithms": {func(cfg *claims.Config) {
			cfg.Algorithms = []string{"RS256"}
		}, claims.ReasonAlgorithm},
		"types":  {func(cfg *claims.Config) { cfg.Types = []string{"JWT"} }, claims.ReasonType},
		"leeway": {func(cfg *claims.Config) { cfg.Leeway = -1 }, claims.ReasonExpired},
		"keys": {func(cfg *claims.Config) {
			cfg.Keys, _ = jwks.Parse(newIssuer(t, claimstest.Config{}).KeySet())
		}, claims.ReasonUnknownKey},
		"nothing": {func(*claims.Config) {}, ""},
		"permissions": {func(cfg *claims.Config) {
			cfg.PermissionClaims = []string{"permissions"}
		}, ""},
		"permissions by a table": {func(cfg *claims.Config) {
			cfg.PermissionClaims = []string{"permissions"}
			cfg.PermissionMap = map[string][]string{"x": {"a"}}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDirectory(t, "a")
				changed := false
				tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
					cfg, err := d.resolve(ctx, issuer)
					if changed {
						row.change(&cfg)
					}
					return cfg, err
				}, claims.TenantsConfig{})
				require.NoError(t, err)
				expired := func() claims.Credentials { // within the leeway
					return bearer(d.issuers["https://a.example"].Mint(
						claimstest.Token{
							Lifetime: -10 * time.Second,
							Claims:   map[string]any{"permissions": []string{"a"}},
						}))
				}
				_, err = tenants.Authenticate(t.Context(), expired())
				require.NoError(t, err)
				changed = true
				time.Sleep(5 * time.Minute)
				_, err = tenants.Authenticate(t.Context(), expired())
				require.NoError(t, err)
				synctest.Wait()
				caller, err := tenants.Authenticate(t.Context(), expired())
				if row.reason == "" {
					require.NoError(t, err)
					assert.Equal(t, name == "permissions", slices.Contains(caller.Permissions(), "a"))
					return
				}
				require.Error(t, err)
				assert.Equal(t, row.reason, claims.AsError(err).Reason())
			})
		})
	}
}

// Strangers who keep Resolve busy do not hold up a question about a tenant,
// also when its answer has to be waited for.
func TestTenants_ownSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a")
		tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
			if issuer != "https://a.example" {
				<-ctx.Done()
			}
			return d.resolve(ctx, issuer)
		}, claims.TenantsConfig{MaxAge: time.Second})
		require.NoError(t, err)
		_, err = tenants.Authenticate(t.Context(), d.mint("a"))
		require.NoError(t, err)
		stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
		var wg sync.WaitGroup
		for n := range 40 {
			token := bearer(stranger.Mint(claimstest.Token{
				Lifetime: time.Hour,
				Claims:   map[string]any{"iss": fmt.Sprintf("https://%d.example", n)},
			}))
			wg.Go(func() { _, _ = tenants.Authenticate(t.Context(), token) })
		}
		time.Sleep(2 * time.Second)
		began := time.Now()
		_, err = tenants.Authenticate(t.Context(), d.mint("a"))
		require.NoError(t, err)
		assert.Zero(t, time.Since(began))
		wg.Wait()
	})
}

func TestTenants_badAnswers(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	for name, resolve := range map[string]func(context.Context, string) (claims.Config, error){
		"panic": func(context.Context, string) (claims.Config, error) { panic("secret-internal-text") },
		"another issuer": func(context.Context, string) (claims.Config, error) {
			return claims.Config{Issuer: "https://b.example", Audiences: []string{"a"}}, nil
		},
		"invalid": func(_ context.Context, issuer string) (claims.Config, error) {
			return claims.Config{Issuer: issuer}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenants, err := claims.NewTenants(resolve, claims.TenantsConfig{})
			require.NoError(t, err)
			_, err = tenants.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
			require.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason())
			require.ErrorIs(t, err, claims.ErrUntrusted, "operators see the cause")
			assert.NotContains(t, err.Error(), "secret-internal-text")
		})
	}
}

// An answer twice as old as MaxAge is not relied on: after a quiet time, the
// end of trust shows at once.
func TestTenants_quietTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a")
		tenants := d.tenants(t, claims.TenantsConfig{})
		token := bearer(d.issuers["https://a.example"].Mint(claimstest.Token{Lifetime: time.Hour}))
		_, err := tenants.Authenticate(t.Context(), token)
		require.NoError(t, err)
		d.set(claims.ErrUntrusted, nil)
		time.Sleep(10 * time.Minute)
		_, err = tenants.Authenticate(t.Context(), token)
		require.ErrorIs(t, err, claims.ErrInvalidToken)
	})
}

// A Resolve that makes the keys anew each time does not throw good keys away,
// and one that changes them is heeded.
func TestTenants_keepKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{Lifetime: 24 * time.Hour})
		client := issuer.Client()
		var maxStale time.Duration
		tenants, err := claims.NewTenants(func(_ context.Context, name string) (claims.Config, error) {
			keys, err := jwks.NewCache(jwks.Config{
				Issuer: name, Client: client, MaxStale: maxStale,
				Logger: slog.New(slog.DiscardHandler),
			})
			return claims.Config{
				Issuer: name, Audiences: []string{claimstest.Audience}, Keys: keys,
			}, err
		}, claims.TenantsConfig{})
		require.NoError(t, err)
		token := bearer(issuer.Mint(claimstest.Token{}))
		for range 30 {
			_, err = tenants.Authenticate(t.Context(), token)
			require.NoError(t, err)
			synctest.Wait()
			issuer.Fail(http.StatusServiceUnavailable)
			time.Sleep(time.Minute)
		}
		issuer.Intercept(nil)
		maxStale = 2 * time.Hour
		time.Sleep(5 * time.Minute)
		for range 2 {
			_, err = tenants.Authenticate(t.Context(), token)
			require.NoError(t, err)
			synctest.Wait()
		}
		issuer.Fail(http.StatusServiceUnavailable)
		time.Sleep(100 * time.Minute)
		_, err = tenants.Authenticate(t.Context(), token)
		require.NoError(t, err)
		synctest.Wait()
	})
}

// Forged tokens that name real issuers displace no tenant whose tokens were
// verified, and have the keys of each fetched once per half a minute.
func TestTenants_forgedTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		names := make([]string, 80)
		for i := range names {
			names[i] = fmt.Sprintf("t%d", i)
		}
		d := newDirectory(t, names...)
		tenants := d.tenants(t, claims.TenantsConfig{Max: 10, MaxAge: time.Hour})
		for _, name := range names[:10] {
			_, err := tenants.Authenticate(t.Context(), d.mint(name))
			require.NoError(t, err)
		}
		stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
		began := time.Now()
		for time.Since(began) < time.Minute {
			for _, name := range names {
				_, err := tenants.Authenticate(t.Context(), bearer(stranger.Mint(claimstest.Token{
					Claims: map[string]any{"iss": "https://" + name + ".example"},
				})))
				require.ErrorIs(t, err, claims.ErrInvalidToken)
			}
			for _, name := range names[:10] {
				_, err := tenants.Authenticate(t.Context(), d.mint(name))
				require.NoError(t, err)
			}
			time.Sleep(time.Second)
		}
		assert.LessOrEqual(t, d.calls.Load(), int32(10+70*3))
		before := d.calls.Load()
		for _, name := range names[:10] {
			_, err := tenants.Authenticate(t.Context(), d.mint(name))
			require.NoError(t, err)
		}
		assert.Equal(t, before, d.calls.Load(), "those in use were kept")
		assert.LessOrEqual(t, tenants.Len(), 10+64)
	})
}

func TestTenants_bounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		names := make([]string, 20)
		for i := range names {
			names[i] = fmt.Sprintf("t%d", i)
		}
		d := newDirectory(t, names...)
		tenants := d.tenants(t, claims.TenantsConfig{Max: 10, MaxAge: time.Hour})
		for _, name := range names {
			_, err := tenants.Authenticate(t.Context(), d.mint(name))
			require.NoError(t, err)
			time.Sleep(time.Second)
			_, err = tenants.Authenticate(t.Context(), d.mint("t0")) // in use all the time
			require.NoError(t, err)
			require.LessOrEqual(t, tenants.Len(), 10)
		}
		assert.EqualValues(t, 20, d.calls.Load(), "the one in use was not evicted")
		_, err := tenants.Authenticate(t.Context(), d.mint("t1"))
		require.NoError(t, err)
		assert.EqualValues(t, 21, d.calls.Load(), "the one out of use was")
	})
}

// What is remembered of issuers that are not trusted is bounded as well.
func TestTenants_untrustedIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t)
		tenants := d.tenants(t, claims.TenantsConfig{})
		stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
		ask := func(n int) {
			_, err := tenants.Authenticate(t.Context(), bearer(stranger.Mint(claimstest.Token{
				Claims: map[string]any{"iss": fmt.Sprintf("https://%d.example", n)},
			})))
			require.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason())
		}
		for n := range 1024 {
			ask(n)
		}
		ask(0)
		assert.EqualValues(t, 1024, d.calls.Load(), "all of them are remembered")
		ask(1024)
		ask(0)
		assert.EqualValues(t, 1026, d.calls.Load(), "and no more")
	})
}

func TestTenants_form(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	_, err := d.tenants(t, claims.TenantsConfig{}).Authenticate(t.Context(), bearer("junk"))
	require.ErrorIs(t, err, claims.ErrInvalidToken)
	assert.Zero(t, d.calls.Load())
}

// A flood of invented issuers keeps no more than 16 questions open, and holds
// up nobody who is known.
func TestTenants_flood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a")
		tenants := d.tenants(t, claims.TenantsConfig{MaxAge: 10 * time.Second})
		_, err := tenants.Authenticate(t.Context(), d.mint("a"))
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
		hold := make(chan struct{})
		d.set(nil, hold)
		var refused atomic.Int32
		var wg sync.WaitGroup
		for n := range 3000 {
			token := bearer(stranger.Mint(claimstest.Token{Claims: map[string]any{
				"iss": fmt.Sprintf("https://%d.example", n),
			}}))
			wg.Go(func() {
				_, err := tenants.Authenticate(t.Context(), token)
				assert.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason())
				refused.Add(1)
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 1+16, d.calls.Load(), "16 at a time")
		assert.EqualValues(t, 3000-1024, refused.Load(), "the rest are refused at once")
		// Also while it is time to ask about one.
		for range 3 {
			began := time.Now()
			_, err = tenants.Authenticate(t.Context(), d.mint("a"))
			require.NoError(t, err)
			assert.Zero(t, time.Since(began))
			time.Sleep(time.Second)
		}
		close(hold)
		wg.Wait()
		assert.Equal(t, 1, tenants.Len())
	})
}

// A change for many tenants at once makes none of them a newcomer.
func TestTenants_changeOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		names := make([]string, 100)
		for i := range names {
			names[i] = fmt.Sprintf("t%d", i)
		}
		d := newDirectory(t, names...)
		var changed atomic.Bool
		tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
			cfg, err := d.resolve(ctx, issuer)
			if changed.Load() {
				cfg.Audiences = append(cfg.Audiences, "another")
			}
			return cfg, err
		}, claims.TenantsConfig{Max: 150})
		require.NoError(t, err)
		for round := range 4 {
			for _, name := range names {
				_, err := tenants.Authenticate(t.Context(), d.mint(name))
				require.NoError(t, err, "%s, round %d", name, round)
			}
			synctest.Wait()
			if round == 0 {
				changed.Store(true)
				time.Sleep(5 * time.Minute)
			}
		}
		assert.Equal(t, 100, tenants.Len())
	})
}

// keySource cannot be compared by ==, which panics.
type keySource struct {
	claims.KeySource
	tags any
}

func TestTenants_uncomparableKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a")
		tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
			cfg, err := d.resolve(ctx, issuer)
			cfg.Keys = keySource{cfg.Keys, []string{"x"}}
			return cfg, err
		}, claims.TenantsConfig{})
		require.NoError(t, err)
		for range 3 {
			_, err := tenants.Authenticate(t.Context(), d.mint("a"))
			require.NoError(t, err)
			synctest.Wait()
			time.Sleep(5 * time.Minute)
		}
	})
}

// While Resolve hangs, nobody who is known waits, however many there are, and a
// newcomer is not told that its token is bad because of them.
func TestTenants_hungResolve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		names := make([]string, 300)
		for i := range names {
			names[i] = fmt.Sprintf("t%d", i)
		}
		d := newDirectory(t, names...)
		tenants := d.tenants(t, claims.TenantsConfig{})
		for _, name := range names {
			_, err := tenants.Authenticate(t.Context(), d.mint(name))
			require.NoError(t, err)
		}
		d.set(nil, make(chan struct{}))
		time.Sleep(5 * time.Minute)
		for range 60 { // until long after the answers are twice as old
			for _, name := range names {
				began := time.Now()
				_, err := tenants.Authenticate(t.Context(), d.mint(name))
				require.NoError(t, err)
				require.Zero(t, time.Since(began))
			}
			time.Sleep(10 * time.Second)
		}
		d.set(errors.New("down"), nil)
		time.Sleep(10 * time.Second)
		fresh := newIssuer(t, claimstest.Config{URL: "https://fresh.example"})
		_, err := tenants.Authenticate(t.Context(), bearer(fresh.Mint(claimstest.Token{})))
		require.ErrorIs(t, err, claims.ErrUnavailable)
	})
}

// A Resolve that does not heed its context holds up no request for longer than
// it may take and the wait for a turn.
func TestTenants_deafResolve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		tenants, err := claims.NewTenants(func(context.Context, string) (claims.Config, error) {
			<-release
			return claims.Config{}, claims.ErrUntrusted
		}, claims.TenantsConfig{})
		require.NoError(t, err)
		stranger := newIssuer(t, claimstest.Config{})
		var wg sync.WaitGroup
		for n := range 40 {
			wg.Go(func() {
				began := time.Now()
				_, err := tenants.Authenticate(t.Context(), bearer(stranger.Mint(claimstest.Token{
					Claims: map[string]any{"iss": fmt.Sprintf("https://%d.example", n)},
				})))
				assert.Error(t, err)
				assert.LessOrEqual(t, time.Since(began), 5*time.Second)
			})
		}
		wg.Wait()
		close(release)
	})
}

// Forget does not leave those that wait for an answer to wait for the old one.
func TestTenants_forgetReleases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a")
		tenants := d.tenants(t, claims.TenantsConfig{})
		d.set(nil, make(chan struct{}))
		began := time.Now()
		done := make(chan error)
		go func() {
			_, err := tenants.Authenticate(t.Context(), d.mint("a"))
			done <- err
		}()
		time.Sleep(time.Second)
		d.set(nil, nil)
		tenants.Forget("https://a.example")
		require.NoError(t, <-done)
		assert.Equal(t, time.Second, time.Since(began))
	})
}
