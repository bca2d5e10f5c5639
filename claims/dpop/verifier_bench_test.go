package dpop_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

// BenchmarkVerifier is what a token costs that was verified before: a plain
// one, and one that is bound to a key, with its proof, signature and all.
func BenchmarkVerifier(b *testing.B) {
	issuer := claimstest.Start(b, claimstest.Config{})
	verifier := func(confirmers ...claims.Confirmer) *claims.Verifier {
		v, err := claims.NewVerifier(claims.Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Confirmers: confirmers,
		})
		require.NoError(b, err)
		return v
	}
	plain := issuer.Mint(claimstest.Token{})
	for name, v := range map[string]*claims.Verifier{
		"plain": verifier(), "plain, where DPoP is taken": verifier(newConfirmer(b, dpop.Config{})),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := v.Authenticate(b.Context(), claims.Credentials{Scheme: "Bearer", Token: plain})
				require.NoError(b, err)
			}
		})
	}
	for _, algorithm := range []string{"ES256", "EdDSA", "PS256"} {
		b.Run("DPoP/"+algorithm, func(b *testing.B) {
			v, key := verifier(newConfirmer(b, dpop.Config{})), claimstest.MustKey(algorithm)
			token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": key.Thumbprint()}}})
			proofs := make([]string, b.N)
			for i := range proofs {
				proofs[i] = key.Prove(claimstest.Proof{Method: "GET", URL: orderURL, Token: token})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, proof := range proofs {
				_, err := v.Authenticate(b.Context(), claims.Credentials{
					Scheme: "DPoP", Token: token, Proof: &request{"GET", orderURL, []string{proof}, map[string]string{}},
				})
				require.NoError(b, err)
			}
		})
	}
}
