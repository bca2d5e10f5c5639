package claimstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Key is a key pair that an issuer signs with.
type Key struct {
	// ID is the key ID, "kid".
	ID string
	// Algorithm is the signature algorithm, "alg".
	Algorithm string

	private crypto.Signer
	signer  jws.Signer
}

// NewKey returns a new key pair for one of RS256, RS384, RS512, PS256, PS384,
// PS512, ES256, ES384, ES512 and EdDSA. RSA keys have 2048 bits.
func NewKey(algorithm string) (*Key, error) {
	private, err := newPrivate(algorithm)
	if err != nil {
		return nil, fmt.Errorf("claimstest: %w", err)
	}
	signer, err := jws.NewSigner(jwa.SignatureAlgorithm(algorithm))
	if err != nil {
		return nil, fmt.Errorf("claimstest: %w", err)
	}
	return &Key{
		ID: randomText()[:12], Algorithm: algorithm, private: private, signer: signer,
	}, nil
}

func newPrivate(algorithm string) (private crypto.Signer, err error) {
	randomly(func() {
		switch algorithm {
		case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
			private, err = rsa.GenerateKey(rand.Reader, 2048)
		case "ES256":
			private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		case "ES384":
			private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		case "ES512":
			private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
		case "EdDSA":
			_, private, err = ed25519.GenerateKey(rand.Reader)
		default:
			err = fmt.Errorf("no keys for algorithm %q", algorithm)
		}
	})
	return private, err
}

// MustKey is [NewKey] for an algorithm that is known to be right; it panics
// otherwise.
func MustKey(algorithm string) *Key {
	key, err := NewKey(algorithm)
	if err != nil {
		panic(err)
	}
	return key
}

// Public returns the public key.
func (k *Key) Public() crypto.PublicKey { return k.private.Public() }

// JWK returns the public key as the members of a JSON Web Key, which the caller
// may change: its type's own, and "kid", "alg" and "use".
func (k *Key) JWK() map[string]any {
	public, err := jwk.FromRaw(k.Public())
	must(err)
	encoded, err := json.Marshal(public)
	must(err)
	var members map[string]any
	must(json.Unmarshal(encoded, &members))
	members["kid"] = k.ID
	members["alg"] = k.Algorithm
	members["use"] = "sig"
	return members
}

// Sign returns the token (RFC 7515 section 7.1) that has exactly these bytes as
// header and payload, signed with the key, whatever they say.
func (k *Key) Sign(header, payload []byte) string {
	input := encode(header) + "." + encode(payload)
	var signature []byte
	var err error
	randomly(func() { signature, err = k.signer.Sign([]byte(input), k.private) })
	must(err)
	return input + "." + encode(signature)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// must panics: what it is asked cannot fail but by a mistake of the test.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("claimstest: %v", err))
	}
}
