package dpop_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

// BenchmarkConfirmer is what a proof costs beside the token that it goes with,
// for each kind of key.
func BenchmarkConfirmer(b *testing.B) {
	for _, algorithm := range []string{"ES256", "EdDSA", "PS256"} {
		b.Run(algorithm, func(b *testing.B) {
			c, key := newConfirmer(b, dpop.Config{}), claimstest.MustKey(algorithm)
			proofs := make([]string, b.N)
			for i := range proofs {
				proofs[i] = proofOf(key, claimstest.Proof{})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, proof := range proofs {
				_, err := ask(b, c, key, orderURL, proof)
				require.NoError(b, err)
			}
		})
	}
}
