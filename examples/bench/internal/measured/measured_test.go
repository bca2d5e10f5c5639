package measured_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bench.txt")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestRead(t *testing.T) {
	t.Parallel()
	r, err := measured.Read(write(t, `go: go1.25.0
BenchmarkVerify/alg=RS256/impl=b-2   10  4000 ns/op  12 allocs/op
BenchmarkVerify/alg=RS256/impl=a-2   10  1000 ns/op
BenchmarkVerify/alg=RS256/impl=b-2   10  2000 ns/op  12 allocs/op
BenchmarkVerify/alg=RS256/impl=b     10  9000 ns/op
`))
	require.NoError(t, err)
	assert.Equal(t, "go1.25.0", r.Config("go"))
	assert.Equal(t, []string{"b", "a"}, r.Labels("Verify", "impl"))
	assert.Equal(t, []string{"b", "a"}, r.Labels("Verify/alg=RS256", "impl"))
	assert.Empty(t, r.Labels("Verify/alg=ES256", "impl"))
	const name = "Verify/alg=RS256/impl=b"
	tests := []struct {
		name, unit string
		want       float64
	}{
		{name, "sec/op", 4e-6},
		{measured.OnProcessors(name, "2"), "sec/op", 3e-6},
		{measured.OnProcessors(name, "1"), "sec/op", 9e-6},
		{name, "allocs/op", 12},
	}
	for _, tt := range tests {
		got, ok := r.Median(tt.name, tt.unit)
		assert.True(t, ok, tt)
		assert.InDelta(t, tt.want, got, 1e-12, tt)
	}
	_, ok := r.Median(name, "B/op")
	assert.False(t, ok)
}

func TestRead_refuses(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "PASS\n", "BenchmarkVerify 1 x ns/op\n"} {
		_, err := measured.Read(write(t, content))
		assert.Error(t, err, "%q", content)
	}
}
