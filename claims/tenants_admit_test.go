package claims

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

// tenantsOf returns Tenants that trust nobody.
func tenantsOf(t *testing.T, cfg TenantsConfig) *Tenants {
	t.Helper()
	tenants, err := NewTenants(func(context.Context, string) (Config, error) {
		return Config{}, ErrUntrusted
	}, cfg)
	require.NoError(t, err)
	return tenants
}

// admitted makes newcomers of issuers.
func admitted(tenants *Tenants, issuers ...string) []*tenant {
	known := make([]*tenant, len(issuers))
	for i, issuer := range issuers {
		known[i] = &tenant{issuer: issuer}
		tenants.desk.Lock()
		tenants.admit(known[i])
		tenants.desk.Unlock()
	}
	return known
}

func TestTenants_defaults(t *testing.T) {
	t.Parallel()
	tenants := tenantsOf(t, TenantsConfig{})
	assert.Equal(t, TenantsConfig{
		Max: 1000, MaxTokens: 10_000, MaxTokenSize: 16 << 10, MaxAge: 5 * time.Minute,
	}, tenants.cfg)
	assert.Equal(t, 10_000, tenants.pipeline.cache.Max())
	tenants = tenantsOf(t, TenantsConfig{Max: 1, MaxAge: 1, MaxTokens: -1})
	assert.Equal(t, 1, tenants.cfg.Max)
	assert.Equal(t, time.Duration(1), tenants.cfg.MaxAge)
	assert.Zero(t, tenants.pipeline.cache.Max())
}

// A tenant whose first tokens are verified at once is counted once.
func TestTenants_usedAtOnce(t *testing.T) {
	t.Parallel()
	for range 100 {
		tenants := tenantsOf(t, TenantsConfig{})
		known := admitted(tenants, "https://a.example")[0]
		tenants.desk.Lock()
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() { tenants.used(known) })
		}
		tenants.desk.Unlock()
		callers.Wait()
		require.Equal(t, 1, tenants.verified.Len())
		require.Zero(t, tenants.newcomers.Len())
	}
}

// A tenant that was dropped before its token was verified is not counted.
func TestTenants_usedTooLate(t *testing.T) {
	t.Parallel()
	tenants := tenantsOf(t, TenantsConfig{})
	known := admitted(tenants, "https://a.example")[0]
	tenants.Forget(known.issuer)
	tenants.used(known)
	assert.Zero(t, tenants.verified.Len())
	assert.Zero(t, tenants.newcomers.Len())
}

// When a tenant was used is noted to the second.
func TestTenants_usedAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenants := tenantsOf(t, TenantsConfig{})
		known := admitted(tenants, "https://a.example")[0]
		assert.Zero(t, known.usedAt.Load())
		tenants.used(known)
		first := known.usedAt.Load()
		assert.NotZero(t, first)
		for want := range int64(3) {
			tenants.used(known)
			assert.Equal(t, first+want, known.usedAt.Load())
			time.Sleep(time.Second)
		}
	})
}

// Of tenants that are all in use one is found to evict without a look at each.
func TestTenants_unused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenants := tenantsOf(t, TenantsConfig{})
		var issuers []string
		for i := range 200 {
			issuers = append(issuers, fmt.Sprintf("https://%d.example", i))
		}
		known := make([]*tenant, len(issuers))
		for i, issuer := range issuers {
			known[i] = admitted(tenants, issuer)[0]
			tenants.used(known[i])
		}
		time.Sleep(time.Second)
		for _, k := range known[:1] {
			tenants.used(k)
		}
		assert.Same(t, known[1], tenants.unused(), "the first was used since")
		time.Sleep(time.Second)
		for _, k := range known {
			tenants.used(k)
		}
		found := tenants.unused()
		require.NotNil(t, found)
		assert.Same(t, known[1], found, "the first of those that are looked at")
		assert.Same(t, known[65], tenants.verified.Front().Value, "no more than 64 are")
		assert.Equal(t, 200, tenants.verified.Len())
	})
}

// What was said of an issuer expires while the machine sleeps: the monotonic
// clock stands still, and the wall clock goes on.
func TestTenants_asleep(t *testing.T) {
	t.Parallel()
	now := clock.Now()
	asleep := func(d time.Duration) clock.Instant { // that is now
		return clock.Instant{Monotonic: now.Monotonic, Wall: now.Wall - int64(d)}
	}
	issuer := "https://a.example"
	for _, tt := range []struct {
		name  string
		slept time.Duration
		asked bool
	}{
		{name: "for less", slept: time.Minute},
		{name: "for long", slept: 10 * time.Hour, asked: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tenants := tenantsOf(t, TenantsConfig{MaxAge: time.Hour})
			known := admitted(tenants, issuer)[0]
			known.term.Begin(asleep(tt.slept), time.Hour, 2*time.Hour)
			found, err := tenants.find(t.Context(), issuer)
			if tt.asked {
				require.ErrorIs(t, err, ErrUntrusted)
				assert.Zero(t, tenants.Len())
				return
			}
			require.NoError(t, err)
			assert.Same(t, known, found)
		})
		t.Run(tt.name+", refused", func(t *testing.T) {
			t.Parallel()
			tenants := tenantsOf(t, TenantsConfig{})
			tenants.refuse(issuer, errCrowd, asleep(tt.slept).Add(time.Hour))
			_, err := tenants.find(t.Context(), issuer)
			assert.Equal(t, tt.asked, err != error(errCrowd))
		})
	}
}
