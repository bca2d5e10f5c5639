package jwks

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Look-up errors. Test for them with [errors.Is].
var (
	// ErrUnknownKey means that the key set is known and has no key with this
	// key ID, or, for a token that names none, none for its algorithm.
	ErrUnknownKey = errors.New("jwks: unknown key")

	// ErrKeyMismatch means that the key set has a key with this key ID and it
	// is not for this algorithm: another type, another curve, or bound to
	// another algorithm by its "alg" (RFC 7517 section 4.4).
	ErrKeyMismatch = errors.New("jwks: key does not fit the algorithm")

	// ErrUnavailable means that no key set is known that could decide. It
	// comes as an [*UnavailableError].
	ErrUnavailable = errors.New("jwks: key set unavailable")
)

// maxCandidates is how many keys a token without a key ID may be tried with:
// each costs a signature check.
const maxCandidates = 4

// Key is one public key of a set that signatures can be checked with. It is
// immutable.
type Key struct {
	id         string
	issuer     string
	public     crypto.PublicKey
	algorithms []string
	thumbprint []byte // RFC 7638, SHA-256
}

// ID returns the key ID ("kid", RFC 7517 section 4.5), empty if the key has
// none.
func (k *Key) ID() string { return k.id }

// Public returns the key: an [*rsa.PublicKey], an [*ecdsa.PublicKey] on P-256,
// P-384 or P-521, or an [ed25519.PublicKey]. It must not be modified.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Issuer returns the issuer that the key is for, by its "issuer" member, empty if
// it has none. Microsoft Entra marks so which of the keys that all its tenants
// share belong to one of them.
func (k *Key) Issuer() string { return k.issuer }

// Thumbprint returns the SHA-256 thumbprint of the key in base64url (RFC 7638): the
// same for the same key, whatever its ID and the other members of its JWK.
func (k *Key) Thumbprint() string { return base64.RawURLEncoding.EncodeToString(k.thumbprint) }

// Equal reports whether two keys are the same, and for the same: whether a
// signature that one was found to have made counts for the other.
func (k *Key) Equal(other *Key) bool {
	return k == other || k != nil && other != nil && k.id == other.id && k.issuer == other.issuer &&
		bytes.Equal(k.thumbprint, other.thumbprint) && slices.Equal(k.algorithms, other.algorithms)
}

// Fits reports whether the key fits a signature algorithm: whether it is among
// Algorithms.
func (k *Key) Fits(algorithm string) bool { return slices.Contains(k.algorithms, algorithm) }

// Algorithms returns the signature algorithms ("alg", RFC 7518 section 3.1)
// that the key fits, by its type, its curve and its own "alg".
func (k *Key) Algorithms() []string { return slices.Clone(k.algorithms) }

// Skipped is a key of a key set document that was left out.
type Skipped struct {
	// Index is the key's place in the document's "keys", from 0.
	Index int
	// KeyID is its "kid", as far as it could be read, cut to 64 bytes.
	KeyID string
	// Reason says why, in one of a few fixed words: "malformed",
	// "unsupported_type", "unsupported_curve", "unsupported_algorithm", "use",
	// "key_ops", "key_size", "private".
	Reason string
}

// Set is an immutable set of public keys, safe for concurrent use. [Parse]
// makes one.
type Set struct {
	keys       []*Key
	skipped    []Skipped
	ids        map[string]struct{}
	fitting    map[fit][]*Key
	thumbprint string
}

// fit is what a token asks of a key. An empty key ID asks for any key.
type fit struct{ keyID, algorithm string }

func newSet(keys []*Key, skipped []Skipped) *Set {
	s := &Set{
		keys:       keys,
		skipped:    skipped,
		ids:        make(map[string]struct{}, len(keys)),
		fitting:    make(map[fit][]*Key, 4*len(keys)),
		thumbprint: thumbprint(keys),
	}
	for _, k := range keys {
		if k.id != "" {
			s.ids[k.id] = struct{}{}
		}
		for _, alg := range k.algorithms {
			s.add(fit{"", alg}, k)
			if k.id != "" {
				s.add(fit{k.id, alg}, k)
			}
		}
	}
	return s
}

func (s *Set) add(f fit, k *Key) {
	if len(s.fitting[f]) < maxCandidates {
		s.fitting[f] = append(s.fitting[f], k)
	}
}

// Lookup returns the keys that a signature of the given algorithm, made by the
// key with the given ID, can be checked with: nearly always one, several where
// a set repeats a key ID, at most 4. For an empty keyID those are the first that
// fit the algorithm.
//
// The slice is shared and must not be modified. The context is not used; it is
// there so that a Set can stand where a [Cache] can.
//
// The error is [ErrUnknownKey] or [ErrKeyMismatch].
func (s *Set) Lookup(_ context.Context, keyID, algorithm string) ([]*Key, error) {
	if keys := s.fitting[fit{keyID, algorithm}]; len(keys) > 0 {
		return keys, nil
	}
	if _, known := s.ids[keyID]; known {
		return nil, ErrKeyMismatch
	}
	return nil, ErrUnknownKey
}

// Thumbprint returns a hash of the keys and of what they are for, whatever their
// order: equal for equal sets, so that two machines can be seen to hold the same.
func (s *Set) Thumbprint() string { return s.thumbprint }

func thumbprint(keys []*Key) string {
	lines := make([]string, len(keys))
	for i, k := range keys {
		lines[i] = fmt.Sprintf("%q %q %q %x\n", k.id, k.issuer, k.algorithms, k.thumbprint)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Keys returns the keys of the set in the order of its document.
func (s *Set) Keys() []*Key { return slices.Clone(s.keys) }

// Skipped returns the keys of the document that were left out, and why.
func (s *Set) Skipped() []Skipped { return slices.Clone(s.skipped) }
