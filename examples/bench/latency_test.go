package bench

import (
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const floodAlg = "RS256"

// BenchmarkLatency measures how long good requests take while others send bad
// tokens of every kind in turn. Each goroutine yields after each token, as one
// that waits for its next request does; the wait for its turn counts.
func BenchmarkLatency(b *testing.B) {
	for _, senders := range []int{0, 3} {
		b.Run("bad="+strconv.Itoa(senders), func(b *testing.B) {
			for _, c := range everyContestant() {
				b.Run("impl="+c.name, func(b *testing.B) {
					w := newWorld(b)
					v := c.warm(b, w, floodAlg)
					stop := flood(b, w, v, senders)
					defer stop()
					measureLatency(b, v, w.good(floodAlg))
				})
			}
		})
	}
}

func measureLatency(b *testing.B, v verify, token string) {
	b.Helper()
	ctx := b.Context()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		runtime.Gosched()
		if _, err := v(ctx, token); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
}

// flood has senders send bad tokens until stop is called.
func flood(b *testing.B, w *world, v verify, senders int) (stop func()) {
	b.Helper()
	bad := w.refusals(floodAlg)
	ctx := b.Context()
	var stopped atomic.Bool
	var running sync.WaitGroup
	for range senders {
		running.Go(func() {
			for i := 0; !stopped.Load(); i++ {
				tokens := bad[i%len(bad)].tokens
				_, _ = v(ctx, tokens[i%len(tokens)])
				runtime.Gosched()
			}
		})
	}
	return func() {
		stopped.Store(true)
		running.Wait()
	}
}
