package statictoken

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Key is what tokens are minted with: whoever has it can make a token that is
// looked up, though none that is found.
type Key [32]byte

// NewKey returns a random Key.
func NewKey() Key {
	var k Key
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// String keeps the key out of logs.
func (Key) String() string { return "statictoken.Key{[redacted]}" }

// GoString keeps the key out of logs.
func (k Key) GoString() string { return k.String() }

func (k Key) encode() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// sums returns the two parts of HMAC-SHA-256 of a text (RFC 2104), without an
// allocation for texts as long as tokens are.
func (k *Key) sums(text string) (tag uint64, h hash) {
	const block = sha256.BlockSize
	var inner [block + maxPrefix + 1 + randomDigits]byte
	var outer [block + sha256.Size]byte
	for i := range block {
		inner[i], outer[i] = 0x36, 0x5c
	}
	for i := range k {
		inner[i] ^= k[i]
		outer[i] ^= k[i]
	}
	n := copy(inner[block:], text)
	first := sha256.Sum256(inner[:block+n])
	copy(outer[block:], first[:])
	whole := sha256.Sum256(outer[:])
	return binary.BigEndian.Uint64(whole[:8]), hash(whole[8:])
}
