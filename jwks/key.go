package jwks

import (
	"crypto"
	"encoding/base64"
	"slices"
	"strings"
	"unique"
)

// Key is one public key of a set that signatures can be checked with. It is
// immutable. A zero Key fits no algorithm.
type Key struct {
	id         string
	issuer     string
	public     crypto.PublicKey
	algorithms []string
	thumbprint []byte // RFC 7638, SHA-256
	identity   identity
}

// identity stands for all that tells keys apart: two are the same if these are.
type identity = unique.Handle[identityOf]

type identityOf struct{ id, issuer, algorithms, thumbprint string }

// identify is called once all else of a key is known.
func (k *Key) identify() {
	k.identity = unique.Make(identityOf{
		k.id, k.issuer, strings.Join(k.algorithms, " "), string(k.thumbprint),
	})
}

// ID returns the key ID ("kid", RFC 7517 section 4.5), empty if the key has
// none.
func (k *Key) ID() string { return k.id }

// Public returns the key: an [*rsa.PublicKey], an [*ecdsa.PublicKey] on P-256,
// P-384 or P-521, or an [ed25519.PublicKey]. It must not be modified.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Issuer returns the issuer that the key is for, by its "issuer" member, empty
// if it has none. Microsoft Entra marks so which of the keys that all its
// tenants share belong to one of them.
func (k *Key) Issuer() string { return k.issuer }

// Thumbprint returns the SHA-256 thumbprint of the key in base64url (RFC 7638):
// the same for the same key, whatever its ID and the other members of its JWK.
func (k *Key) Thumbprint() string { return base64.RawURLEncoding.EncodeToString(k.thumbprint) }

// Equal reports whether two keys are the same, and for the same: whether a
// signature that one was found to have made counts for the other.
func (k *Key) Equal(other *Key) bool {
	return k == other || k != nil && other != nil && k.identity == other.identity
}

// Fits reports whether the key fits a signature algorithm: whether it is among
// Algorithms.
func (k *Key) Fits(algorithm string) bool { return slices.Contains(k.algorithms, algorithm) }

// Algorithms returns the signature algorithms ("alg", RFC 7518 section 3.1)
// that the key fits, by its type, its curve and its own "alg".
func (k *Key) Algorithms() []string { return slices.Clone(k.algorithms) }

// Skipped is a key of a document that was left out.
type Skipped struct {
	// Index is the key's place in the document, from 0: in "keys", among the
	// PEM blocks, or among the key IDs in alphabetical order.
	Index int
	// KeyID is its "kid", as far as it could be read, cut to 64 bytes.
	KeyID string
	// Reason says why, in one of a few fixed words: "malformed",
	// "unsupported_type", "unsupported_curve", "unsupported_algorithm", "use",
	// "key_ops", "key_size", "private"; "chain" for a certificate that has
	// signed the one before it; "too_many" for the first key past the thousand
	// that are taken, and all after it.
	Reason string
}

const maxShortID = 64

// shortID is a key ID as logs and events have it. It is a copy: the whole may
// be a part of something much larger.
func shortID(id string) string {
	return strings.ToValidUTF8(strings.Clone(id[:min(len(id), maxShortID)]), "")
}
