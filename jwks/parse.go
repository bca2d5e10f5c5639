package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

const (
	maxKeys    = 100
	minRSABits = 2048 // RFC 7518 section 3.3
	maxRSABits = 8192 // beyond it one signature check costs milliseconds
	// maxExponent is the largest that crypto/rsa takes, and maxExponentSize how
	// long it is in base64url.
	maxExponent     = 1<<31 - 1
	maxExponentSize = 6
	maxShortID      = 64
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
	var document members
	var raws []json.RawMessage
	if json.Unmarshal(data, &document) != nil || json.Unmarshal(document["keys"], &raws) != nil {
		// The decoder's own text quotes the document.
		return nil, &fault{FaultMalformed, errors.New("jwks: not a JSON Web Key Set")}
	}
	if len(raws) > maxKeys {
		return nil, &fault{FaultTooLarge, fmt.Errorf(
			"jwks: %d keys, more than %d", len(raws), maxKeys)}
	}
	var keys []*Key
	var skipped []Skipped
	for i, raw := range raws {
		key, reason := parseKey(raw)
		if reason != "" {
			skipped = append(skipped, Skipped{i, shortID(key.id), reason})
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, &fault{FaultNoKeys, fmt.Errorf(
			"jwks: no usable key among %d", len(raws))}
	}
	return newSet(keys, skipped), nil
}

// shortID is a key ID as logs and events have it. It is a copy: the whole may be a
// part of something much larger.
func shortID(id string) string {
	return strings.ToValidUTF8(strings.Clone(id[:min(len(id), maxShortID)]), "")
}

// members is a JSON object whose member names are case-sensitive, as JSON has it
// (RFC 8259 section 8.3) and a struct's fields are not to encoding/json.
type members map[string]json.RawMessage

// text reads a member that is a string; ok if it is, or is missing.
func (m members) text(name string) (s string, ok bool) {
	raw, there := m[name]
	return s, !there || raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

// header is what a JWK says about itself.
type header struct {
	keyType, curve, id, issuer, use, algorithm, exponent string
	operations                                           []string
	wellFormed                                           bool
}

func (m members) header() header {
	h := header{wellFormed: true}
	for name, field := range map[string]*string{
		"kty": &h.keyType, "crv": &h.curve, "kid": &h.id, "issuer": &h.issuer,
		"use": &h.use, "alg": &h.algorithm, "e": &h.exponent,
	} {
		var ok bool
		*field, ok = m.text(name)
		h.wellFormed = h.wellFormed && ok
	}
	if raw, there := m["key_ops"]; there && json.Unmarshal(raw, &h.operations) != nil {
		h.wellFormed = false
	}
	return h
}

// parseKey returns a key and "", or a key that has its ID alone and the reason
// for leaving it out.
func parseKey(raw json.RawMessage) (*Key, string) {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		return &Key{}, "malformed"
	}
	maps.DeleteFunc(m, func(_ string, raw json.RawMessage) bool { return string(raw) == "null" })
	has := func(name string) bool { return m[name] != nil }
	h := m.header()
	key := &Key{id: h.id, issuer: h.issuer}
	fits, reason := algorithmsOf(h.keyType, h.curve)
	switch {
	case !h.wellFormed:
		return key, "malformed"
	case reason != "":
		return key, reason
	case has("d"):
		// Whoever reads the set could sign with it.
		return key, "private"
	case has("use") && h.use != "sig":
		return key, "use"
	case has("key_ops") && !slices.Contains(h.operations, "verify"):
		return key, "key_ops"
	case has("alg") && !slices.Contains(fits, h.algorithm):
		return key, "unsupported_algorithm"
	case len(h.exponent) > maxExponentSize:
		return key, "malformed"
	}
	if has("alg") && h.keyType != "OKP" { // EdDSA and Ed25519 are one
		fits = []string{h.algorithm}
	}
	key.algorithms = fits

	parsed, public, err := m.publicKey()
	if err != nil {
		return key, "malformed"
	}
	if key.public, reason = checkPublicKey(public); reason != "" {
		return key, reason
	}
	// Not before the check: it panics over coordinates that are too long.
	if key.thumbprint, err = parsed.Thumbprint(crypto.SHA256); err != nil {
		return key, "malformed"
	}
	return key, ""
}

// publicKey has jwx read the members that make up a public key (RFC 7518 section
// 6), and those alone: it takes "D" for "d".
func (m members) publicKey() (parsed jwk.Key, public any, err error) {
	parts := members{}
	for _, name := range []string{"kty", "crv", "x", "y", "n", "e"} {
		if raw, there := m[name]; there {
			parts[name] = raw
		}
	}
	data, err := json.Marshal(parts)
	if err != nil {
		return nil, nil, err
	}
	if parsed, err = jwk.ParseKey(data); err != nil {
		return nil, nil, err
	}
	err = parsed.Raw(&public)
	return parsed, public, err
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
		// With an exponent of 1 every message signs itself; an even modulus has 2 for
		// a factor.
		if public.E < 3 || public.E > maxExponent || public.E%2 == 0 || public.N.Bit(0) == 0 {
			return nil, "malformed"
		}
		return public, ""
	case *ecdsa.PublicKey:
		if _, err := public.ECDH(); err != nil { // not a point of the curve
			return nil, "malformed"
		}
		return public, ""
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize || hasSmallOrder(public) {
			return nil, "malformed"
		}
		return public, ""
	}
	return nil, "malformed"
}

// smallOrder are the y-coordinates of the points of Ed25519 whose order divides 8,
// as a key writes them, those above the prime included.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// hasSmallOrder recognises keys that a signature of anything can be made for: they
// are to Ed25519 what an exponent of 1 is to RSA (RFC 8032 section 5.1.7).
func hasSmallOrder(key ed25519.PublicKey) bool {
	y := slices.Clone(key)
	y[len(y)-1] &= 0x7f // the sign of x
	return slices.Contains(smallOrder, hex.EncodeToString(y))
}
