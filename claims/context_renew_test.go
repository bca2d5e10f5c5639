package claims_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// What is renewed ends with the fresh token; a token of somebody else, or that
// says more or less, renews nothing.
func TestRenew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
		require.NoError(t, err)
		keys, err := jwks.Parse(issuer.KeySet())
		require.NoError(t, err)
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys, Leeway: -1,
			PermissionClaims: []string{"roles"},
		})
		require.NoError(t, err)
		record := &record{}
		guard, err := claims.NewGuard(verifier, claims.GuardConfig{Observer: record.observe})
		require.NoError(t, err)
		mint := func(lifetime time.Duration, change m) claims.Credentials {
			all := m{"roles": []string{"admin"}, "acr": "gold"}
			for name, value := range change {
				all[name] = value
			}
			return claims.Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{
				Subject: "alice", ClientID: "shop", Scope: "read write", Lifetime: lifetime, Claims: all,
			})}
		}
		op := claims.Operation{Protocol: "gRPC", Name: "/s/M", Requirement: claims.Scopes("read")}
		ctx, err := guard.AuthorizeStream(t.Context(), op, mint(time.Minute, nil))
		require.NoError(t, err)
		start, ended := time.Now(), make(chan time.Time, 1)
		hold := guard.Hold(ctx, func(refusal *claims.Error) {
			assert.Equal(t, claims.ReasonExpired, refusal.Reason())
			ended <- time.Now()
		})
		defer hold.Release()
		record.take()

		for differs, change := range map[string]m{
			"subject": {"sub": "bob"}, "client": {"client_id": "till"}, "scope": {"scope": "read"},
			"wider scope": {"scope": "read write delete"}, "permission": {"roles": []string{}}, "acr": {"acr": "lead"},
		} {
			err := claims.Renew(ctx, mint(time.Hour, change))
			if assert.ErrorIs(t, err, claims.ErrInvalidToken, differs) {
				assert.Equal(t, claims.ReasonRejected, claims.AsError(err).Reason())
			}
		}
		expired := mint(time.Second, nil)
		time.Sleep(2 * time.Second)
		assert.ErrorIs(t, claims.Renew(ctx, expired), claims.ErrInvalidToken)
		assert.ErrorIs(t, claims.Renew(ctx, claims.Credentials{Scheme: "Bearer", Token: "x"}), claims.ErrInvalidToken)
		assert.ErrorIs(t, claims.Renew(ctx, claims.Credentials{}), claims.ErrNoToken)
		assert.ErrorIs(t, claims.Renew(context.Background(), expired), claims.ErrNoToken)

		require.NoError(t, claims.Renew(ctx, mint(10*time.Minute, m{"scope": "write read", "extra": 1})))
		decisions := record.take()
		last := decisions[len(decisions)-1]
		assert.True(t, last.Part)
		assert.Nil(t, last.Err)
		time.Sleep(5 * time.Minute)
		assert.NoError(t, claims.Recheck(ctx))
		assert.Nil(t, hold.Err())
		caller, _ := claims.FromContext(ctx)
		assert.True(t, caller.ValidUntil().Before(time.Now()), "the claims are those of the first token")
		assert.Equal(t, 10*time.Minute+2*time.Second, (<-ended).Sub(start))
		assert.Equal(t, claims.ReasonExpired, hold.Err().Reason())
		assert.ErrorIs(t, claims.Recheck(ctx), claims.ErrInvalidToken)
	})
}
