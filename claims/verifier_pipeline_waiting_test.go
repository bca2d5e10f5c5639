package claims

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// One request's Check is nobody else's business, and may ask again.
func TestTokenCache_checkHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type slow struct{}
		type nested struct{}
		var v *Verifier
		var token Credentials
		c := newCounting(t, func(cfg *Config) {
			cfg.Check = func(ctx context.Context, _ *Claims) error {
				if ctx.Value(slow{}) != nil {
					time.Sleep(time.Minute)
				}
				if ctx.Value(nested{}) != nil {
					return nil
				}
				_, err := v.Authenticate(context.WithValue(ctx, nested{}, true), token)
				return err
			}
		})
		v, token = c.verifier(t), c.mint(claimstest.Token{Lifetime: time.Hour})
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err := v.Authenticate(context.WithValue(t.Context(), slow{}, true), token)
			assert.NoError(t, err)
		}()
		synctest.Wait()
		start := time.Now()
		c.expect(t, v, token, "", 0)
		assert.Zero(t, time.Since(start))
		<-done
	})
}

// slowly takes its time to find a key.
type slowly struct {
	*jwks.Set
	wait time.Duration
}

func (s slowly) Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error) {
	time.Sleep(s.wait)
	return s.Set.Lookup(ctx, keyID, algorithm)
}

func TestVerifier_expiresWhileKeysAreFetched(t *testing.T) {
	t.Parallel()
	for _, tokens := range []int{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			c := newCounting(t, func(cfg *Config) { cfg.Leeway, cfg.MaxTokens = -1, tokens })
			set, err := jwks.Parse(c.issuer.KeySet())
			require.NoError(t, err)
			c.cfg.Keys = slowly{set, 4 * time.Second}
			v := c.verifier(t)
			c.expect(t, v, c.mint(claimstest.Token{Lifetime: 5 * time.Second}), "", 1)
			c.expect(t, v, c.mint(claimstest.Token{Lifetime: 4 * time.Second}), ReasonExpired, 0)
		})
	}
}

// flaky is a KeySource that can be down.
type flaky struct {
	*jwks.Set
	down    bool
	lookups int
}

func (f *flaky) Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error) {
	f.lookups++
	if f.down {
		return nil, jwks.ErrUnavailable
	}
	return f.Set.Lookup(ctx, keyID, algorithm)
}

// Keys that cannot be had make a request wait, and nothing be forgotten.
func TestTokenCache_unavailable(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	set, err := jwks.Parse(c.issuer.KeySet())
	require.NoError(t, err)
	keys := &flaky{Set: set}
	c.cfg.Keys = keys
	v := c.verifier(t)
	token := c.mint(claimstest.Token{})
	c.expect(t, v, token, "", 1)
	keys.down, keys.lookups = true, 0
	c.expect(t, v, token, ReasonKeysUnavailable, 0)
	assert.Equal(t, 1, keys.lookups)
	keys.down = false
	c.expect(t, v, token, "", 0)
}
