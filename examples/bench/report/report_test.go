package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

const sample = `date: 2026-11-21
go: go1.25.0
command: make bench
BenchmarkPaired/alg=RS256/impl=a-2  10  1.5 x-primitive  1.75 cpu-x-primitive
BenchmarkVerify/alg=RS256/impl=a-2  10  41234 ns/op  42000 cpu-ns/op  4432 B/op  24 allocs/op
BenchmarkRefuse/kind=oversize-dots/impl=a-2  9 4e6 ns/op  1.25 fetches/op 1048704 B/op  5 allocs/op
BenchmarkRefuse/kind=oversize-dots/impl=b-2  9  7.5 ns/op  0 fetches/op  0 B/op  0 allocs/op
BenchmarkHTTP/impl=none-2  10  100 ns/op  3 allocs/op
BenchmarkAuthorize/needs=scope/observed-2  10  1100 ns/op  144 B/op  1 allocs/op
BenchmarkParallel/impl=a  10  40000 ns/op
BenchmarkParallel/impl=a-2  10  20000 ns/op
BenchmarkParallelRotation/impl=a-2  10  25000 ns/op  3 refused
BenchmarkEndToEnd/transport=HTTP/alg=ES256/impl=none-2  1  42000 requests/s  1 requests-x-bare  750000 p50-ns  1 p50-x-bare
BenchmarkEndToEnd/transport=HTTP/alg=ES256/impl=a-2  1  21000 requests/s  0.5 requests-x-bare  1500000 p50-ns  2 p50-x-bare
BenchmarkEndToEnd/transport=GRPC/call=open/impl=a-2  1  60000 cpu-ns/op  1.5 cpu-x-bare
BenchmarkGrowth/of=tokens/n=100/op=uniform-2  1  900 ns/op  500 cpu-ns/op  980.4 bytes/token
BenchmarkGrowth/of=tokens/n=10000/op=uniform-2  1  600 ns/op  981.2 bytes/token
BenchmarkGrowth/of=length/n=16000/op=expired-members-2  1  600000 ns/op
`

func TestReport(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bench.txt")
	require.NoError(t, os.WriteFile(path, []byte(sample), 0o600))
	r, err := measured.Read(path)
	require.NoError(t, err)
	got := report(r)
	for _, want := range []string{
		"- Command: `make bench`\n",
		"| a | 1.50 (1.75) |\n",
		"| a | 41.2 µs (42.0 µs) |\n",
		"| a | 24, 4,432 B |\n",
		"| oversize-dots | 4.00 ms (1.25) | 7.50 ns |\n",
		"| oversize-dots | 5, 1,048,704 B | 0, 0 B |\n",
		"| no guard | 100 ns | 3 | – | – |\n",
		"| a scope, with an observer | 1.10 µs | 1 |\n",
		"| no guard | 42,000 (1.00) | 750 µs (1.00) | – | – |\n",
		"| a | 21,000 (0.50) | 1.50 ms (2.00) | – | – |\n",
		"| a | – | – | – | 60.0 µs (1.50) |\n",
		"![Growth: Remembered tokens](growth-tokens.svg)\n\n|  | 100 | 10,000 |\n",
		"| each as often | 500 ns | 600 ns |\n",
		"| of the heap, each | 980 B | 981 B |\n",
		"|  | 15.6 KiB |\n",
		"| members | 600 µs |\n",
		"| a | 25,000 | 50,000 | 2.00 | – | – | – | 40,000 (3) |\n",
	} {
		assert.Contains(t, got, want)
	}
	assert.NotContains(t, got, "hundred", "a table without rows")
	assert.NotContains(t, got, "growth-length.svg", "a table without rows")
	assert.True(t, strings.HasSuffix(got, "|\n") && !strings.HasSuffix(got, "\n\n"))
}
