package claims

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// extended finds more keys than the cache in it, whose methods it has.
type extended struct {
	*jwks.Cache
	more *jwks.Set
}

func (e extended) Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error) {
	if keys, err := e.more.Lookup(ctx, keyID, algorithm); err == nil {
		return keys, nil
	}
	return e.Cache.Lookup(ctx, keyID, algorithm)
}

func TestVerifier_early_keySourceAroundACache(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	old := c.issuer.Key()
	more, err := jwks.Parse(c.issuer.KeySet())
	require.NoError(t, err)
	c.cfg.Keys = extended{c.cfg.Keys.(*jwks.Cache), more}
	c.issuer.Rotate("")
	c.issuer.Revoke(old)
	v := c.verifier(t)
	c.expect(t, v, c.mint(claimstest.Token{}), "", 1)
	c.expect(t, v, c.mint(claimstest.Token{Header: map[string]any{"kid": "invented"}}), ReasonUnknownKey, 0)
	c.expect(t, v, c.mint(claimstest.Token{Key: old}), "", 1)
}

// grownBy is by how much f makes the heap grow.
func grownBy(f func()) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int(after.HeapAlloc) - int(before.HeapAlloc)
}

// A long name before many short roles would take megabytes of a token of 12 KiB.
func TestPermissions_longNames(t *testing.T) {
	c := newCounting(t, func(cfg *Config) { cfg.Profile, cfg.MaxTokens = Keycloak, -1 })
	v := c.verifier(t)
	mint := func(name, roles int) Credentials {
		list := make([]string, roles)
		for i := range list {
			list[i] = fmt.Sprintf("%03d", i)
		}
		return c.mint(claimstest.Token{ClientID: "a", Claims: map[string]any{
			"typ": "Bearer", "azp": "a",
			"resource_access": map[string]any{strings.Repeat("n", name): map[string]any{"roles": list}},
		}})
	}
	permissions := func(r Credentials) []string {
		caller, err := v.Authenticate(t.Context(), r)
		require.NoError(t, err)
		return caller.Permissions()
	}
	assert.Len(t, permissions(mint(36, 100)), 100)
	assert.Empty(t, permissions(mint(6000, 300)), "none at all")
	long := mint(6000, 300)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := v.Authenticate(t.Context(), long)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.LessOrEqual(t, int(after.TotalAlloc-before.TotalAlloc), 28*len(long.Token))
}

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

// What is remembered of a tenant does not keep his keys in memory.
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

func TestClaims_ValidUntil_byAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for age, want := range map[time.Duration]time.Duration{
			0: time.Hour + 30*time.Second, time.Minute: 90 * time.Second,
			2 * time.Hour: time.Hour + 30*time.Second, math.MaxInt64: time.Hour + 30*time.Second,
		} {
			c := newCounting(t, func(cfg *Config) { cfg.MaxTokenAge = age })
			caller, err := c.verifier(t).Authenticate(t.Context(), c.mint(claimstest.Token{Lifetime: time.Hour}))
			require.NoError(t, err, age)
			assert.Equal(t, want, time.Until(caller.ValidUntil()), age)
		}
	})
}

func TestSymmetricVerifier_printsNoSecret(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	v, err := NewSymmetricVerifier([][]byte{secret}, Config{Issuer: "x", Audiences: []string{"x"}})
	require.NoError(t, err)
	holder := struct{ auth *Verifier }{v}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, printed := range []any{v, *v, holder, &holder} {
			text := fmt.Sprintf(verb, printed)
			for _, form := range []string{"48 49 50 51", "0123456789", "0x30, 0x31", "3031323334", "'0' '1'"} {
				assert.NotContains(t, text, form, verb)
			}
		}
	}
}

func TestNewSymmetricVerifier_publicKeysInOtherForms(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{
		"SSH":        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJZbL5fV0W1cXb2o0Yk0k0m8H7c6x2qg1yW8m3V4J0aT me@host",
		"SSH, ECDSA": "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEVs me@host",
		"base64 DER": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9q9UU8I5m" +
			"EovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==",
		"list of JWKs": `[{"kty":"EC","crv":"P-256","x":"EVs_o5-uQbTjL3chynL4wXgUg2R9q9UU8I5mEovUf84"}]`,
	} {
		_, err := NewSymmetricVerifier([][]byte{[]byte(secret)}, Config{Issuer: "x", Audiences: []string{"x"}})
		assert.ErrorContains(t, err, "is a public key", name)
	}
	for _, secret := range []string{
		strings.Repeat("7", 32), base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", 40))),
	} {
		_, err := NewSymmetricVerifier([][]byte{[]byte(secret)}, Config{Issuer: "x", Audiences: []string{"x"}})
		assert.NoError(t, err)
	}
}

// A tenant whose Config changes, or has functions, which can not be compared, goes
// on with the keys at hand: they outlast an outage.
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

// Keys that can not be had make a request wait, and nothing be forgotten.
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

func TestNewVerifier_contradictions(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"the profile forbids it":  {Profile: Auth0, RequiredClaims: []string{"sid"}},
		"it is always forbidden":  {RequiredClaims: []string{"at_hash"}},
		"the profile requires it": {Profile: RFC9068, ForbiddenClaims: []string{"sub"}},
		"all alternatives":        {RequiredClaims: []string{"a|b"}, ForbiddenClaims: []string{"a", "b"}},
		"its value":               {ClaimValues: map[string][]string{"a": {"b"}}, ForbiddenClaims: []string{"a"}},
	} {
		cfg.Issuer, cfg.Audiences = "https://issuer.example", []string{"x"}
		_, err := NewVerifier(cfg)
		assert.ErrorContains(t, err, "Config.ForbiddenClaims", name)
	}
	_, err := NewVerifier(Config{
		Issuer: "https://issuer.example", Audiences: []string{"x"}, RequiredClaims: []string{"a|b"},
		ForbiddenClaims: []string{"a"},
	})
	assert.NoError(t, err, "one alternative is left")
}
