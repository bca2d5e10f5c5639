//go:build !race

package claims_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// To look up the permissions of a caller who is remembered allocates nothing
// beyond the context that every request has.
//
// It is not parallel: what others allocate would count.
func TestBudget_permissions(t *testing.T) {
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.PermissionClaims = []string{"permissions"} })
	cache := cacheOf(t, granting(claims.Grants{
		Permissions: []string{"by-source"}, Workspaces: map[string][]string{"w": {"in-w"}},
	}), claims.PermissionCacheConfig{})
	token := accessToken(issuer, claimstest.Token{})
	for name, row := range map[string]struct {
		source claims.PermissionSource
		needs  claims.Requirement
	}{
		"authenticated":            {needs: claims.Authenticated()},
		"a scope":                  {needs: claims.Scopes("orders:read")},
		"by the token":             {needs: claims.Permissions("orders:refund")},
		"by the token, and source": {cache, claims.Permissions("orders:refund")},
		"by the source":            {cache, claims.Permissions("by-source")},
		"by both": {cache, claims.All(
			claims.Scopes("orders:read"), claims.Permissions("orders:refund", "by-source"))},
		"one of several": {cache, claims.AnyPermission("none", "by-source")},
		"in a workspace": {cache, claims.InWorkspace("w", claims.Permissions("in-w"))},
		"in that of the request": {cache, claims.InWorkspaceOf("w",
			func(r *message) string { return r.workspace }, claims.Permissions("in-w"))},
	} {
		guard, err := claims.NewGuard(verifier, claims.GuardConfig{Permissions: row.source})
		require.NoError(t, err)
		call := attempt{Operation: "o", Needs: row.needs, Credentials: token, Request: &message{"w"}}
		authorize := func() {
			ctx, err := decide(t.Context(), guard, call)
			if err != nil || ctx == nil {
				t.Fatal(name, err)
			}
		}
		authorize() // it is remembered from now on
		assert.LessOrEqual(t, testing.AllocsPerRun(100, authorize), 1.0, name)
	}
	// A refusal costs no more.
	guard, err := claims.NewGuard(verifier, claims.GuardConfig{Permissions: cache})
	require.NoError(t, err)
	call := attempt{Needs: claims.Permissions("none"), Credentials: token}
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := decide(t.Context(), guard, call); err == nil {
			t.Fatal("allowed")
		}
	}), 1.0)
}
