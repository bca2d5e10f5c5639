package claims

import (
	"bytes"
	"crypto/ecdh"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isPublic recognises what the attack of RFC 8725 section 2.1 passes for a
// secret: a public key or a certificate, in whatever form it is kept in.
func isPublic(s []byte) bool { return isPublicWithin(s, 3) }

// isPublicWithin looks into so many encodings: what is in an environment
// variable may be the base64 of PEM.
func isPublicWithin(s []byte, depth int) bool {
	for _, raw := range [][]byte{s, bytes.TrimSpace(s)} { // white space may be a part of it
		if isPublicDER(raw) || isPublicPoint(raw) || isPublicSSH(raw) || isPublicPGP(raw) ||
			isMinisign(raw) {
			return true
		}
	}
	// Text may be UTF-16.
	text := strings.TrimFunc(string(bytes.ReplaceAll(s, []byte{0}, nil)), func(r rune) bool {
		return unicode.IsSpace(r) || r == '\ufeff' || r == utf8.RuneError // byte order marks
	})
	if isPublicText(text) {
		return true
	}
	if depth == 0 {
		return false
	}
	for _, decoded := range decodings(text) {
		if isPublicWithin(decoded, depth-1) {
			return true
		}
	}
	return false
}

// marks are what only text with a public key has, in lower case.
var marks = []string{
	"---begin ", "--- begin ", // PEM, OpenPGP, and SSH2 (RFC 4716)
	"<rsakeyvalue", "<dsakeyvalue", "<eckeyvalue", "x509certificate", // XML signatures
	`"kty"`, `'kty'`, `\"kty\`, // a JWK that something is written around
	"untrusted comment:", // minisign and signify
}

// sshNames are how the names of SSH's keys begin.
var sshNames = []string{
	"ssh-", "ssh-rsa", "ssh-dss", "ssh-ed", "sk-ssh-", "sk-ecdsa-", "ecdsa-sha2-", "rsa-sha2-",
	"x509v3-",
}

func isPublicText(text string) bool {
	lower := strings.ToLower(text)
	for _, mark := range marks {
		if strings.Contains(lower, mark) {
			return true
		}
	}
	// A JWK, or a set of them.
	if lower != "" && (lower[0] == '{' || lower[0] == '[') && json.Valid([]byte(text)) {
		return true
	}
	for i, field := range strings.Fields(lower) {
		for _, name := range sshNames {
			// With options (sshd(8)) or a host, the name stands later.
			if strings.HasPrefix(field, name) && (i == 0 || name != "ssh-") {
				return true
			}
		}
	}
	return strings.HasPrefix(lower, "age1")
}

// decodings returns what text may be the text of: all of it, without white
// space, and each long enough run of base64 in it.
func decodings(text string) [][]byte {
	const least = 40 // shorter than any public key
	whole := strings.Join(strings.Fields(text), "")
	runs := strings.FieldsFunc(text, func(r rune) bool {
		return r >= 0x80 || r == '.' || r == '~' || notToken68[byte(r)]
	})
	separators := strings.NewReplacer(":", "", "-", "", ",", "", "0x", "", "0X", "", `\x`, "")
	var list [][]byte
	try := func(decode func(string) ([]byte, error), text string) {
		if decoded, err := decode(text); err == nil && len(text) >= least {
			list = append(list, decoded)
		}
	}
	for _, run := range append(runs, whole) {
		run = strings.Trim(run, `"'=`)
		try(base64.RawStdEncoding.DecodeString, run)
		try(base64.RawURLEncoding.DecodeString, run)
		try(hex.DecodeString, separators.Replace(run))
	}
	return list
}

// isPublicDER recognises public keys, of algorithms that are not known too, and
// what is signed: certificates, requests for them, and lists of those revoked.
func isPublicDER(der []byte) bool {
	if len(der) == 0 || der[0] != 0x30 {
		return false
	}
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return true
	}
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	var signed struct {
		What      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	var rsa struct{ N, E *big.Int }
	var content struct { // of a PKCS #7 file
		Type asn1.ObjectIdentifier
		What asn1.RawValue `asn1:"tag:0,class:2"`
	}
	for _, form := range []any{&key, &signed, &rsa, &content} {
		if _, err := asn1.Unmarshal(der, form); err == nil { // more may stand after it
			return true
		}
	}
	return false
}

// isPublicPoint recognises an uncompressed point of one of the curves (SEC 1
// section 2.3.3).
func isPublicPoint(s []byte) bool {
	if len(s) < 65 || s[0] != 4 {
		return false
	}
	for _, curve := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()} {
		if _, err := curve.NewPublicKey(s); err == nil {
			return true
		}
	}
	return false
}

// isPublicSSH recognises the wire form of a key (RFC 4253 section 6.6), which
// begins with its name.
func isPublicSSH(s []byte) bool {
	if len(s) < 4 {
		return false
	}
	size := binary.BigEndian.Uint32(s)
	if name := s[4:]; size >= 7 && uint64(size) < uint64(len(name)) {
		for _, scheme := range sshNames {
			if strings.HasPrefix(string(name[:size]), scheme) {
				return true
			}
		}
	}
	return false
}

// isPublicPGP recognises a packet with a public key or a subkey (RFC 9580
// sections 4.2 and 5.5.2).
func isPublicPGP(s []byte) bool {
	body := s
	switch {
	case len(s) < 12:
		return false
	case s[0] == 0x99 || s[0] == 0xb9: // the older header, and two octets of length
		body = s[3:]
	case s[0] == 0x98 || s[0] == 0xb8:
		body = s[2:]
	case (s[0] == 0xc6 || s[0] == 0xce) && s[1] < 192:
		body = s[2:]
	case (s[0] == 0xc6 || s[0] == 0xce) && s[1] < 224:
		body = s[3:]
	case (s[0] == 0xc6 || s[0] == 0xce) && s[1] == 255:
		body = s[6:]
	default:
		return false
	}
	var algorithm int // its place, after the version and the time
	switch {
	case len(body) < 12:
		return false
	case body[0] == 4 || body[0] == 6:
		algorithm = 5
	case body[0] == 3: // and the days that it is valid
		algorithm = 7
	default:
		return false
	}
	material := body[algorithm+1:]
	if body[0] == 6 {
		if len(material) < 6 {
			return false
		}
		material = material[4:] // after its length
	}
	switch body[algorithm] {
	case 1, 2, 3, 16, 17: // RSA, Elgamal and DSA: the bits of a number
		bits := binary.BigEndian.Uint16(material)
		return bits >= 512 && bits <= 16384 && material[2]>>((bits-1)%8) == 1
	case 18, 19, 22: // of a curve, by its identifier
		return material[0] >= 3 && material[0] <= 10 && (material[1] == 0x2a || material[1] == 0x2b)
	case 25, 27: // X25519, Ed25519
		return body[0] == 6 || len(material) >= 32
	case 26, 28: // X448, Ed448
		return body[0] == 6 || len(material) >= 56
	}
	return false
}

// isMinisign recognises a key of minisign or signify: an algorithm, an ID of 8
// bytes, and an Ed25519 key.
func isMinisign(s []byte) bool {
	const size = 2 + 8 + 32
	return len(s) == size && (string(s[:2]) == "Ed" || string(s[:2]) == "ED")
}
