package claims

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func tenantsOf(t *testing.T, cfg TenantsConfig) *Tenants {
	t.Helper()
	cfg.Resolve = func(context.Context, string) (Config, error) { return Config{}, ErrUntrusted }
	tenants, err := NewTenants(cfg)
	require.NoError(t, err)
	return tenants
}

func TestTenants_defaults(t *testing.T) {
	t.Parallel()
	tenants := tenantsOf(t, TenantsConfig{})
	assert.Equal(t, 1000, tenants.max)
	assert.Equal(t, 5*time.Minute, tenants.maxAge)
	assert.Equal(t, 10_000, tenants.pipeline.cache.Max())
	tenants = tenantsOf(t, TenantsConfig{Max: 1, MaxAge: 1, MaxTokens: -1})
	assert.Equal(t, 1, tenants.max)
	assert.Equal(t, time.Duration(1), tenants.maxAge)
	assert.Zero(t, tenants.pipeline.cache.Max())
}

// A tenant whose first tokens are verified at once is counted once.
func TestTenants_usedAtOnce(t *testing.T) {
	t.Parallel()
	tenants := tenantsOf(t, TenantsConfig{})
	known := &tenant{issuer: "https://a.example", admittedAt: time.Now()}
	tenants.mu.Lock()
	tenants.admit(known)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() { tenants.used(known) })
	}
	time.Sleep(20 * time.Millisecond) // until they wait for the lock
	tenants.mu.Unlock()
	callers.Wait()
	assert.Equal(t, 1, tenants.verified)
	assert.Zero(t, tenants.newcomers)
}

// A tenant that was dropped before its token was verified is not counted.
func TestTenants_usedTooLate(t *testing.T) {
	t.Parallel()
	tenants := tenantsOf(t, TenantsConfig{})
	known := &tenant{issuer: "https://a.example", admittedAt: time.Now()}
	tenants.mu.Lock()
	tenants.admit(known)
	tenants.mu.Unlock()
	tenants.Forget(known.issuer)
	tenants.used(known)
	assert.Zero(t, tenants.verified)
	assert.Zero(t, tenants.newcomers)
}

// When a tenant was used is noted to the second.
func TestTenants_usedAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenants := tenantsOf(t, TenantsConfig{})
		known := &tenant{issuer: "https://a.example", admittedAt: time.Now()}
		tenants.mu.Lock()
		tenants.admit(known)
		tenants.mu.Unlock()
		assert.Zero(t, known.usedAt.Load())
		for want := range int64(3) {
			tenants.used(known)
			assert.Equal(t, 1+want, known.usedAt.Load())
			time.Sleep(time.Second)
		}
	})
}
