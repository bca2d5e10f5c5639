package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

const (
	maxKeys    = 100
	minRSABits = 2048 // RFC 7518 section 3.3
	maxRSABits = 8192 // beyond it one signature check costs milliseconds
	// maxRSAExponent is the length of the largest exponent crypto/rsa takes,
	// 2^31-1, in base64url.
	maxRSAExponent = 6
	maxSkippedID   = 64
)

var (
	rsaAlgorithms   = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	eddsaAlgorithms = []string{"EdDSA", "Ed25519"} // RFC 8037 section 3.1, RFC 9864 section 2.2
	ecAlgorithms    = map[string][]string{"P-256": {"ES256"}, "P-384": {"ES384"}, "P-521": {"ES512"}}
)

// Parse reads a JSON Web Key Set (RFC 7517 section 5). Keys that can not check
// the signature of a token are left out and listed by [Set.Skipped]: other
// types and curves, RSA below 2048 or above 8192 bits, a "use" other than
// "sig", "key_ops" without "verify", an "alg" that is not a signature algorithm
// of the key's type, private and malformed keys.
//
// It is an error if data is not a key set, has more than 100 keys or none that
// can be used.
func Parse(data []byte) (*Set, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		// The decoder's own text quotes the document.
		return nil, errors.New("jwks: not a JSON Web Key Set")
	}
	if len(document.Keys) > maxKeys {
		return nil, fmt.Errorf("jwks: %d keys, more than %d", len(document.Keys), maxKeys)
	}
	var keys []*Key
	var skipped []Skipped
	for i, raw := range document.Keys {
		key, reason := parseKey(raw)
		if reason != "" {
			id := key.id
			skipped = append(skipped, Skipped{i, id[:min(len(id), maxSkippedID)], reason})
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("jwks: no usable key among %d", len(document.Keys))
	}
	return newSet(keys, skipped), nil
}

// parseKey returns a key and "", or a key that has its ID alone and the reason
// for leaving it out.
func parseKey(raw json.RawMessage) (*Key, string) {
	var head struct {
		Type       string   `json:"kty"`
		Curve      string   `json:"crv"`
		ID         string   `json:"kid"`
		Use        *string  `json:"use"`
		Operations []string `json:"key_ops"`
		Algorithm  *string  `json:"alg"`
		Exponent   string   `json:"e"`
		Private    any      `json:"d"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return &Key{}, "malformed"
	}
	key := &Key{id: head.ID}
	fits, reason := algorithmsOf(head.Type, head.Curve)
	switch {
	case reason != "":
		return key, reason
	case head.Private != nil:
		// Whoever reads the set could sign with it.
		return key, "private"
	case head.Use != nil && *head.Use != "sig":
		return key, "use"
	case head.Operations != nil && !slices.Contains(head.Operations, "verify"):
		return key, "key_ops"
	case head.Algorithm != nil && !slices.Contains(fits, *head.Algorithm):
		return key, "unsupported_algorithm"
	case len(head.Exponent) > maxRSAExponent:
		return key, "malformed"
	}
	if head.Algorithm != nil && head.Type != "OKP" {
		fits = []string{*head.Algorithm}
	}
	key.algorithms = fits

	parsed, err := jwk.ParseKey(raw)
	if err != nil {
		return key, "malformed"
	}
	var public any
	if err := parsed.Raw(&public); err != nil {
		return key, "malformed"
	}
	key.public, reason = checkPublicKey(public)
	return key, reason
}

func algorithmsOf(keyType, curve string) (fits []string, reason string) {
	switch keyType {
	case "RSA":
		return rsaAlgorithms, ""
	case "EC":
		if fits = ecAlgorithms[curve]; fits == nil {
			return nil, "unsupported_curve"
		}
		return fits, ""
	case "OKP":
		if curve != "Ed25519" {
			return nil, "unsupported_curve"
		}
		return eddsaAlgorithms, ""
	case "":
		return nil, "malformed"
	}
	return nil, "unsupported_type"
}

func checkPublicKey(public any) (crypto.PublicKey, string) {
	switch public := public.(type) {
	case *rsa.PublicKey:
		bits := public.N.BitLen()
		if bits < minRSABits || bits > maxRSABits {
			return nil, "key_size"
		}
		// With an exponent of 1 every message signs itself.
		if public.E < 3 || public.E%2 == 0 {
			return nil, "malformed"
		}
		return public, ""
	case *ecdsa.PublicKey:
		if _, err := public.ECDH(); err != nil { // not a point of the curve
			return nil, "malformed"
		}
		return public, ""
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize {
			return nil, "malformed"
		}
		return public, ""
	}
	return nil, "malformed"
}
