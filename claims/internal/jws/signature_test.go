package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A key of another type than the algorithm's, or none at all, verifies nothing.
func TestVerifySignature_otherKeys(t *testing.T) {
	t.Parallel()
	edKey, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for _, tt := range []struct {
		name       string
		Asymmetric []string
		key        crypto.PublicKey
	}{
		{name: "Ed25519 key", Asymmetric: []string{"RS256", "PS256", "ES256", "ES512"}, key: edKey},
		{name: "P-256 key", Asymmetric: []string{"RS256", "PS256", "ES384", "EdDSA"}, key: &ecKey.PublicKey},
		{name: "RSA key of nothing", Asymmetric: []string{"ES256", "EdDSA", "Ed25519"}, key: &rsa.PublicKey{}},
		{name: "Ed25519 key of a byte", Asymmetric: []string{"EdDSA", "Ed25519"}, key: ed25519.PublicKey{1}},
		{name: "Ed25519 key of nothing", Asymmetric: []string{"EdDSA", "Ed25519"}, key: ed25519.PublicKey(nil)},
		{name: "no key", Asymmetric: []string{"RS256", "PS256", "ES256", "EdDSA"}, key: nil},
		{name: "secret", Asymmetric: []string{"RS256", "PS256", "ES256", "EdDSA"}, key: Secret(func() []byte { return []byte("x") })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, alg := range tt.Asymmetric {
				for _, size := range []int{0, 64, 96, 132, 256} {
					assert.False(t, Asymmetric.Verify(alg, tt.key, []byte("x"), make([]byte, size)), alg)
				}
			}
		})
	}
}

// Only a secret makes a MAC.
func TestSymmetric_otherKeys(t *testing.T) {
	t.Parallel()
	of := func(key []byte) []byte {
		h := hmac.New(crypto.SHA256.New, key)
		h.Write([]byte("x"))
		return h.Sum(nil)
	}
	key := []byte("0123456789abcdef0123456789abcdef")
	verify := Symmetric["HS256"]
	assert.True(t, verify(Secret(func() []byte { return key }), []byte("x"), of(key)))
	for _, other := range []crypto.PublicKey{key, string(key), ed25519.PublicKey(key), nil} {
		assert.False(t, verify(other, []byte("x"), of(key)), "%T", other)
	}
	assert.False(t, verify(nil, []byte("x"), of(nil)), "nor does the empty one")
}

// What is written is what encoding/asn1 writes, whatever the numbers are.
func TestAppendDER(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 32, 48, 59, 60, 61, 62, 66} {
		numbers := [][]byte{make([]byte, size)}
		for place := range size {
			for _, value := range []byte{0x01, 0x7f, 0x80, 0xff} {
				n := make([]byte, size)
				n[place] = value
				numbers = append(numbers, n)
			}
		}
		for _, r := range numbers {
			for _, s := range [][]byte{numbers[0], numbers[1], numbers[3], numbers[len(numbers)-1], r} {
				want, err := asn1.Marshal(struct{ R, S *big.Int }{
					new(big.Int).SetBytes(r), new(big.Int).SetBytes(s),
				})
				require.NoError(t, err)
				require.Equal(t, want, appendDER(nil, r, s), "%x and %x", r, s)
			}
		}
	}
	longest := elliptic.P521().Params().N.Bytes()
	assert.Len(t, appendDER(nil, longest, longest), maxDER)
}

func TestName(t *testing.T) {
	t.Parallel()
	for _, set := range []Algorithms{Asymmetric, Symmetric} {
		for name := range set {
			assert.Equal(t, name, Name(name))
		}
	}
	assert.Empty(t, Name("none"))
}
