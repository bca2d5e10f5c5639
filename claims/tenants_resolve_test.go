package claims_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/jwks"
)

// failing is a directory that answers, or does something else instead.
type failing struct {
	*directory
	instead atomic.Pointer[func(context.Context) (claims.Config, error)]
}

func (f *failing) do(instead func(context.Context) (claims.Config, error)) {
	f.instead.Store(&instead)
}

func (f *failing) resolve(ctx context.Context, issuer string) (claims.Config, error) {
	if instead := f.instead.Load(); instead != nil {
		f.calls.Add(1)
		return (*instead)(ctx)
	}
	return f.directory.resolve(ctx, issuer)
}

func newFailing(t *testing.T, cfg claims.TenantsConfig, names ...string) (*failing, *claims.Tenants) {
	t.Helper()
	f := &failing{directory: newDirectory(t, names...)}
	tenants, err := claims.NewTenants(f.resolve, cfg)
	require.NoError(t, err)
	return f, tenants
}

// A tenant that is known stays so while the function that resolves issuers
// gives no answer, whatever it does instead, and is asked about again.
func TestTenants_faultAtRenewal(t *testing.T) {
	t.Parallel()
	none := claims.Config{}
	for name, instead := range map[string]func(context.Context) (claims.Config, error){
		"error":                func(context.Context) (claims.Config, error) { return none, errDown },
		"panic":                func(context.Context) (claims.Config, error) { panic("own mistake") },
		"panic with an error":  func(context.Context) (claims.Config, error) { panic(errDown) },
		"panic with a refusal": func(context.Context) (claims.Config, error) { panic(claims.ErrUntrusted) },
		"nil dereference":      func(context.Context) (claims.Config, error) { return *(*claims.Config)(nil), nil },
		"exit":                 func(context.Context) (claims.Config, error) { runtime.Goexit(); return none, nil },
		"heeds the deadline": func(ctx context.Context) (claims.Config, error) {
			<-ctx.Done()
			return none, ctx.Err()
		},
		"does not heed it": func(context.Context) (claims.Config, error) {
			time.Sleep(7 * time.Second)
			return none, nil
		},
		"refuses too late": func(context.Context) (claims.Config, error) {
			time.Sleep(6 * time.Second)
			return none, claims.ErrUntrusted
		},
	} {
		for _, quiet := range []time.Duration{5 * time.Minute, time.Hour} { // due, and expired
			t.Run(fmt.Sprint(name, ", after ", quiet), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f, tenants := newFailing(t, claims.TenantsConfig{}, "a")
					authenticate := func() error {
						_, err := tenants.Authenticate(t.Context(), f.mint("a"))
						time.Sleep(8 * time.Second) // until the call is over
						return err
					}
					require.NoError(t, authenticate())
					f.do(instead)
					time.Sleep(quiet)
					for range 3 {
						require.NoError(t, authenticate())
						assert.Equal(t, 1, tenants.Len())
						time.Sleep(10 * time.Second)
					}
					assert.EqualValues(t, 4, f.calls.Load(), "every ten seconds")
					f.do(func(context.Context) (claims.Config, error) {
						return claims.Config{}, claims.ErrUntrusted
					})
					_ = authenticate()
					require.ErrorIs(t, authenticate(), claims.ErrInvalidToken, "an answer is heeded")
					assert.Zero(t, tenants.Len())
				})
			})
		}
	}
}

// The name of an issuer that is not known cannot bring about a 503 by a panic:
// it counts as untrusted, for a minute. Operators are told all.
func TestTenants_faultAtFirst(t *testing.T) {
	t.Parallel()
	for name, instead := range map[string]func(context.Context) (claims.Config, error){
		"panic": func(context.Context) (claims.Config, error) { panic(errDown) },
		"exit":  func(context.Context) (claims.Config, error) { runtime.Goexit(); return claims.Config{}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f, tenants := newFailing(t, claims.TenantsConfig{}, "a")
				f.do(instead)
				for range 3 {
					caller, err := tenants.Authenticate(t.Context(), f.mint("a"))
					assertRefused(t, caller, err, claims.ReasonIssuer)
					require.ErrorIs(t, err, claims.ErrUntrusted)
					assert.ErrorContains(t, errors.Unwrap(err), "the function given to NewTenants")
					assert.NotContains(t, err.Error(), errDown.Error())
					if name == "panic" {
						var panicked *foreign.PanicError
						require.ErrorAs(t, err, &panicked)
						assert.Contains(t, string(panicked.Stack), "tenants_resolve_test.go")
						assert.ErrorIs(t, err, errDown)
					}
				}
				assert.EqualValues(t, 1, f.calls.Load())
				f.instead.Store(nil)
				time.Sleep(time.Minute)
				_, err := tenants.Authenticate(t.Context(), f.mint("a"))
				require.NoError(t, err)
			})
		})
	}
}

// Why it cannot be told whether an issuer is trusted reaches operators, also
// while it is not asked again.
func TestTenants_cause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, tenants := newFailing(t, claims.TenantsConfig{}, "a")
		f.do(func(context.Context) (claims.Config, error) {
			return claims.Config{}, fmt.Errorf("too many connections: %w", errDown)
		})
		for range 2 {
			_, err := tenants.Authenticate(t.Context(), f.mint("a"))
			require.ErrorIs(t, err, claims.ErrUnavailable)
			assert.Equal(t, claims.ReasonIssuerUndecided, claims.AsError(err).Reason())
			assert.EqualError(t, errors.Unwrap(err), "too many connections: "+errDown.Error())
		}
		assert.EqualValues(t, 1, f.calls.Load())
	})
}

// A caller who goes away, or gives up, is no outage, and takes nothing from
// those who wait for the same answer.
func TestTenants_callerGone(t *testing.T) {
	t.Parallel()
	for _, quiet := range []time.Duration{0, time.Hour} { // of an issuer that is not known, and a tenant
		t.Run(fmt.Sprint("after ", quiet), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDirectory(t, "a")
				tenants := d.tenants(t, claims.TenantsConfig{})
				record := &record{}
				guard, err := claims.NewGuard(tenants, claims.GuardConfig{Observer: record.observe})
				require.NoError(t, err)
				request := func(ctx context.Context) error {
					_, err := decide(ctx, guard, attempt{
						Needs: claims.Authenticated(), Credentials: d.mint("a"),
					})
					return err
				}
				if quiet > 0 {
					require.NoError(t, request(t.Context()))
					time.Sleep(quiet)
					record.take()
				}
				hold := make(chan struct{})
				d.set(nil, hold)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				var requests sync.WaitGroup
				requests.Go(func() {
					refusal := assertRefusal(t, claims.ErrUnavailable, request(ctx))
					assert.Equal(t, claims.ReasonCanceled, refusal.Reason())
				})
				synctest.Wait()
				requests.Go(func() { assert.NoError(t, request(t.Context())) })
				time.Sleep(2 * time.Second)
				close(hold)
				requests.Wait()
				decisions := record.take()
				require.Len(t, decisions, 2)
				assert.Equal(t, "canceled", decisions[0].Outcome())
				assert.Equal(t, "allowed", decisions[1].Outcome())
			})
		})
	}
}

// The requests that wait to learn whether an issuer is trusted are bounded;
// further ones are refused at once, and tenants are served.
func TestTenants_crowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDirectory(t, "a", "b")
		tenants := d.tenants(t, claims.TenantsConfig{})
		tenant := d.mint("b")
		_, err := tenants.Authenticate(t.Context(), tenant)
		require.NoError(t, err)
		hold := make(chan struct{})
		d.set(nil, hold)
		var accepted, refused atomic.Int32
		var requests sync.WaitGroup
		token := d.mint("a")
		for range 5000 {
			requests.Go(func() {
				_, err := tenants.Authenticate(t.Context(), token)
				if err == nil {
					accepted.Add(1)
					return
				}
				refused.Add(1)
				assert.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason())
				assert.ErrorContains(t, errors.Unwrap(err), "too many")
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 5000-4096, refused.Load(), "at once")
		_, err = tenants.Authenticate(t.Context(), tenant)
		require.NoError(t, err)
		close(hold)
		requests.Wait()
		assert.EqualValues(t, 4096, accepted.Load())
		assert.EqualValues(t, 2, d.calls.Load())
	})
}

// Operators see what the key cache of a tenant does, and start nothing by that.
func TestTenants_KeyStats(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	var calls atomic.Int32
	tenants, err := claims.NewTenants(func(_ context.Context, name string) (claims.Config, error) {
		calls.Add(1)
		cfg := claims.Config{Issuer: name, Audiences: []string{claimstest.Audience}}
		cfg.KeyCache.Client = issuer.Client()
		return cfg, nil
	}, claims.TenantsConfig{})
	require.NoError(t, err)
	stats, held := tenants.KeyStats(issuer.URL())
	assert.False(t, held)
	assert.Zero(t, stats)
	assert.Zero(t, calls.Load())
	_, err = tenants.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
	require.NoError(t, err)
	stats, held = tenants.KeyStats(issuer.URL())
	assert.True(t, held)
	assert.EqualValues(t, 1, stats.Fetches[jwks.CauseInitial])
	tenants.Forget(issuer.URL())
	_, held = tenants.KeyStats(issuer.URL())
	assert.False(t, held)
}

// Zero Tenants trust nobody, and have nothing to tell.
func TestTenants_zero(t *testing.T) {
	t.Parallel()
	for name, tenants := range map[string]*claims.Tenants{"zero": {}, "nil": nil} {
		_, err := tenants.Authenticate(t.Context(), presented)
		assertRefusal(t, claims.ErrUnavailable, err, name)
		assert.Zero(t, tenants.Len())
		tenants.Forget("https://a.example")
		_, held := tenants.KeyStats("https://a.example")
		assert.False(t, held)
	}
}
