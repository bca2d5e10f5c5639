package claims_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/jwks"
)

// occupied is a Tenants that is asking about as many strangers as it may, by a
// Resolve that does not return before it is let go. "a" is one more issuer.
func occupied(t *testing.T) (d *directory, tenants *claims.Tenants, letGo func()) {
	t.Helper()
	names := append(tenantNames(16), "a")
	d = newDirectory(t, names...)
	hold := make(chan struct{})
	tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
		if issuer != "https://a.example" {
			<-hold
		}
		return d.resolve(ctx, issuer)
	}, claims.TenantsConfig{})
	require.NoError(t, err)
	for _, name := range names[:16] {
		go func() { _, _ = tenants.Authenticate(t.Context(), d.mint(name)) }()
	}
	synctest.Wait()
	return d, tenants, func() { close(hold) }
}

// A request that waits for a turn while its issuer is forgotten is answered by
// a question that is asked afterwards.
func TestTenants_forgottenWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, tenants, letGo := occupied(t)
		done := make(chan error)
		go func() {
			_, err := tenants.Authenticate(t.Context(), d.mint("a"))
			done <- err
		}()
		synctest.Wait()
		tenants.Forget("https://a.example")
		synctest.Wait()
		letGo()
		require.NoError(t, <-done)
		time.Sleep(time.Minute)
	})
}

// The wait for a turn begins anew with such a question.
func TestTenants_forgottenLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, tenants, letGo := occupied(t)
		began := time.Now()
		time.AfterFunc(3*time.Second, func() { tenants.Forget("https://a.example") })
		caller, err := tenants.Authenticate(t.Context(), d.mint("a"))
		assertRefused(t, caller, err, claims.ReasonIssuer)
		assert.Equal(t, 8*time.Second, time.Since(began))
		letGo()
		time.Sleep(time.Minute)
	})
}

// An issuer whose turn did not come is asked about at its next token.
func TestTenants_noTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, tenants, letGo := occupied(t)
		caller, err := tenants.Authenticate(t.Context(), d.mint("a"))
		assertRefused(t, caller, err, claims.ReasonIssuer)
		letGo()
		synctest.Wait()
		_, err = tenants.Authenticate(t.Context(), d.mint("a"))
		require.NoError(t, err)
		time.Sleep(time.Minute)
	})
}

// forgetful has the issuer forgotten while its keys are looked up.
type forgetful struct {
	claims.KeySource
	forget func()
}

func (f forgetful) Lookup(ctx context.Context, keyID, alg string) ([]*jwks.Key, error) {
	f.forget()
	return f.KeySource.Lookup(ctx, keyID, alg)
}

// A tenant that is forgotten while a token of it is verified is not counted.
func TestTenants_forgottenWhileVerified(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, "a")
	var tenants *claims.Tenants
	tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
		cfg, err := d.resolve(ctx, issuer)
		cfg.Keys = forgetful{cfg.Keys, func() { tenants.Forget(issuer) }}
		return cfg, err
	}, claims.TenantsConfig{Max: 1})
	require.NoError(t, err)
	for range 3 {
		_, err := tenants.Authenticate(t.Context(), d.mint("a"))
		require.NoError(t, err)
	}
	assert.Zero(t, tenants.Len())
}
