package claims_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// directory is what a service knows of its tenants.
type directory struct {
	issuers map[string]*claimstest.Issuer
	calls   atomic.Int32

	mu   sync.Mutex // guards the fields below
	err  error
	hold chan struct{} // Resolve waits for it, unless nil
}

func newDirectory(t testing.TB, tenants ...string) *directory {
	t.Helper()
	d := &directory{issuers: map[string]*claimstest.Issuer{}}
	for _, tenant := range tenants {
		issuer := newIssuer(t, claimstest.Config{URL: "https://" + tenant + ".example"})
		d.issuers[issuer.URL()] = issuer
	}
	return d
}

func (d *directory) set(err error, hold chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err, d.hold = err, hold
}

func (d *directory) resolve(ctx context.Context, issuer string) (claims.Config, error) {
	d.calls.Add(1)
	d.mu.Lock()
	err, hold := d.err, d.hold
	d.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return claims.Config{}, ctx.Err()
		}
	}
	if err != nil {
		return claims.Config{}, err
	}
	known := d.issuers[issuer]
	if known == nil {
		return claims.Config{}, fmt.Errorf("directory: %w", claims.ErrUntrusted)
	}
	keys, err := jwks.Parse(known.KeySet())
	if err != nil {
		return claims.Config{}, err
	}
	return claims.Config{
		Issuer: issuer, Audiences: []string{claimstest.Audience}, Keys: keys,
	}, nil
}

func (d *directory) tenants(t testing.TB, cfg claims.TenantsConfig) *claims.Tenants {
	t.Helper()
	tenants, err := claims.NewTenants(d.resolve, cfg)
	require.NoError(t, err)
	return tenants
}

func (d *directory) mint(tenant string) claims.Credentials {
	return bearer(d.issuers["https://"+tenant+".example"].Mint(claimstest.Token{}))
}

// tenantNames returns names of tenants.
func tenantNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("t%d", i)
	}
	return names
}

// naming is a token of a stranger's that names a tenant.
func naming(stranger *claimstest.Issuer, tenant string) claims.Credentials {
	return bearer(stranger.Mint(claimstest.Token{
		Claims: map[string]any{"iss": "https://" + tenant + ".example"},
	}))
}

// always resolves every issuer to the same Config.
func always(cfg claims.Config) func(context.Context, string) (claims.Config, error) {
	return func(context.Context, string) (claims.Config, error) { return cfg, nil }
}
