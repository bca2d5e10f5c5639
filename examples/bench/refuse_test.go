package bench

import (
	"errors"
	"testing"
)

var errAccepted = errors.New("bench: a bad token was accepted")

// BenchmarkRefuse measures what a bad token costs the service, and how often it
// makes it fetch the issuer's keys.
func BenchmarkRefuse(b *testing.B) {
	const alg = "RS256"
	w := newWorld(b)
	for _, r := range w.refusals(alg) {
		b.Run("kind="+r.kind, func(b *testing.B) {
			for _, c := range everyContestant() {
				b.Run("impl="+c.name, func(b *testing.B) {
					refuse := verifying(b, c.warm(b, w, alg), r.tokens...)
					before := w.fetches()
					measure(b, func() error {
						if refuse() == nil {
							return errAccepted
						}
						return nil
					})
					b.ReportMetric(float64(w.fetches()-before)/float64(b.N), "fetches/op")
				})
			}
		})
	}
}
