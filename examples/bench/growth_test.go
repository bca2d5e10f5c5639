package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// largestVariable overrides how far the curves go.
const largestVariable = "BENCH_LARGEST"

// curve is a cost over a number that grows.
type curve struct {
	of    string
	sizes []int
	grow  func(b *testing.B, c *crowd, n int)
}

var curves = []curve{
	{"tokens", decades(100, 1_000_000), growTokens},
	{"principals", decades(100, 100_000), growPrincipals},
	{"issuers", decades(1, 10_000), growIssuers},
	{"tenants", decades(1, 10_000), growTenants},
	{"keys", decades(1, keySetSize), growKeys},
	{"methods", decades(10, 10_000), growMethods},
	{"routes", decades(10, 10_000), growRoutes},
	{"parts", []int{1, 2, 5, 10, 20}, growParts},
	{"length", []int{1 << 10, 2 << 10, 4 << 10, 8 << 10, 16000}, growLength},
}

// BenchmarkGrowth measures what an operation costs as what it stands on grows:
// each curve up to BENCH_LARGEST, or 100,000 where that is not set, or 100
// where -benchtime is a number of operations. A million tokens take 3 GB.
func BenchmarkGrowth(b *testing.B) {
	c := newCrowd(b)
	for _, curve := range curves {
		for _, n := range curve.sizes {
			if n > largest() && curve.of != "length" {
				continue
			}
			b.Run(fmt.Sprintf("of=%s/n=%d", curve.of, n), func(b *testing.B) {
				curve.grow(b, c, n)
			})
		}
	}
}

func decades(from, to int) []int {
	var sizes []int
	for n := from; n <= to; n *= 10 {
		sizes = append(sizes, n)
	}
	return sizes
}

func largest() int {
	if n, err := strconv.Atoi(os.Getenv(largestVariable)); err == nil {
		return n
	}
	if strings.HasSuffix(benchtime(), "x") {
		return 100
	}
	return 100_000
}

// arriving is how many tokens are in buffers at a time: few enough for the
// processor's cache.
const arriving = 64

// measureArriving reports what op costs for the tokens that next returns, each
// in a buffer that was just written, as it is where it came from a socket. Of
// many tokens nearly all are in cold memory otherwise, which no server would
// see.
func measureArriving(b *testing.B, next func() string, op func(token string) error) {
	b.Helper()
	var buffers [arriving][]byte
	var tokens [arriving]string
	var took, cpu time.Duration
	for b.Loop() {
		for i := range buffers {
			buffers[i] = append(buffers[i][:0], next()...)
			// Until the buffer is written again; nothing keeps a token that is
			// verified.
			tokens[i] = unsafe.String(unsafe.SliceData(buffers[i]), len(buffers[i]))
		}
		used, start := cpuTime(), time.Now()
		for _, token := range tokens {
			if err := op(token); err != nil {
				b.Fatal(err)
			}
		}
		took += time.Since(start)
		cpu += cpuTime() - used
	}
	ops := float64(b.N * arriving)
	b.ReportMetric(float64(took)/ops, "ns/op")
	if cpu > 0 {
		b.ReportMetric(float64(cpu)/ops, "cpu-ns/op")
	}
}

// inTurn returns the tokens one after the other, again and again.
func inTurn(tokens []string) (next func() string) {
	i := -1
	return func() string {
		i = (i + 1) % len(tokens)
		return tokens[i]
	}
}

// anyOf returns tokens at random, all equally often.
func anyOf(tokens []string) (next func() string) {
	return func() string { return tokens[rand.IntN(len(tokens))] }
}

// popular returns tokens at random, few of them often, by Zipf's law.
func popular(tokens []string) (next func() string) {
	const exponent = 1.07
	source := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(source, exponent, 1, uint64(len(tokens)-1))
	return func() string { return tokens[zipf.Uint64()] }
}

func growTokens(b *testing.B, c *crowd, n int) {
	tokens := c.tokens(n)
	r := c.remembering(b, n)
	op := authenticating(b.Context(), r.verifier)
	b.Run("op=uniform", func(b *testing.B) {
		measureArriving(b, anyOf(tokens), op)
		b.ReportMetric(r.bytes/float64(n), "bytes/token")
	})
	b.Run("op=zipf", func(b *testing.B) { measureArriving(b, popular(tokens), op) })
}
