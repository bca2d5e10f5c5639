package tokencache

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hashes are those that may be chosen.
func hashes(t testing.TB) map[string]*Hash {
	t.Helper()
	all := map[string]*Hash{"SHA-256": newSHA256()}
	if gmac := newGMAC(); gmac != nil {
		all["GMAC"] = gmac
	} else {
		assert.Contains(t, os.Getenv("GODEBUG"), "fips140=only")
	}
	return all
}

func (h *Hash) of(token []byte) (sum Sum) {
	h.Sum(&sum, append(bytes.Clone(h.Seed()), token...))
	return sum
}

// The same token has the same Sum, and one that differs in a bit, or in its
// length, another.
func TestHash_everyBitCounts(t *testing.T) {
	t.Parallel()
	for name, h := range hashes(t) {
		for _, length := range []int{0, 1, 15, 16, 17, 31, 32, 33, 127, 128, 129, 900} {
			token := make([]byte, length)
			_, _ = rand.Read(token)
			seen := map[Sum]bool{h.of(token): true}
			require.Equal(t, h.of(token), h.of(bytes.Clone(token)), name)
			for bit := range 8 * length {
				token[bit/8] ^= 1 << (bit % 8)
				seen[h.of(token)] = true
				token[bit/8] ^= 1 << (bit % 8)
			}
			for _, longer := range [][]byte{
				append(bytes.Clone(token), 0), append([]byte{0}, token...),
				append(bytes.Clone(token), make([]byte, 16)...),
			} {
				seen[h.of(longer)] = true
			}
			want := 1 + 8*length + 3
			if length == 0 {
				want-- // a zero before nothing is a zero behind it
			}
			assert.Len(t, seen, want, "%s of %d bytes", name, length)
		}
	}
}

// Keys are a Hash's own.
func TestHash_keys(t *testing.T) {
	t.Parallel()
	for name := range hashes(t) {
		seen := map[Sum]bool{}
		for range 20 {
			seen[hashes(t)[name].of([]byte("token"))] = true
		}
		assert.Len(t, seen, 20, name)
	}
}

// A Sum of GMAC is no tag, which would give the key away: it is one that
// another key has encrypted.
func TestHash_noTag(t *testing.T) {
	t.Parallel()
	h := newGMAC()
	if h == nil {
		t.Skip("FIPS 140-only mode forbids it")
	}
	tag := h.gmac.Seal(nil, nonce, nil, []byte("token"))
	sum := h.of([]byte("token"))
	assert.NotEqual(t, tag, sum[:])
	h.block.Decrypt(sum[:], sum[:])
	assert.Equal(t, tag, sum[:])
}

// The tags under it are those of the standard's own test case.
func TestHash_vector(t *testing.T) {
	t.Parallel()
	block, err := aes.NewCipher(make([]byte, 16))
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Skip("FIPS 140-only mode forbids it")
	}
	// GCM specification, test case 1.
	assert.Equal(t, "58e2fccefa7e3061367f1d57a4e7455a", fmt.Sprintf("%x", gcm.Seal(nil, nonce, nil, nil)))
}

func TestHash_noAllocation(t *testing.T) {
	for name, h := range hashes(t) {
		sum, token := new(Sum), append(bytes.Clone(h.Seed()), make([]byte, 1000)...)
		assert.Zero(t, testing.AllocsPerRun(100, func() { h.Sum(sum, token) }), name)
	}
}

// What is chosen, in a process with other settings.
func TestNewHash(t *testing.T) {
	if os.Getenv("SALLYPORT_HASH") != "" {
		fmt.Printf("hash: %v\n", NewHash().gmac != nil)
		return
	}
	t.Parallel()
	hardware := hasAES && !strings.Contains(os.Getenv("GODEBUG"), "fips140=only")
	assert.Equal(t, hardware, NewHash().gmac != nil)
	for setting, gmac := range map[string]bool{
		"fips140=off": hasAES, "fips140=on": hasAES, "fips140=only": false, "cpu.aes=off": false,
	} {
		if setting == "cpu.aes=off" && runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
			continue
		}
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNewHash$")
		child.Env = append(os.Environ(), "SALLYPORT_HASH=child", "GODEBUG="+setting)
		out, err := child.CombinedOutput()
		require.NoError(t, err, "%s: %s", setting, out)
		assert.Contains(t, string(out), fmt.Sprintf("hash: %v\n", gmac), setting)
	}
}

func BenchmarkHash(b *testing.B) {
	for name, h := range hashes(b) {
		for _, length := range []int{966, 4 << 10, 16 << 10} {
			b.Run(fmt.Sprintf("%s/%d", name, length), func(b *testing.B) {
				sum, token := new(Sum), append(bytes.Clone(h.Seed()), make([]byte, length)...)
				b.SetBytes(int64(length))
				for b.Loop() {
					h.Sum(sum, token)
				}
			})
		}
	}
}
