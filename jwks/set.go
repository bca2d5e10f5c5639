package jwks

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
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

// maxCandidates is how many keys a token may be tried with that no key ID tells
// apart: each costs a signature check. The key sets of the largest public
// issuers have about twenty keys of one algorithm, and their tokens name one of
// them.
const maxCandidates = 32

// Set is an immutable set of public keys, safe for concurrent use. [Parse]
// makes one of a document, and [NewSet] of keys at hand. A zero Set has no
// keys.
//
// A Set is a [Source] too, of keys that never change: to stand behind one that
// can fail.
type Set struct {
	keys       []*Key
	skipped    []Skipped
	ids        map[string]struct{}
	fitting    map[fit][]*Key
	held       map[identity]struct{}
	alone      bool // the one key, and without ID
	thumbprint string
}

// fit is what a token asks of a key. An empty key ID asks for any key.
type fit struct{ keyID, algorithm string }

// NewSet returns the set of these keys, each an [*rsa.PublicKey], an
// [*ecdsa.PublicKey] or an [ed25519.PublicKey], without key IDs. The error
// names each key that cannot be used, by the reasons that [Skipped] has, and
// what is no public key: never give it a private one.
//
// A token that names a key ID finds the key only if it is the one of its set.
// Of several, [Parse] reads those that have IDs.
func NewSet(keys ...crypto.PublicKey) (*Set, error) {
	var errs []error
	var usable []*Key
	for i, public := range keys {
		key, reason := newKey(public)
		if reason != "" {
			errs = append(errs, fmt.Errorf(
				"jwks: NewSet: key %d of type %T: %s", i, public, reason))
			continue
		}
		usable = append(usable, key)
	}
	if len(keys) == 0 {
		errs = append(errs, errors.New("jwks: NewSet: no key"))
	}
	if len(errs) > 0 {
		return nil, &fault{FaultNoKeys, errors.Join(errs...)}
	}
	return newSet(usable, nil), nil
}

func newSet(keys []*Key, skipped []Skipped) *Set {
	s := &Set{
		keys:       keys,
		skipped:    skipped,
		ids:        make(map[string]struct{}, len(keys)),
		fitting:    make(map[fit][]*Key, 4*len(keys)),
		held:       make(map[identity]struct{}, len(keys)),
		alone:      len(keys) == 1 && keys[0].id == "",
		thumbprint: thumbprint(keys),
	}
	for _, k := range keys {
		k.identify()
		s.held[k.identity] = struct{}{}
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
// a set repeats a key ID, at most 32. For an empty keyID those are the first
// that fit the algorithm. The one key of a set, if it has no ID, is found by
// any: a key ID only chooses among keys (RFC 7515 section 4.1.4).
//
// The slice is shared and must not be modified. The context is not used; it is
// there so that a Set can stand where a [Cache] can.
//
// The error is [ErrUnknownKey] or [ErrKeyMismatch].
func (s *Set) Lookup(_ context.Context, keyID, algorithm string) ([]*Key, error) {
	return s.find(fit{keyID, algorithm})
}

func (s *Set) find(want fit) ([]*Key, error) {
	if keys := s.fitting[want]; len(keys) > 0 {
		return keys, nil
	}
	if _, known := s.ids[want.keyID]; known {
		return nil, ErrKeyMismatch
	}
	if s.alone && s.keys[0].Fits(want.algorithm) {
		return s.keys, nil
	}
	return nil, ErrUnknownKey
}

// Thumbprint returns a hash of the keys and of what they are for, whatever
// their order: equal for equal sets, so that two machines can be seen to hold
// the same.
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

// Skipped returns the keys of the document that were left out, and why: the
// first thousand of them.
func (s *Set) Skipped() []Skipped { return slices.Clone(s.skipped) }

// KeySet returns the set itself: it is a [Source] that does not fail.
func (s *Set) KeySet(context.Context, bool) (*Set, time.Duration, error) { return s, maxAge, nil }
