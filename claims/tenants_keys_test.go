package claims

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// A tenant whose Config changes, or has functions, which cannot be compared,
// goes on with the keys at hand: they outlast an outage.
func TestTenants_keepKeys(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config, int){
		"the same":    func(*Config, int) {},
		"own check":   func(cfg *Config, _ int) { cfg.Check = func(context.Context, *Claims) error { return nil } },
		"new clients": func(cfg *Config, n int) { cfg.ClientIDs = []string{"shop", fmt.Sprint(n)} },
	} {
		synctest.Test(t, func(t *testing.T) {
			issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
			require.NoError(t, err)
			set, err := jwks.Parse(issuer.KeySet())
			require.NoError(t, err)
			source := &outage{set: set}
			asked := 0
			tenants, err := NewTenants(func(_ context.Context, issuer string) (Config, error) {
				asked++
				keys, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{source}})
				cfg := Config{Issuer: issuer, Audiences: []string{claimstest.Audience}, Keys: keys}
				change(&cfg, asked)
				return cfg, err
			}, TenantsConfig{})
			require.NoError(t, err)
			token := Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{
				ClientID: "shop", Lifetime: time.Hour,
			})}
			for range 4 {
				_, err = tenants.Authenticate(t.Context(), token)
				assert.NoError(t, err, name)
				source.down.Store(true)
				time.Sleep(6 * time.Minute)
				synctest.Wait()
			}
			assert.GreaterOrEqual(t, asked, 3)
		})
	}
}

// outage is a Source that can be down.
type outage struct {
	set  *jwks.Set
	down atomic.Bool
}

func (o *outage) KeySet(context.Context, bool) (*jwks.Set, time.Duration, error) {
	if o.down.Load() {
		return nil, 0, jwks.ErrUnavailable
	}
	return o.set, 0, nil
}
