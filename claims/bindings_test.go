package claims_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// A token that is no JWT is bound as one is.
func TestBindings(t *testing.T) {
	t.Parallel()
	made, err := claims.NewBindings(
		byProof("jkt", "DPoP"), byProof("x5t#S256", "Bearer"), byProof("mac", "MAC"))
	require.NoError(t, err)
	plain, jkt, both := m{"sub": "alice"}, m{"cnf": m{"jkt": "j"}}, m{"cnf": m{"jkt": "j", "x5t#S256": "x"}}
	for _, tt := range []struct {
		name   string
		caller m
		c      claims.Credentials
		by     *claims.Bindings
		reason claims.Reason // empty if it is proven
	}{
		{name: "not bound", caller: plain, c: bearer("t"), by: made},
		{name: "not bound, in another case", caller: plain, c: proving("BEARER", "t"), by: made},
		{name: "not bound, under DPoP", caller: plain, c: proving("DPoP", "t", "j"), by: made, reason: claims.ReasonBinding},
		{name: "not bound, under another", caller: plain, c: proving("Basic", "t"), by: made, reason: claims.ReasonBinding},
		{name: "DPoP", caller: jkt, c: proving("dpop", "t", "j"), by: made},
		{name: "DPoP, another key", caller: jkt, c: proving("DPoP", "t", "k"), by: made, reason: claims.ReasonBinding},
		{name: "DPoP, no proof", caller: jkt, c: claims.Credentials{Scheme: "DPoP", Token: "t"}, by: made, reason: claims.ReasonBinding},
		{name: "DPoP as Bearer", caller: jkt, c: proving("Bearer", "t", "j"), by: made, reason: claims.ReasonBinding},
		{name: "both", caller: both, c: proving("DPoP", "t", "j", "x"), by: made},
		{name: "both, one missing", caller: both, c: proving("DPoP", "t", "j"), by: made, reason: claims.ReasonBinding},
		{name: "unknown member", caller: m{"cnf": m{"jkt": "j", "y": "y"}}, c: proving("DPoP", "t", "j", "y"), by: made, reason: claims.ReasonBinding},
		{name: "empty", caller: m{"cnf": m{}}, c: bearer("t"), by: made, reason: claims.ReasonBinding},
		{name: "null", caller: m{"cnf": nil}, c: bearer("t"), by: made, reason: claims.ReasonBinding},
		{name: "none, not bound", caller: plain, c: bearer("t")},
		{name: "none, bound", caller: both, c: proving("Bearer", "t", "j", "x"), reason: claims.ReasonBinding},
		{name: "zero, bound", caller: jkt, c: proving("DPoP", "t", "j"), by: new(claims.Bindings), reason: claims.ReasonBinding},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.by.Prove(t.Context(), says(t, tt.caller), tt.c)
			if tt.reason == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, claims.ErrInvalidToken)
			assert.Equal(t, tt.reason, claims.AsError(err).Reason())
		})
	}
	require.NoError(t, made.Prove(t.Context(), nil, bearer("t")), "nobody is bound to nothing")
}

func TestBindings_takes(t *testing.T) {
	t.Parallel()
	made, err := claims.NewBindings(byProof("jkt", "DPoP"))
	require.NoError(t, err)
	for _, b := range []*claims.Bindings{made, nil, {}} {
		assert.NoError(t, b.Takes("Bearer"))
		assert.NoError(t, b.Takes("bEARER"))
		for _, scheme := range []string{"Basic", "", "Bearer2"} {
			require.ErrorIs(t, b.Takes(scheme), claims.ErrNoToken)
			require.ErrorIs(t, b.Takes(scheme), claims.ErrUnrecognized)
		}
	}
	require.NoError(t, made.Takes("dpop"))
	require.Error(t, (*claims.Bindings)(nil).Takes("DPoP"))
}

func TestNewBindings_reportsAll(t *testing.T) {
	t.Parallel()
	_, err := claims.NewBindings(nil, byProof("jkt", "DPoP"), byProof("jkt", "DPoP"), byProof("", "Bearer"))
	require.Error(t, err)
	for _, want := range []string{
		"Confirmers[0] is nil", `Confirmers[2] proves "jkt" of cnf, as another does`, `Confirmers[3], a *claims_test.confirms, has ""`,
	} {
		assert.ErrorContains(t, err, want)
	}
}
