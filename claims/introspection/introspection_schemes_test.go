package introspection_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/introspection"
)

// Challenges name the schemes under which bound tokens are taken.
func TestIntrospector_Schemes(t *testing.T) {
	t.Parallel()
	a := &authority{}
	bound := []claims.Confirmer{confirmer{"jkt", "DPoP"}, confirmer{"x5t#S256", "Bearer"}}
	in := a.start(t, func(cfg *introspection.Config) { cfg.Accept.Confirmers = bound })
	want := []claims.Scheme{{Name: "DPoP"}}
	assert.Equal(t, want, in.Schemes())
	assert.Empty(t, a.start(t, func(*introspection.Config) {}).Schemes())
	assert.Empty(t, (*introspection.Introspector)(nil).Schemes())

	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Confirmers: bound,
	})
	require.NoError(t, err)
	guard, err := claims.NewGuard(claims.FirstOf(introspection.Also(verifier, in), in), claims.GuardConfig{})
	require.NoError(t, err)
	assert.Equal(t, want, guard.Schemes())
}
