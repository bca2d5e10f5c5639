package httpauth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// refusing is an Authenticator that refuses everybody for one error.
type refusing struct{ err error }

func (r refusing) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return nil, r.err
}

// refused returns a refusal as a Guard returns it for a request under a scheme.
func refused(t testing.TB, scheme string, class error, reason claims.Reason, needs claims.Requirement) *claims.Error {
	t.Helper()
	guard, err := claims.NewGuard(refusing{claims.NewError(class, reason, nil)}, claims.GuardConfig{})
	require.NoError(t, err)
	_, err = guard.Authorize(t.Context(), claims.Operation{Requirement: needs}, claims.Credentials{Scheme: scheme, Token: "t"}, nil)
	require.Error(t, err)
	return claims.AsError(err)
}

// The error stands in the challenge of the scheme that was used, first; the
// others follow where another scheme could help.
func TestChallenge_Fields(t *testing.T) {
	t.Parallel()
	const (
		bare    = `Bearer realm="r", p="q"`
		dpop    = `DPoP realm="r", p="q", algs="ES256 PS256"`
		mac     = `MAC realm="r", p="q"`
		binding = `, error="invalid_token", error_description="The access token is bound to a key that is not proven here."`
		proof   = `, error="invalid_dpop_proof", error_description="The DPoP proof is missing or not as it must be."`
		nonce   = `, error="use_dpop_nonce", error_description="The DPoP proof must have the nonce of the field DPoP-Nonce."`
		scope   = `, scope="read"`
	)
	challenge, err := httpauth.NewChallenge(httpauth.ChallengeConfig{Realm: "r", Params: []httpauth.Param{{Name: "p", Value: "q"}}})
	require.NoError(t, err)
	schemes := []claims.Scheme{{Name: "DPoP", Algorithms: "ES256 PS256"}, {Name: "MAC"}}
	read := claims.Scopes("read")
	for _, tt := range []struct {
		name    string
		refusal *claims.Error
		schemes []claims.Scheme
		want    []string
	}{
		{name: "no refusal", want: []string{bare}},
		{name: "no refusal, several schemes", schemes: schemes, want: []string{bare, dpop, mac}},
		{
			name: "no token", schemes: schemes, want: []string{bare + scope, dpop + scope, mac + scope},
			refusal: refused(t, "", claims.ErrNoToken, claims.ReasonNoToken, read),
		},
		{
			name: "bound, as Bearer", schemes: schemes, want: []string{bare + binding, dpop, mac},
			refusal: refused(t, "Bearer", claims.ErrInvalidToken, claims.ReasonBinding, claims.Authenticated()),
		},
		{
			name: "DPoP in another case", schemes: schemes, want: []string{dpop + binding + scope, bare + scope, mac + scope},
			refusal: refused(t, "dpop", claims.ErrInvalidToken, claims.ReasonBinding, read),
		},
		{
			name: "bad proof", schemes: schemes, want: []string{dpop + proof, bare, mac},
			refusal: refused(t, "DPoP", claims.ErrInvalidToken, claims.ReasonProof, claims.Authenticated()),
		},
		{
			name: "nonce", schemes: schemes, want: []string{dpop + nonce},
			refusal: refused(t, "DPoP", claims.ErrInvalidToken, claims.ReasonNonce, claims.Authenticated()),
		},
		{
			name: "a scheme that nobody takes", schemes: schemes, want: []string{bare, dpop, mac},
			refusal: refused(t, "Basic", claims.ErrNoToken, claims.ReasonUnsupportedScheme, claims.Authenticated()),
		},
		{
			name: "unavailable", schemes: schemes,
			refusal: refused(t, "DPoP", claims.ErrUnavailable, claims.ReasonUndecided, read),
		},
		{
			name: "one scheme alone", want: []string{bare + binding},
			refusal: refused(t, "DPoP", claims.ErrInvalidToken, claims.ReasonBinding, claims.Authenticated()),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := challenge.Fields(tt.refusal, tt.schemes)
			assert.Equal(t, tt.want, got)
			assert.Len(t, readAll(t, got...), len(tt.want))
		})
	}
	assert.Equal(t, []string{`Bearer realm="api"`, `DPoP realm="api", algs="ES256 PS256"`},
		httpauth.Challenge{}.Fields(nil, schemes[:1]), "of the zero Challenge")
}
