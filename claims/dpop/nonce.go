package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// nonces makes and knows nonces (RFC 9449 section 8) without keeping any: each
// is the time at which it was made, and a code that only the holder of a secret
// can make. It is immutable.
type nonces struct {
	secrets  [][]byte // the first makes new ones
	lifetime time.Duration
}

const (
	stampSize = 8
	codeSize  = 16
	nonceSize = stampSize + codeSize
	// ahead is how far the clock of the replica that made a nonce may be.
	ahead = 5 * time.Second
)

// check returns until when a nonce counts, the zero Time if it does not, and a
// new one if that is the case or will soon be.
func (n *nonces) check(nonce string, now time.Time) (until time.Time, next string) {
	made, ok := n.read(nonce)
	age := now.Sub(made)
	if !ok || age < -ahead || age >= n.lifetime {
		return time.Time{}, n.issue(now)
	}
	if age >= n.lifetime/2 {
		next = n.issue(now)
	}
	return made.Add(n.lifetime), next
}

// issue makes a nonce.
func (n *nonces) issue(now time.Time) string {
	var b [nonceSize]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixNano()))
	copy(b[stampSize:], codeOf(n.secrets[0], b[:stampSize]))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// read returns when a nonce was made, if it is one.
func (n *nonces) read(nonce string) (made time.Time, ok bool) {
	if len(nonce) != base64.RawURLEncoding.EncodedLen(nonceSize) {
		return made, false
	}
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != nonceSize {
		return made, false
	}
	for _, secret := range n.secrets {
		if hmac.Equal(codeOf(secret, b[:stampSize]), b[stampSize:]) {
			return time.Unix(0, int64(binary.BigEndian.Uint64(b))), true
		}
	}
	return made, false
}

// codeOf says that a stamp was made with a secret, and for nonces.
func codeOf(secret, stamp []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("sallyport DPoP nonce\x00"))
	h.Write(stamp)
	return h.Sum(nil)[:codeSize]
}
