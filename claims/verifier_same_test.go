package claims

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// numbered is a KeySource of somebody's own that can be compared.
type numbered struct{ n int }

func (numbered) Lookup(context.Context, string, string) ([]*jwks.Key, error) { return nil, nil }

// tagged is one that cannot: == panics.
type tagged struct {
	numbered
	tags any
}

func parsedKeys(t *testing.T, id string) *jwks.Set {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, id)
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	set, err := jwks.Parse(fmt.Appendf(nil, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}]}`,
		id, base64.RawURLEncoding.EncodeToString(public)))
	require.NoError(t, err)
	return set
}

// What functions do cannot be compared: in doubt it is something else.
func TestVerifier_same(t *testing.T) {
	t.Parallel()
	set := parsedKeys(t, "a")
	check := func(context.Context, *Claims) error { return nil }
	verifierOf := func(change func(*Config)) *Verifier {
		cfg := Config{Issuer: "https://a.example", Audiences: []string{"a"}, Keys: set}
		change(&cfg)
		v, err := NewVerifier(cfg)
		require.NoError(t, err)
		return v
	}
	plain, own := func(*Config) {}, func(cfg *Config) { cfg.Check = check }
	open := func(cfg *Config) {
		cfg.Issuer, cfg.TrustTenant = "https://a.example/{tenant}", func(string) bool { return true }
	}
	cached := func(cfg *Config) {
		cache, err := jwks.NewCache(jwks.Config{Issuer: cfg.Issuer})
		require.NoError(t, err)
		cfg.Keys = cache
	}
	for _, tt := range []struct {
		name string
		a, b func(*Config)
		same bool
	}{
		{name: "nothing of one's own", a: plain, b: plain, same: true},
		{name: "two checks", a: own, b: own},
		{name: "one check", a: own, b: plain},
		{name: "another check", a: plain, b: own},
		{name: "two open issuers", a: open, b: open},
		{name: "another audience", a: plain, b: func(cfg *Config) { cfg.Audiences = []string{"b"} }},
		{name: "another cache", a: plain, b: func(cfg *Config) { cfg.MaxTokens = -1 }},
		{name: "caches of one config", a: cached, b: cached, same: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.same, verifierOf(tt.a).same(verifierOf(tt.b).trust))
		})
	}
}

// Keys that are the same go on serving; in doubt they do not.
func TestSameKeys(t *testing.T) {
	t.Parallel()
	set := parsedKeys(t, "a")
	cacheOf := func(issuer string) *jwks.Cache {
		cache, err := jwks.NewCache(jwks.Config{Issuer: issuer})
		require.NoError(t, err)
		return cache
	}
	cache := cacheOf("https://a.example")
	for _, tt := range []struct {
		name string
		a, b KeySource
		same bool
	}{
		{name: "caches of one config", a: cache, b: cacheOf("https://a.example"), same: true},
		{name: "caches of two", a: cache, b: cacheOf("https://b.example")},
		{name: "sets of one document", a: set, b: parsedKeys(t, "a"), same: true},
		{name: "sets of two", a: set, b: parsedKeys(t, "b")},
		{name: "cache and set", a: cache, b: set},
		{name: "set and cache", a: set, b: cache},
		{name: "equal ones of one's own", a: numbered{1}, b: numbered{1}, same: true},
		{name: "unequal ones", a: numbered{1}, b: numbered{2}},
		{name: "those that cannot be compared", a: tagged{tags: []int{1}}, b: tagged{tags: []int{1}}},
		{name: "one that cannot", a: tagged{tags: 1}, b: tagged{tags: []int{1}}},
		{name: "set and one of one's own", a: set, b: numbered{1}},
		{name: "one of one's own and set", a: numbered{1}, b: set},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.same, sameKeys(tt.a, tt.b))
		})
	}
}
