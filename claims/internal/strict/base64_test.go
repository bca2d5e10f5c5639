package strict

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// decodedByLibrary is decode by encoding/base64, whose strictness has one gap.
func decodedByLibrary(segment string) ([]byte, bool) {
	if strings.ContainsAny(segment, "\r\n") {
		return nil, false
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	return decoded, err == nil && len(decoded) > 0
}

func assertSameAsLibrary(t testing.TB, segment string) {
	t.Helper()
	want, ok := decodedByLibrary(segment)
	got, gotOK := Decode(nil, []byte(segment))
	require.Equal(t, ok, gotOK, "%q", segment)
	if ok {
		assert.Equal(t, want, got, "%q", segment)
	}
}

// Every byte at each place, and each pair and triple of characters at the end.
func TestDecode_allCharacters(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for place := range 9 {
			segment := []byte("AAAAAAAAA")
			segment[place] = byte(c)
			for length := range len(segment) + 1 {
				assertSameAsLibrary(t, string(segment[:length]))
			}
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=\n"
	for _, a := range []byte(alphabet) {
		for _, b := range []byte(alphabet) {
			assertSameAsLibrary(t, string([]byte{a, b}))
			assertSameAsLibrary(t, string([]byte{'A', a, b}))
		}
	}
}

func TestDecode_buffer(t *testing.T) {
	buffer := make([]byte, 0, 8)
	decoded, ok := Decode(buffer, []byte("YWJj"))
	require.True(t, ok)
	assert.Equal(t, "abc", string(decoded))
	assert.Same(t, &buffer[:1][0], &decoded[0], "while it is large enough")
	decoded, ok = Decode(decoded, []byte("ZGVmZ2hpams"))
	require.True(t, ok)
	assert.Equal(t, "defghijk", string(decoded))
	decoded, ok = Decode(decoded, []byte("!!!!"))
	assert.False(t, ok)
	assert.Empty(t, decoded, "nothing is left of what was there")
	assert.Zero(t, testing.AllocsPerRun(10, func() { Decode(decoded, []byte("YWJj")) }))
}

func FuzzDecode(f *testing.F) {
	for _, segment := range []string{"", "A", "AA", "AQ", "AAA", "AAAA", "YWJj\n", "_-_-", "+/==", "é"} {
		f.Add(segment)
	}
	f.Fuzz(func(t *testing.T, segment string) { assertSameAsLibrary(t, segment) })
}
