package claims

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// Nothing of a token's header is held with it.
func TestTokenCache_longHeaders(t *testing.T) {
	const tokens = 400
	c := newCounting(t, func(cfg *Config) { cfg.MaxTokens = tokens })
	v := c.verifier(t)
	list := make([]Credentials, tokens)
	for i := range list {
		list[i] = c.mint(claimstest.Token{
			Header: map[string]any{"x": fmt.Sprint(i) + strings.Repeat("h", 10_000)},
		})
	}
	grown := grownBy(func() {
		for _, r := range list {
			_, err := v.Authenticate(t.Context(), r)
			require.NoError(t, err)
		}
	})
	assert.LessOrEqual(t, grown, tokens*2<<10)
	runtime.KeepAlive(list)
	runtime.KeepAlive(v)
}

// What tokens of a key have in common is held once, whatever their headers are.
func TestTokenCache_sharedOrigin(t *testing.T) {
	t.Parallel()
	c := newCounting(t, func(cfg *Config) { cfg.Types = []string{"JWT", "custom+jwt"} })
	v := c.verifier(t)
	for _, typ := range []string{"JWT", "custom+jwt", "application/custom+jwt"} {
		for i := range 3 {
			_, err := v.Authenticate(t.Context(), c.mint(claimstest.Token{
				Header: map[string]any{"x": i, "typ": typ},
			}))
			require.NoError(t, err)
		}
	}
	held := map[*byte]string{}
	for entry := range v.pipeline.cache.All() {
		o := entry.Value.origin
		assert.Equal(t, "ES256", o.algorithm)
		assert.Equal(t, entry.Value.keyID, o.keyID)
		held[unsafe.StringData(o.algorithm)] = "alg"
		held[unsafe.StringData(o.keyID)] = "kid"
		if o.tokenType != "application/custom+jwt" {
			held[unsafe.StringData(o.tokenType)] = o.tokenType
		}
	}
	assert.Len(t, held, 4)
}

// What is remembered of a tenant does not keep its keys in memory.
func TestTokenCache_tenantsThatAreGone(t *testing.T) {
	var keys []weak.Pointer[jwks.Cache]
	issuers := map[string]*claimstest.Issuer{}
	tenants, err := NewTenants(func(_ context.Context, issuer string) (Config, error) {
		cache, err := jwks.NewCache(jwks.Config{Issuer: issuer, Client: issuers[issuer].Client()})
		keys = append(keys, weak.Make(cache))
		return Config{Issuer: issuer, Audiences: []string{claimstest.Audience}, Keys: cache}, err
	}, TenantsConfig{})
	require.NoError(t, err)
	for i := range 50 {
		url := fmt.Sprintf("https://t%d.example", i)
		issuers[url], err = claimstest.New(claimstest.Config{URL: url})
		require.NoError(t, err)
		_, err = tenants.Authenticate(t.Context(), Credentials{
			Scheme: "Bearer", Token: issuers[url].Mint(claimstest.Token{}),
		})
		require.NoError(t, err)
		tenants.Forget(url)
	}
	assert.Eventually(t, func() bool {
		runtime.GC()
		alive := 0
		for _, p := range keys {
			if p.Value() != nil {
				alive++
			}
		}
		return alive <= 2
	}, 10*time.Second, 10*time.Millisecond)
	runtime.KeepAlive(tenants)
}
