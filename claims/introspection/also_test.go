package introspection_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/jwks"
)

// A JWT that is introspected as well ends before its time, streams included,
// and nobody asks about one that is not verified.
func TestAlso(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		of, err := claimstest.New(claimstest.Config{URL: issuer, Audience: audience, Lifetime: time.Hour})
		require.NoError(t, err)
		foreign, err := claimstest.New(claimstest.Config{URL: "https://other.example", Audience: audience, Lifetime: time.Hour})
		require.NoError(t, err)
		var configs []claims.Config
		for _, i := range []*claimstest.Issuer{of, foreign} {
			keys, err := jwks.Parse(i.KeySet())
			require.NoError(t, err)
			configs = append(configs, claims.Config{Issuer: i.URL(), Audiences: []string{audience}, Keys: keys})
		}
		verifier, err := claims.NewIssuers(configs...)
		require.NoError(t, err)
		a := &authority{}
		in := newIntrospector(t, "https://issuer.example/introspect", within(a, func(cfg *introspection.Config) {
			cfg.MaxAge = 5 * time.Minute
		}))
		auth := claims.FirstOf(introspection.Also(verifier, in), in)
		issuers, all := claims.AuthorizationServers(auth)
		assert.True(t, all)
		assert.Equal(t, []string{issuer, "https://other.example"}, issuers)
		token := of.Mint(claimstest.Token{Subject: "alice"})
		a.set(token, good(nil))

		guard, err := claims.NewGuard(auth, claims.GuardConfig{})
		require.NoError(t, err)
		ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Authenticated()}, bearer(token), nil)
		require.NoError(t, err)
		for range 3 {
			caller, err := auth.Authenticate(t.Context(), bearer(token))
			require.NoError(t, err)
			assert.Equal(t, of.Key().ID, caller.KeyID(), "what the JWT says")
			assert.Empty(t, caller.Scopes(), "and not the answer")
		}
		require.EqualValues(t, 1, a.asked.Load())
		_, err = auth.Authenticate(t.Context(), bearer(foreign.Mint(claimstest.Token{})))
		require.NoError(t, err, "another issuer's is left to the Verifier")
		for _, bad := range []string{token[:len(token)-6] + "AAAAAA", of.Mint(claimstest.Token{Lifetime: -time.Hour})} {
			_, err = auth.Authenticate(t.Context(), bearer(bad))
			require.ErrorIs(t, err, claims.ErrInvalidToken)
		}
		require.EqualValues(t, 1, a.asked.Load(), "about what was accepted alone")

		somebody := of.Mint(claimstest.Token{Subject: "bob"})
		a.set(somebody, good(nil))
		_, err = auth.Authenticate(t.Context(), bearer(somebody))
		require.ErrorIs(t, err, claims.ErrInvalidToken, "the answer is about alice")

		a.set(token, m{"active": false})
		require.NoError(t, guard.Recheck(ctx))
		time.Sleep(5 * time.Minute)
		require.ErrorIs(t, guard.Recheck(ctx), claims.ErrInvalidToken)
		_, err = auth.Authenticate(t.Context(), bearer(token))
		require.ErrorIs(t, err, claims.ErrInvalidToken)
		a.set(token, text(500, "", ""))
		time.Sleep(5 * time.Minute)
		_, err = auth.Authenticate(t.Context(), bearer(token))
		require.ErrorIs(t, err, claims.ErrUnavailable)
	})
	assert.Panics(t, func() { introspection.Also(nil, nil) })
	assert.Panics(t, func() { introspection.Also((*claims.Verifier)(nil), nil) })
	assert.Panics(t, func() { introspection.Also(claims.FirstOf(new(introspection.Introspector)), nil) })
}
