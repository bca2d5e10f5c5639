//go:build !race

package revocation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// To look a token up allocates nothing, whether it has ended or not, and a
// request of a token that is remembered no more than without a table.
func TestBudget(t *testing.T) {
	issuer, err := claimstest.New(claimstest.Config{URL: here})
	require.NoError(t, err)
	table := filled(t, here, 1000)
	caller, other := token1.claims(t), token{issuer: here, subject: "other-0"}.claims(t)
	require.NoError(t, table.Revoked(caller))
	require.Error(t, table.Revoked(other))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_ = table.Revoked(caller)
		_ = table.Revoked(other)
	}))
	op := claims.Operation{Protocol: "HTTP", Name: "GET /", Requirement: claims.Authenticated()}
	allocations := func(news claims.Revocations) float64 {
		guard, token := guarded(t, issuer, news)
		return testing.AllocsPerRun(100, func() {
			_, err := guard.Authorize(t.Context(), op, token, nil)
			require.NoError(t, err)
		})
	}
	assert.Equal(t, allocations(nil), allocations(table))
}
