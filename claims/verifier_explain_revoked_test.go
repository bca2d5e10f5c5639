package claims_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/jwks"
)

// Explain says that a token was revoked, and by what, once it is told of the
// news; of one that is refused anyway it says nothing more.
func TestExplanation_With(t *testing.T) {
	t.Parallel()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	require.NoError(t, err)
	ended, err := revocation.NewTable(revocation.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	token := issuer.Mint(claimstest.Token{Subject: "alice"})
	plain := verifier.Explain(t.Context(), token)
	require.NoError(t, plain.Err)
	assert.NoError(t, plain.With(ended).Err)
	assert.Contains(t, plain.With(ended).String(), "revoked    passed")
	require.NoError(t, ended.Revoke(t.Context(), revocation.Entry{Issuer: issuer.URL(), Subject: "alice"}))
	told := plain.With(ended)
	assert.ErrorIs(t, told.Err, claims.ErrInvalidToken)
	assert.Contains(t, told.String(), `subject "alice"`)
	assert.Len(t, told.Checks, len(plain.Checks)+1)
	assert.NoError(t, plain.Err, "it is another")

	bad := verifier.Explain(t.Context(), "x").With(ended)
	assert.Equal(t, claims.ReasonMalformed, claims.AsError(bad.Err).Reason())
	assert.Equal(t, "skipped", bad.Checks[len(bad.Checks)-1].Verdict)
}
