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
`

func TestDraw(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "bench.txt")
	require.NoError(t, os.WriteFile(in, []byte(sample), 0o600))
	require.NoError(t, drawAll(in, dir))
	for _, name := range []string{"verify.svg", "refuse.svg"} {
		file, err := os.Open(filepath.Join(dir, name))
		require.NoError(t, err)
		defer file.Close()
		decoder := xml.NewDecoder(file)
		for err == nil {
			_, err = decoder.Token()
		}
		assert.True(t, errors.Is(err, io.EOF), "%s: %v", name, err)
	}
}

func TestDraw_refuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "bench.txt")
	require.NoError(t, os.WriteFile(in, []byte("BenchmarkOther 1 5 ns/op\n"), 0o600))
	assert.ErrorIs(t, drawAll(in, dir), errNothing)
}

func TestUnit(t *testing.T) {
	t.Parallel()
	for exponent, want := range map[int]string{
		0: "1 s", -1: "100 ms", -3: "1 ms", -4: "100 µs", -6: "1 µs", -9: "1 ns",
		1: "1e1 s", -10: "1e-10 s",
	} {
		assert.Equal(t, want, unit(exponent), exponent)
	}
}
