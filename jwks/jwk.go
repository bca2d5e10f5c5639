package jwks

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// maxExponentSize is how long maxExponent is in base64url.
const maxExponentSize = 6

// members is a JSON object whose member names are case-sensitive, as JSON has
// it (RFC 8259 section 8.3) and a struct's fields are not to encoding/json.
type members map[string]json.RawMessage

// text reads a member that is a string; ok if it is, or is missing.
func (m members) text(name string) (s string, ok bool) {
	raw, there := m[name]
	return s, !there || raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

func (m members) has(name string) bool { return m[name] != nil }

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

// parseJWK returns a key and "", or a key that has its ID alone and the reason
// for leaving it out.
func parseJWK(raw json.RawMessage) (*Key, string) {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		return &Key{}, "malformed"
	}
	maps.DeleteFunc(m, func(_ string, raw json.RawMessage) bool { return string(raw) == "null" })
	h := m.header()
	key := &Key{id: h.id, issuer: h.issuer}
	if !h.wellFormed {
		return key, "malformed"
	}
	var public crypto.PublicKey
	fits, reason := algorithmsOf(h.keyType, h.curve)
	certified := m.hasCertificateAlone()
	if certified && (reason == "" || h.keyType == "" || h.keyType == "EC" && h.curve == "") {
		public, fits, reason = m.certified(h)
	}
	switch {
	case reason != "":
		return key, reason
	case m.has("d"):
		// Whoever reads the set could sign with it.
		return key, "private"
	case m.has("use") && h.use != "sig":
		return key, "use"
	case m.has("key_ops") && !slices.Contains(h.operations, "verify"):
		return key, "key_ops"
	case m.has("alg") && !slices.Contains(fits, h.algorithm):
		return key, "unsupported_algorithm"
	case len(h.exponent) > maxExponentSize:
		return key, "malformed"
	}
	if !certified {
		var err error
		if public, err = m.publicKey(); err != nil {
			return key, "malformed"
		}
	}
	made, reason := newKey(public)
	if reason != "" {
		return key, reason
	}
	made.id, made.issuer = h.id, h.issuer
	if m.has("alg") && !slices.Equal(fits, eddsaAlgorithms) { // its two names are one
		made.algorithms = []string{h.algorithm}
	}
	return made, ""
}

// hasCertificateAlone reports whether a JWK leaves its key to "x5c".
func (m members) hasCertificateAlone() bool {
	return m.has("x5c") && !m.has("n") && !m.has("e") && !m.has("x") && !m.has("y")
}

// certified returns the key of the first certificate (RFC 7517 section 4.7),
// which is to be of the type and curve that the JWK names, if it does.
func (m members) certified(h header) (public crypto.PublicKey, fits []string, reason string) {
	var chain []string
	if json.Unmarshal(m["x5c"], &chain) != nil || len(chain) == 0 {
		return nil, nil, "malformed"
	}
	der, err := base64.StdEncoding.DecodeString(chain[0])
	if err != nil {
		return nil, nil, "malformed"
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, "malformed"
	}
	if public, reason = checkPublicKey(certificate.PublicKey); reason != "" {
		return nil, nil, reason
	}
	fits = algorithmsFor(public)
	if h.keyType == "" {
		return public, fits, ""
	}
	said, _ := algorithmsOf(h.keyType, h.curve)
	if h.keyType == "EC" && h.curve == "" && len(fits) == 1 {
		said = fits
	}
	if !slices.Equal(said, fits) {
		return nil, nil, "malformed"
	}
	return public, fits, ""
}

// publicKey has jwx read the members that make up a public key (RFC 7518
// section 6), and those alone: it takes "D" for "d".
func (m members) publicKey() (public crypto.PublicKey, err error) {
	parts := members{}
	for _, name := range []string{"kty", "crv", "x", "y", "n", "e"} {
		if raw, there := m[name]; there {
			parts[name] = raw
		}
	}
	data, err := json.Marshal(parts)
	if err != nil {
		return nil, err
	}
	parsed, err := jwk.ParseKey(data)
	if err != nil {
		return nil, err
	}
	var raw any
	if err := parsed.Raw(&raw); err != nil {
		return nil, err
	}
	return raw, nil
}

// thumbprintOf is RFC 7638 with SHA-256.
func thumbprintOf(public crypto.PublicKey) ([]byte, error) {
	key, err := jwk.FromRaw(public)
	if err != nil {
		return nil, err
	}
	return key.Thumbprint(crypto.SHA256)
}
