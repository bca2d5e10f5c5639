package bench

import (
	"strconv"
	"strings"
	"testing"
)

func BenchmarkVerify(b *testing.B) {
	for _, alg := range algorithms {
		b.Run("alg="+alg, func(b *testing.B) {
			w := newWorld(b)
			b.Run("impl=primitive", func(b *testing.B) {
				measure(b, newPrimitive(b, issuerKeys()[alg].Public(), alg, w.good(alg)))
			})
			for _, c := range verifiers() {
				b.Run("impl="+c.name, func(b *testing.B) {
					measure(b, verifying(b, c.warm(b, w, alg), w.good(alg)))
				})
			}
		})
	}
}

// BenchmarkCached measures tokens that were verified before, a few or many in
// turn, against a verifier that remembers none.
func BenchmarkCached(b *testing.B) {
	const alg = "RS256"
	for _, count := range []int{1, 1000} {
		b.Run("tokens="+strconv.Itoa(count), func(b *testing.B) {
			w := newWorld(b)
			tokens := make([]string, count)
			for i := range tokens {
				tokens[i] = w.good(alg)
			}
			for _, c := range []contestant{uncached, cached} {
				b.Run("impl="+c.name, func(b *testing.B) {
					v := c.warm(b, w, alg)
					for _, token := range tokens {
						// A copy, as the same token has another address in each
						// request.
						if _, err := v(b.Context(), strings.Clone(token)); err != nil {
							b.Fatal(err)
						}
					}
					measure(b, verifying(b, v, tokens...))
				})
			}
		})
	}
}
