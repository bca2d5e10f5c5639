package claims_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func TestTenants_issuerSize(t *testing.T) {
	t.Parallel()
	stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
	for _, tt := range []struct {
		name  string
		size  int
		asked bool
	}{
		{name: "longest", size: 1024, asked: true},
		{name: "longer", size: 1025},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := false
			tenants, err := claims.NewTenants(func(context.Context, string) (claims.Config, error) {
				asked = true
				return claims.Config{}, claims.ErrUntrusted
			}, claims.TenantsConfig{})
			require.NoError(t, err)
			caller, err := tenants.Authenticate(t.Context(), bearer(stranger.Mint(claimstest.Token{
				Claims: map[string]any{"iss": strings.Repeat("a", tt.size)},
			})))
			assertRefused(t, caller, err, claims.ReasonIssuer)
			assert.Equal(t, tt.asked, asked)
		})
	}
}

// Newcomers that are forgotten make room: they are not counted any more.
func TestTenants_forgottenNewcomers(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, "a")
	tenants := d.tenants(t, claims.TenantsConfig{Max: 10})
	stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
	for range 66 { // one is dropped where there are 64
		caller, err := tenants.Authenticate(t.Context(), naming(stranger, "a"))
		assertRefused(t, caller, err, claims.ReasonUnknownKey)
		tenants.Forget("https://a.example")
	}
	assert.Zero(t, tenants.Len())
}

// Newcomers evict newcomers, and tenants in use tenants in use.
func TestTenants_twoKinds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		names := tenantNames(80)
		d := newDirectory(t, names...)
		tenants := d.tenants(t, claims.TenantsConfig{Max: 10, MaxAge: time.Hour})
		stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
		refused := func(name string) {
			t.Helper()
			caller, err := tenants.Authenticate(t.Context(), naming(stranger, name))
			assertRefused(t, caller, err, claims.ReasonUnknownKey)
		}
		refused("t79")
		for _, name := range names[:12] { // two more than Max
			time.Sleep(time.Second)
			_, err := tenants.Authenticate(t.Context(), d.mint(name))
			require.NoError(t, err)
		}
		before := d.calls.Load()
		refused("t79")
		assert.Equal(t, before, d.calls.Load(), "the newcomer was kept")
		for _, name := range names[12:78] { // more newcomers than 64
			time.Sleep(time.Second)
			refused(name)
		}
		before = d.calls.Load()
		for _, name := range names[2:12] {
			_, err := tenants.Authenticate(t.Context(), d.mint(name))
			require.NoError(t, err)
		}
		assert.Equal(t, before, d.calls.Load(), "those in use were kept")
	})
}

// A newcomer that was dropped is let in again 30 seconds after it came.
func TestTenants_readmission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		names := tenantNames(65)
		d := newDirectory(t, names...)
		tenants := d.tenants(t, claims.TenantsConfig{Max: 10})
		stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
		began := time.Now()
		for _, name := range names {
			caller, err := tenants.Authenticate(t.Context(), naming(stranger, name))
			assertRefused(t, caller, err, claims.ReasonUnknownKey)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(30*time.Second - time.Since(began) - time.Nanosecond)
		caller, err := tenants.Authenticate(t.Context(), d.mint("t0"))
		assertRefused(t, caller, err, claims.ReasonIssuer)
		time.Sleep(time.Nanosecond)
		_, err = tenants.Authenticate(t.Context(), d.mint("t0"))
		require.NoError(t, err)
	})
}

// No more than 64 tenants are asked about at a time, and nobody waits for it.
func TestTenants_familiar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		names := tenantNames(70)
		d := newDirectory(t, names...)
		tenants := d.tenants(t, claims.TenantsConfig{})
		authenticate := func() {
			t.Helper()
			for _, name := range names {
				_, err := tenants.Authenticate(t.Context(), d.mint(name))
				require.NoError(t, err)
			}
		}
		authenticate()
		time.Sleep(5 * time.Minute)
		d.set(nil, make(chan struct{}))
		authenticate()
		synctest.Wait()
		assert.EqualValues(t, 70+64, d.calls.Load())
		time.Sleep(time.Minute)
	})
}

// A tenant is asked about once in MaxAge, whether the answer is another or not.
func TestTenants_askedOncePerAge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		maxAge  time.Duration
		age     time.Duration
		changes bool
	}{
		{name: "default", age: 5 * time.Minute},
		{name: "default, another answer", age: 5 * time.Minute, changes: true},
		{name: "a minute", maxAge: time.Minute, age: time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDirectory(t, "a")
				tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
					cfg, err := d.resolve(ctx, issuer)
					if tt.changes && d.calls.Load() > 1 {
						cfg.Leeway = time.Second
					}
					return cfg, err
				}, claims.TenantsConfig{MaxAge: tt.maxAge})
				require.NoError(t, err)
				authenticate := func() {
					t.Helper()
					_, err := tenants.Authenticate(t.Context(), d.mint("a"))
					require.NoError(t, err)
					synctest.Wait()
				}
				authenticate()
				time.Sleep(tt.age - time.Nanosecond)
				authenticate()
				assert.EqualValues(t, 1, d.calls.Load())
				time.Sleep(time.Nanosecond)
				for range 3 {
					authenticate()
				}
				assert.EqualValues(t, 2, d.calls.Load())
			})
		})
	}
}
