package statictoken

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
)

const (
	randomDigits = 22
	tagDigits    = 11
	sumDigits    = 6
	digits       = randomDigits + tagDigits + sumDigits

	defaultPrefix = "sallyport"
	maxPrefix     = 32

	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

var (
	errMistyped  = errors.New("statictoken: the checksum of the token is wrong")
	errNotMinted = errors.New("statictoken: the token was not minted with this key")
)

// checkPrefix returns what is wrong with a prefix.
func checkPrefix(prefix string) error {
	if prefix == "" || len(prefix) > maxPrefix {
		return fmt.Errorf("must have 1 to %d characters", maxPrefix)
	}
	for _, c := range prefix {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return errors.New("must be of a-z, 0-9 and _")
		}
	}
	return nil
}

// isOfForm reports whether a token is one of this prefix, right or wrong.
func isOfForm(token, prefix string) bool {
	return len(token) > len(prefix) && token[len(prefix)] == '_' && token[:len(prefix)] == prefix
}

// newSecret returns a token, with its hash.
func newSecret(key Key, prefix string) (token, hash string) {
	var b strings.Builder
	b.WriteString(prefix + "_")
	most := big.NewInt(int64(len(base62)))
	for range randomDigits {
		n, err := rand.Int(rand.Reader, most)
		if err != nil { // it never does
			panic(err)
		}
		b.WriteByte(base62[n.Int64()])
	}
	tag, sum := key.sums(b.String())
	text := appendDigits([]byte(b.String()), tag, tagDigits)
	text = appendDigits(text, uint64(checksum(string(text))), sumDigits)
	return string(text), sum.String()
}

// open returns the hash of a token that isOfForm.
func open(key *Key, token, prefix string) (hash hash, err error) {
	if err := checkForm(token, prefix); err != nil {
		return hash, err
	}
	end := len(token) - tagDigits - sumDigits
	tag, hash := key.sums(token[:end])
	var want [tagDigits]byte
	appendDigits(want[:0], tag, tagDigits)
	if subtle.ConstantTimeCompare(want[:], []byte(token[end:end+tagDigits])) != 1 {
		return hash, errNotMinted
	}
	return hash, nil
}

// checkForm tells a token that was mistyped or cut off.
func checkForm(token, prefix string) error {
	if len(token) != len(prefix)+1+digits {
		return errMistyped
	}
	end := len(token) - sumDigits
	var want [sumDigits]byte
	appendDigits(want[:0], uint64(checksum(token[:end])), sumDigits)
	if string(want[:]) != token[end:] {
		return errMistyped
	}
	return nil
}

// checksum is crc32.ChecksumIEEE of a text, without a copy of it.
func checksum(text string) uint32 {
	sum := ^uint32(0)
	for i := range len(text) {
		sum = crc32.IEEETable[byte(sum)^text[i]] ^ sum>>8
	}
	return ^sum
}

// appendDigits appends n in base 62, the highest digit first.
func appendDigits(to []byte, n uint64, count int) []byte {
	start := len(to)
	for range count {
		to = append(to, '0')
	}
	for i := start + count - 1; i >= start; i-- {
		to[i] = base62[n%62]
		n /= 62
	}
	return to
}

// hash is what is kept of a token.
type hash [24]byte

func (h hash) String() string { return base64.RawURLEncoding.EncodeToString(h[:]) }

// index is the part of a hash that it is found by.
func (h hash) index() uint64 { return binary.LittleEndian.Uint64(h[:]) }

func (h hash) equal(other hash) bool { return subtle.ConstantTimeCompare(h[:], other[:]) == 1 }
