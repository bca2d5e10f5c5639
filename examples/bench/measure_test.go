package bench

import (
	"testing"
	"time"
)

// measure reports what op costs: time, processor time and memory.
func measure(b *testing.B, op func() error) {
	b.Helper()
	b.ReportAllocs()
	before := cpuTime()
	for b.Loop() {
		if err := op(); err != nil {
			b.Fatal(err)
		}
	}
	reportCPU(b, cpuTime()-before)
}

// verifying is op for measure: it verifies the tokens in turn.
func verifying(b *testing.B, v verify, tokens ...string) func() error {
	b.Helper()
	ctx, next := b.Context(), 0
	return func() error {
		token := tokens[next]
		if next++; next == len(tokens) {
			next = 0
		}
		_, err := v(ctx, token)
		return err
	}
}

func reportCPU(b *testing.B, used time.Duration) {
	if used > 0 {
		b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/op")
	}
}
