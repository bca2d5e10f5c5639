package bench

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const parallelAlg = "RS256"

// nextKey is the key of a rotation.
var nextKey = sync.OnceValue(func() *claimstest.Key { return claimstest.MustKey(parallelAlg) })

// BenchmarkParallel measures the throughput of all cores; -cpu 1,2 compares two
// with one.
func BenchmarkParallel(b *testing.B) {
	w := newWorld(b)
	b.Run("impl=primitive", func(b *testing.B) {
		op := newPrimitive(b, issuerKeys()[parallelAlg].Public(), parallelAlg, w.good(parallelAlg))
		v := func(context.Context, string) (string, error) { return subject, op() }
		verifySteadily(b, v, "")
	})
	for _, c := range everyContestant() {
		b.Run("impl="+c.name, func(b *testing.B) {
			verifySteadily(b, c.warm(b, w, parallelAlg), w.good(parallelAlg))
		})
	}
}

func verifySteadily(b *testing.B, v verify, token string) {
	b.Helper()
	same := func() string { return token }
	if refused := verifyInParallel(b, v, token, same); refused > 0 {
		b.Errorf("%d good tokens were refused", refused)
	}
}

// BenchmarkParallelRotation is BenchmarkParallel with a key that is published,
// and signs all tokens, from the middle of the run on. Only those contestants
// are here that find such a key before their keys are due. Good tokens that are
// refused all the same, as while the key is fetched, are counted.
func BenchmarkParallelRotation(b *testing.B) {
	for _, c := range everyContestant() {
		if !c.followsRotation {
			continue
		}
		b.Run("impl="+c.name, func(b *testing.B) {
			w := newWorld(b)
			v := c.warm(b, w, parallelAlg)
			fetched := w.fetches()
			after := w.issuer.Mint(realistic(nextKey()))
			publish := w.announce(nextKey())
			refused := verifyInParallel(b, v, w.good(parallelAlg), func() string {
				publish()
				return after
			})
			b.ReportMetric(float64(refused), "refused")
			b.ReportMetric(float64(w.fetches()-fetched), "fetches")
		})
	}
}

// verifyInParallel verifies the token that is current: before, and from the
// middle of the run on what rotate returns. It returns how many were refused.
func verifyInParallel(
	b *testing.B, v verify, before string, rotate func() string,
) (refused int64) {
	b.Helper()
	var current atomic.Pointer[string]
	current.Store(&before)
	var once sync.Once
	var errs atomic.Int64
	// Each goroutine counts for itself, as a count in common would be a place
	// where they wait for each other.
	middle := b.N / (2 * runtime.GOMAXPROCS(0))
	ctx := b.Context()
	b.ReportAllocs()
	b.ResetTimer()
	used := cpuTime()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if i == middle {
				once.Do(func() {
					after := rotate()
					current.Store(&after)
				})
			}
			if _, err := v(ctx, *current.Load()); err != nil {
				errs.Add(1)
			}
		}
	})
	reportCPU(b, cpuTime()-used)
	return errs.Load()
}
