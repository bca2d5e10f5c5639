package claims_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// openConfig trusts the tenants of "https://login.example/{tenantid}/v2.0", by
// the keys of an issuer.
func openConfig(t testing.TB, issuer *claimstest.Issuer) claims.Config {
	t.Helper()
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	return claims.Config{
		Issuer: entra, TrustTenant: func(tenant string) bool { return tenant != "stranger" },
		Audiences: []string{claimstest.Audience}, Keys: keys,
	}
}

// Who is removed is refused from then on, also where an open issuer would go on
// trusting them: new tokens, remembered ones, and requests that last.
func TestIssuers_Remove_coveredByTemplate(t *testing.T) {
	t.Parallel()
	const own, other = "https://login.example/own/v2.0", "https://login.example/other/v2.0"
	issuer := newIssuer(t, claimstest.Config{URL: own})
	tokenOf := func(iss string) string {
		return issuer.Mint(claimstest.Token{Claims: m{"iss": iss}})
	}
	exact := openConfig(t, issuer)
	exact.Issuer, exact.TrustTenant = own, nil
	for _, tt := range []struct {
		name string
		list []claims.Config
	}{
		{name: "open and by name", list: []claims.Config{openConfig(t, issuer), exact}},
		{name: "open alone", list: []claims.Config{openConfig(t, issuer)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuers, err := claims.NewIssuers(tt.list...)
			require.NoError(t, err)
			remembered, ofOther := tokenOf(own), tokenOf(other)
			ctx := admitted(t, issuers, remembered, claims.GuardConfig{})
			lasting := admitted(t, issuers, ofOther, claims.GuardConfig{})
			require.NoError(t, claims.Recheck(ctx))

			assert.True(t, issuers.Remove(own))
			for _, token := range []string{remembered, tokenOf(own)} {
				caller, err := issuers.Authenticate(t.Context(), bearer(token))
				assertRefused(t, caller, err, claims.ReasonIssuer)
			}
			refusal := assertRefusal(t, claims.ErrInvalidToken, claims.Recheck(ctx))
			assert.Equal(t, claims.ReasonIssuer, refusal.Reason())
			assert.Error(t, issuers.Explain(t.Context(), remembered).Err)
			assert.False(t, issuers.Remove(own), "no longer trusted")

			_, err = issuers.Authenticate(t.Context(), bearer(ofOther))
			require.NoError(t, err, "another tenant")
			require.NoError(t, claims.Recheck(lasting))
			assert.False(t, issuers.Remove("https://login.example/stranger/v2.0"))
			assert.False(t, issuers.Remove("https://elsewhere.example"))

			// To trust others, or the open issuer by another Config, changes
			// nothing.
			require.NoError(t, issuers.Add(openConfig(t, issuer)))
			_, err = issuers.Authenticate(t.Context(), bearer(remembered))
			require.Error(t, err)

			require.NoError(t, issuers.Add(exact))
			_, err = issuers.Authenticate(t.Context(), bearer(remembered))
			require.NoError(t, err, "by a Config of its own")

			assert.True(t, issuers.Remove(own))
			assert.True(t, issuers.Remove(entra))
			require.NoError(t, issuers.Add(openConfig(t, issuer)))
			_, err = issuers.Authenticate(t.Context(), bearer(remembered))
			require.NoError(t, err, "the open issuer is another")
		})
	}
}

// A tenant about whom it cannot be told is removed as well.
func TestIssuers_Remove_undecided(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{URL: "https://login.example/own/v2.0"})
	var broken atomic.Bool
	cfg := openConfig(t, issuer)
	cfg.TrustTenant = func(string) bool {
		if broken.Load() {
			panic("no list")
		}
		return true
	}
	issuers, err := claims.NewIssuers(cfg)
	require.NoError(t, err)
	broken.Store(true)
	assert.True(t, issuers.Remove(issuer.URL()))
	broken.Store(false)
	caller, err := issuers.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
	assertRefused(t, caller, err, claims.ReasonIssuer)
}

// To trust an issuer again while it is down costs nobody their requests.
func TestIssuers_Add_keepsKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*claims.Config)
	}{
		{name: "the same", change: func(*claims.Config) {}},
		{name: "another Config", change: func(cfg *claims.Config) { cfg.Leeway = time.Minute }},
		{
			name:   "a function of its own",
			change: func(cfg *claims.Config) { cfg.Check = func(context.Context, *claims.Claims) error { return nil } },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuer := newIssuer(t, claimstest.Config{})
				client := issuer.Client()
				config := func() claims.Config {
					return claims.Config{
						Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
						KeyCache: jwks.Config{Client: client},
					}
				}
				issuers, err := claims.NewIssuers(config())
				require.NoError(t, err)
				require.NoError(t, issuers.Ready(t.Context()))
				issuer.Fail(500)
				cfg := config()
				tt.change(&cfg)
				require.NoError(t, issuers.Add(cfg))
				_, err = issuers.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
				require.NoError(t, err)
				assert.Equal(t, 1, issuer.KeySetRequests())

				// From another place they are others.
				cfg.KeySetURL = issuer.URL() + "/elsewhere"
				require.NoError(t, issuers.Add(cfg))
				_, err = issuers.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
				require.ErrorIs(t, err, claims.ErrUnavailable)
			})
		})
	}
}

// What was remembered of an issuer stays so if it is trusted again as before.
func TestIssuers_Add_remembers(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	cfg := trusting(t, issuer)
	issuers, err := claims.NewIssuers(cfg)
	require.NoError(t, err)
	record := &record{}
	guard, err := claims.NewGuard(issuers, claims.GuardConfig{Observer: record.observe})
	require.NoError(t, err)
	token := bearer(issuer.Mint(claimstest.Token{}))
	for range 2 {
		_, err = guard.Authorize(t.Context(), claims.Operation{}, token, nil)
		require.NoError(t, err)
		require.NoError(t, issuers.Add(cfg))
	}
	assert.True(t, record.take()[1].Remembered)
}

// Readiness can be asked for of some issuers, and says which are not.
func TestIssuers_Ready_byIssuer(t *testing.T) {
	t.Parallel()
	a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
	b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
	issuers, err := claims.NewIssuers(trusting(t, a), trusting(t, b))
	require.NoError(t, err)
	b.Fail(503)
	assert.NoError(t, issuers.Ready(t.Context(), a.URL()))
	assert.NoError(t, issuers.Ready(t.Context(), a.URL(), a.URL()))
	for _, names := range [][]string{nil, {b.URL()}, {a.URL(), b.URL()}} {
		err := issuers.Ready(t.Context(), names...)
		require.ErrorIs(t, err, claims.ErrUnavailable)
		assert.ErrorContains(t, err, `issuer "https://b.example" is not ready: `)
		assert.ErrorContains(t, err, "status 503")
		assert.NotContains(t, err.Error(), "a.example")
		assert.Equal(t, claims.ReasonKeysUnavailable, claims.AsError(err).Reason())
		assert.Equal(t, "claims: unavailable (keys_unavailable)", claims.AsError(err).Error())
	}
	err = issuers.Ready(t.Context(), "https://user:secret@c.example?token=secret", a.URL())
	require.ErrorIs(t, err, claims.ErrUnavailable)
	assert.ErrorContains(t, err, `issuer "https://c.example" is not ready: claims: not a trusted issuer`)
	assert.NotContains(t, err.Error(), "secret")

	stats := issuers.KeyStats()
	require.Len(t, stats, 2)
	assert.Equal(t, jwks.StateFresh, stats[a.URL()].State)
	assert.NotEqual(t, jwks.StateFresh, stats[b.URL()].State)
}

// panicking is a KeySource whose methods panic.
type panicking struct{}

func (panicking) Lookup(context.Context, string, string) ([]*jwks.Key, error) { panic("no keys") }
func (panicking) Ready(context.Context) error                                 { panic("not ready") }

func TestVerifier_keySourcePanics(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.Keys = panicking{} })
	_, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
	assertPanic(t, err, "no keys")
	assertPanic(t, verifier.Ready(t.Context()), "not ready")
}

// A cache of keys is one issuer's, unless it is said that it has two names.
func TestNewIssuers_sharedKeys(t *testing.T) {
	t.Parallel()
	const a, b = "https://a.example", "https://b.example"
	config := func(issuer, keysOf string, keys claims.KeySource) claims.Config {
		return claims.Config{Issuer: issuer, Audiences: []string{"x"}, Keys: keys, KeysOf: keysOf}
	}
	unnamed, err := jwks.NewCache(jwks.Config{URL: a + "/keys"})
	require.NoError(t, err)
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	for _, tt := range []struct {
		name  string
		list  []claims.Config
		wrong bool
	}{
		{name: "two issuers", list: []claims.Config{config(a, "", unnamed), config(b, "", unnamed)}, wrong: true},
		{name: "of a third", list: []claims.Config{config(a, "", unnamed), config(b, "https://c.example", unnamed)}, wrong: true},
		{name: "two names", list: []claims.Config{config(a, "", unnamed), config(b, a, unnamed)}},
		{name: "two names, the other first", list: []claims.Config{config(b, a, unnamed), config(a, "", unnamed)}},
		{name: "two names of a third", list: []claims.Config{config(a, "c", unnamed), config(b, "c", unnamed)}},
		{name: "keys that stand in the program", list: []claims.Config{config(a, "", set), config(b, "", set)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := claims.NewIssuers(tt.list...)
			issuers, first := claims.NewIssuers(tt.list[0])
			require.NoError(t, first)
			added := issuers.Add(tt.list[1])
			if !tt.wrong {
				require.NoError(t, err)
				require.NoError(t, added)
				return
			}
			for _, err := range []error{err, added} {
				require.ErrorContains(t, err, "Config.Keys is that of issuer \""+a+"\", too")
				assert.ErrorContains(t, err, "KeysOf")
			}
			assert.Equal(t, []string{a}, issuers.Trusted())
		})
	}
}

// What was not made by a constructor trusts nobody, and does not panic.
func TestIssuers_zero(t *testing.T) {
	t.Parallel()
	for name, issuers := range map[string]*claims.Issuers{"nil": nil, "zero": {}} {
		_, err := issuers.Authenticate(t.Context(), bearer("a.b.c"))
		assert.ErrorIs(t, err, claims.ErrUnavailable, name)
		assert.ErrorIs(t, issuers.Ready(t.Context()), claims.ErrUnavailable, name)
		assert.ErrorContains(t, issuers.Add(claims.Config{}), "not made by NewIssuers", name)
		assert.False(t, issuers.Remove("https://a.example"), name)
		assert.Empty(t, issuers.Trusted(), name)
		assert.Empty(t, issuers.KeyStats(), name)
		assert.Error(t, issuers.Explain(t.Context(), "a.b.c").Err, name)
	}
}
