package bench

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// distinctTokens are as many tokens of one issuer, made once.
func distinctTokens(w *world) []string {
	tokens := make([]string, rememberedTokens)
	token := realistic(issuerKeys()["EdDSA"])
	for i := range tokens {
		token.Subject = fmt.Sprintf("auth0|%024x", i)
		tokens[i] = w.issuer.Mint(token)
	}
	return tokens
}

// BenchmarkMemory measures what a remembered token takes of the heap.
func BenchmarkMemory(b *testing.B) {
	w := newWorld(b)
	tokens := sync.OnceValue(func() []string { return distinctTokens(w) })
	b.Run("impl=sallyport-cached", func(b *testing.B) {
		for b.Loop() {
			v := cachedVerifier(b, w)
			if _, err := verifyBy(v)(b.Context(), tokens()[0]); err != nil {
				b.Fatal(err)
			}
			before := heap()
			for _, token := range tokens() {
				if _, err := verifyBy(v)(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(heap()-before)/rememberedTokens, "bytes/token")
			runtime.KeepAlive(v)
		}
	})
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
