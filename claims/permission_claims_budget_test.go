//go:build !race

package claims_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// Beside what the token costs without them, permissions cost one allocation,
// and one more if names are put before some.
func TestBudget_permissionClaims(t *testing.T) {
	issuer := newIssuer(t, claimstest.Config{Algorithm: "RS256"})
	roles := func(roles ...string) claimSet { return claimSet{"roles": roles} }
	token := bearer(issuer.Mint(claimstest.Token{Claims: claimSet{
		"permissions": []string{
			"orders:read", "orders:write", "orders:refund", "customers:read", "invoices:read",
		},
		"realm_access": roles("default-roles-shop", "offline_access"),
		"resource_access": claimSet{
			"account": roles("manage-account", "view-profile"), "orders": roles("admin"),
		},
	}}))
	verifying := func(paths []string, want int) func() {
		verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
			cfg.MaxTokens, cfg.PermissionClaims = -1, paths
		})
		caller, err := verifier.Authenticate(t.Context(), token)
		require.NoError(t, err)
		require.Len(t, caller.Permissions(), want)
		return func() {
			_, err := verifier.Authenticate(t.Context(), token)
			require.NoError(t, err)
		}
	}
	without := verifying(nil, 0)
	for _, tt := range []struct {
		name        string
		paths       []string
		permissions int
		allocations float64
		bytes       uint64
	}{
		{"array", []string{"permissions"}, 5, 1, 5 * 16},
		{"names before some", claims.Keycloak.Config().PermissionClaims, 5, 2, 5*16 + 128},
	} {
		with := verifying(tt.paths, tt.permissions)
		assert.LessOrEqual(t, testing.AllocsPerRun(100, with),
			testing.AllocsPerRun(100, without)+tt.allocations, tt.name)
		assert.LessOrEqual(t, bytesPerRun(with), bytesPerRun(without)+tt.bytes+64, tt.name)
	}
}
