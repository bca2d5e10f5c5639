package claims_test

import (
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

// Who waits for an identical token to be verified is refused if the keys are
// gone by then: that another was let in says nothing.
func TestTokenCache_keysGoneMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
		require.NoError(t, err)
		set, err := jwks.Parse(issuer.KeySet())
		require.NoError(t, err)
		var calls atomic.Int32
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
			Keys: lookup(func() ([]*jwks.Key, error) {
				switch calls.Add(1) {
				case 1:
					time.Sleep(time.Second)
				case 2:
					return nil, jwks.ErrUnavailable
				}
				return set.Keys(), nil
			}),
		})
		require.NoError(t, err)
		token := bearer(issuer.Mint(claimstest.Token{}))
		authenticate := func() error {
			caller, err := verifier.Authenticate(t.Context(), token)
			assert.Equal(t, err == nil, caller != nil)
			return err
		}
		first := make(chan error)
		go func() { first <- authenticate() }()
		synctest.Wait()
		assert.ErrorIs(t, authenticate(), claims.ErrUnavailable)
		assert.NoError(t, <-first)
		assert.NoError(t, authenticate())
		assert.EqualValues(t, 3, calls.Load())
	})
}
