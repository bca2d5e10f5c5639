package claims_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.PermissionClaims = []string{"permissions"}
	})
	caller, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{
		Scope: "c", Claims: claimSet{"permissions": []string{"a", "b"}},
	})))
	require.NoError(t, err)
	for name, row := range map[string]struct {
		needs claims.Requirement
		text  string
		holds bool
	}{
		"all held":     {claims.Permissions("a", "b"), `Permissions("a", "b")`, true},
		"one lacking":  {claims.Permissions("a", "c"), `Permissions("a", "c")`, false},
		"any held":     {claims.AnyPermission("x", "b"), `AnyPermission("x", "b")`, true},
		"none held":    {claims.AnyPermission("x", "y"), `AnyPermission("x", "y")`, false},
		"prefix":       {claims.Permissions("a:b"), `Permissions("a:b")`, false},
		"another case": {claims.Permissions("A"), `Permissions("A")`, false},
		"a scope":      {claims.Permissions("c"), `Permissions("c")`, false},
		"with a scope": {
			claims.All(claims.Scopes("c"), claims.Permissions("a")),
			`All(Scopes("c"), Permissions("a"))`, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, row.needs.Validate())
			assert.Equal(t, row.text, row.needs.String())
			err := row.needs.Check(t.Context(), caller)
			if row.holds {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, claims.ErrForbidden)
			assert.Empty(t, claims.AsError(err).Scope())
		})
	}
	for _, needs := range []claims.Requirement{
		claims.Permissions(), claims.Permissions(""),
		claims.AnyPermission(), claims.AnyPermission("a", ""),
	} {
		require.Error(t, needs.Validate())
		require.ErrorIs(t, needs.Check(t.Context(), caller), claims.ErrForbidden)
	}
}
