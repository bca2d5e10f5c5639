package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sample = `BenchmarkPaired/alg=RS256/impl=primitive-2  10  1.0 x-primitive
BenchmarkPaired/alg=RS256/impl=a-2  10  1.5 x-primitive
BenchmarkRefuse/kind=garbage/impl=a-2  10  41000 ns/op
BenchmarkRefuse/kind=expired/impl=a-2  10  7.5 ns/op
BenchmarkEndToEnd/transport=HTTP/alg=RS256/impl=none-2  1  1 cpu-x-bare
BenchmarkEndToEnd/transport=HTTP/alg=RS256/impl=a-2  1  3 cpu-x-bare
BenchmarkGrowth/of=tokens/n=100/op=uniform-2  1  600 ns/op
BenchmarkGrowth/of=length/n=1024/op=cached-string-2  1  700 ns/op
BenchmarkGrowth/of=length/n=16000/op=cached-string-2  1  7000 ns/op
`

func TestDraw(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "bench.txt")
	require.NoError(t, os.WriteFile(in, []byte(sample), 0o600))
	require.NoError(t, drawAll(in, dir))
	for _, name := range []string{
		"verify.svg", "refuse.svg", "endtoend.svg", "growth-tokens.svg", "growth-length.svg",
	} {
		file, err := os.Open(filepath.Join(dir, name))
		require.NoError(t, err)
		defer file.Close()
		decoder := xml.NewDecoder(file)
		for err == nil {
			_, err = decoder.Token()
		}
		assert.True(t, errors.Is(err, io.EOF), "%s: %v", name, err)
	}
	assert.NoFileExists(t, filepath.Join(dir, "growth-issuers.svg"), "nothing was measured")
}

func TestDraw_refuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "bench.txt")
	require.NoError(t, os.WriteFile(in, []byte("BenchmarkOther 1 5 ns/op\n"), 0o600))
	assert.ErrorIs(t, drawAll(in, dir), errNothing)
}

func TestTimeTicks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		low, high float64
		want      []string
	}{
		{3e-9, 41e-6, []string{"1 ns", "10 ns", "100 ns", "1 µs", "10 µs", "100 µs"}},
		{0.6e-6, 4e-6, []string{"500 ns", "1 µs", "2 µs", "5 µs"}},
		{1e-6, 2e-6, []string{"1 µs", "2 µs"}},
		{1e-3, 1e-3, []string{"1 ms", "2 ms"}},
		{0.2, 3, []string{"200 ms", "500 ms", "1 s", "2 s", "5 s"}},
	} {
		var got []string
		for _, tick := range timeTicks(tt.low, tt.high) {
			got = append(got, tick.Label)
		}
		assert.Equal(t, tt.want, got, "%g to %g", tt.low, tt.high)
	}
}
