package dpop

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/jwks"
)

const (
	knownKeys = 4096
	// maxKnown is how long a JWK may be that is remembered, in bytes: one of
	// RSA with 4096 bits has some 750.
	maxKnown = 1 << 10
)

// keyring remembers keys by the text of their JWK: a client sends the same with
// each proof, and to read it costs more than to check the signature. It is
// bounded, and has only keys that a proof for a token bound to them was signed
// with. It is safe for concurrent use.
type keyring struct {
	seed   maphash.Seed
	places [knownKeys]atomic.Pointer[knownKey]
}

// knownKey is a key with the text and the algorithm that it was read by.
type knownKey struct {
	text, algorithm string
	key             *jwks.Key
}

func newKeyring() *keyring { return &keyring{seed: maphash.MakeSeed()} }

func (k *keyring) place(text string) *atomic.Pointer[knownKey] {
	return &k.places[maphash.String(k.seed, text)%knownKeys]
}

// find returns the key, nil if it is not known.
func (k *keyring) find(text, algorithm string) *jwks.Key {
	known := k.place(text).Load()
	if known == nil || known.text != text || known.algorithm != algorithm {
		return nil
	}
	return known.key
}

// add remembers a key, in the place of another if need be.
func (k *keyring) add(text, algorithm string, key *jwks.Key) {
	if len(text) <= maxKnown {
		// A copy: it is a part of something larger.
		k.place(text).Store(&knownKey{strings.Clone(text), strings.Clone(algorithm), key})
	}
}
