package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// growIssuers has a token of each issuer.
func growIssuers(b *testing.B, c *crowd, n int) {
	all := c.issuers(n + 1)
	another, all := all[n], all[:n]
	trusting := func(maxTokens int) *claims.Issuers {
		configs := make([]claims.Config, n)
		for i, t := range all {
			configs[i] = t.config
			configs[i].MaxTokens = maxTokens
		}
		issuers, err := claims.NewIssuers(configs...)
		require.NoError(b, err)
		return issuers
	}
	measureBoth(b, tokensOf(all), trusting(2*n), trusting(-1))
	issuers := trusting(2 * n)
	b.Run("op=add-remove", func(b *testing.B) {
		measure(b, func() error {
			err := issuers.Add(another.config)
			issuers.Remove(another.config.Issuer)
			return err
		})
	})
}

func growTenants(b *testing.B, c *crowd, n int) {
	all := c.issuers(n)
	configs := map[string]claims.Config{}
	for _, t := range all {
		configs[t.config.Issuer] = t.config
	}
	resolve := func(_ context.Context, issuer string) (claims.Config, error) {
		if cfg, ok := configs[issuer]; ok {
			return cfg, nil
		}
		return claims.Config{}, claims.ErrUntrusted
	}
	tenants := func(maxTokens int) *claims.Tenants {
		t, err := claims.NewTenants(resolve, claims.TenantsConfig{
			Max: n, MaxTokens: maxTokens, MaxAge: time.Hour,
		})
		require.NoError(b, err)
		return t
	}
	measureBoth(b, tokensOf(all), tenants(2*n), tenants(-1))
}

// growKeys has tokens of one key among n.
func growKeys(b *testing.B, c *crowd, n int) {
	keys := make([]any, n)
	var last *claimstest.Key
	for i := range keys {
		last = claimstest.MustKey(crowdAlg)
		keys[i] = last.JWK()
	}
	document, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(b, err)
	cfg := sallyportConfig(b, c.world)
	cfg.Keys = keysOf(document)
	remembering := newVerifier(b, cfg)
	cfg.MaxTokens = -1
	token := c.world.issuer.Mint(realistic(last))
	measureBoth(b, []string{token}, remembering, newVerifier(b, cfg))
	b.Run("op=lookup", func(b *testing.B) {
		measure(b, func() error {
			_, err := cfg.Keys.Lookup(b.Context(), last.ID, crowdAlg)
			return err
		})
	})
}

// measureBoth measures the tokens, one after the other, by an Authenticator
// that remembers them, and by one that does not.
func measureBoth(b *testing.B, tokens []string, remembering, forgetful claims.Authenticator) {
	b.Helper()
	for _, m := range []struct {
		name string
		auth claims.Authenticator
	}{{"op=cached", remembering}, {"op=uncached", forgetful}} {
		op := authenticating(b.Context(), m.auth)
		each(b, tokens, op)
		b.Run(m.name, func(b *testing.B) { measureArriving(b, anyOf(tokens), op) })
	}
}

// growLength has tokens of n bytes: one long string, many groups, many members.
func growLength(b *testing.B, c *crowd, n int) {
	const alg = "RS256"
	w := c.world
	cfg := sallyportConfig(b, w)
	remembering := newVerifier(b, cfg)
	cfg.MaxTokens = -1
	forgetful := newVerifier(b, cfg)
	plain := len(w.with(alg, map[string]any{"pad": ""}))
	room := max(1, (n-plain)*3/4)
	for _, filling := range []struct {
		name   string
		claims map[string]any
	}{
		{"string", map[string]any{"pad": strings.Repeat("x", room)}},
		{"groups", groups(room)},
		{"members", members(room)},
	} {
		good := []string{w.with(alg, filling.claims)}
		filling.claims["exp"] = time.Now().Add(-time.Hour).Unix()
		expired := []string{w.with(alg, filling.claims)}
		b.Run("op=cached-"+filling.name, func(b *testing.B) {
			op := authenticating(b.Context(), remembering)
			acceptable(b, op, good[0])
			measureArriving(b, inTurn(good), op)
		})
		b.Run("op=uncached-"+filling.name, func(b *testing.B) {
			op := authenticating(b.Context(), forgetful)
			acceptable(b, op, good[0])
			measureArriving(b, inTurn(good), op)
		})
		b.Run("op=expired-"+filling.name, func(b *testing.B) {
			op := authenticating(b.Context(), forgetful)
			measureArriving(b, inTurn(expired), func(token string) error {
				if op(token) == nil {
					return errAccepted
				}
				return nil
			})
		})
	}
}

// acceptable skips a benchmark of good tokens that are refused for their form.
func acceptable(b *testing.B, op func(token string) error, token string) {
	b.Helper()
	if err := op(token); err != nil {
		b.Skip(err)
	}
}

func groups(room int) map[string]any {
	var names []string
	for ; room > 0; room -= len(`"group-0000",`) {
		names = append(names, fmt.Sprintf("group-%04d", len(names)))
	}
	return map[string]any{"groups": names}
}

func members(room int) map[string]any {
	all := map[string]any{}
	for ; room > 0; room -= len(`"m0000":1,`) {
		all[fmt.Sprintf("m%04d", len(all))] = 1
	}
	return all
}
