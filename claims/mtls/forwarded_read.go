package mtls

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
)

var (
	errBytes   = errors.New("not a byte sequence of base64 between colons (RFC 8941 section 3.3.5)")
	errXFCC    = errors.New("not one element of name=value, with a Cert (Envoy)")
	errPEM     = errors.New("not one certificate in PEM")
	errEscapes = errors.New("escapes that are none")
)

// readByteSequence reads a certificate as RFC 9440 section 2.1 has it.
func readByteSequence(value string) (*x509.Certificate, error) {
	inner, opened := strings.CutPrefix(strings.Trim(value, " "), ":")
	inner, closed := strings.CutSuffix(inner, ":")
	if !opened || !closed {
		return nil, errBytes
	}
	der, err := base64.StdEncoding.Strict().DecodeString(inner)
	if err != nil || strings.ContainsAny(inner, "\r\n") {
		return nil, errBytes
	}
	return x509.ParseCertificate(der)
}

// readEscapedPEM reads a certificate as nginx escapes it. A plus is one: it is
// a digit of base64.
func readEscapedPEM(value string) (*x509.Certificate, error) {
	text, err := url.PathUnescape(value)
	if err != nil {
		return nil, errEscapes
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 ||
		!strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN CERTIFICATE-----") {
		return nil, errPEM
	}
	return x509.ParseCertificate(block.Bytes)
}

// readXFCC reads the certificate of the one element of Envoy's field. The
// second of two would be of whoever is behind the client.
func readXFCC(value string) (*x509.Certificate, error) {
	certificate := ""
	for rest := value; ; {
		name, after, found := strings.Cut(rest, "=")
		if !found {
			return nil, errXFCC
		}
		text, next, ok := cutValue(after)
		if !ok {
			return nil, errXFCC
		}
		if strings.EqualFold(name, "Cert") {
			if certificate != "" {
				return nil, errXFCC
			}
			certificate = text
		}
		if next == "" {
			break
		}
		if next[0] != ';' { // a comma begins another element
			return nil, errXFCC
		}
		if rest = next[1:]; rest == "" {
			break
		}
	}
	if certificate == "" {
		return nil, errXFCC
	}
	return readEscapedPEM(certificate)
}

// cutValue takes the value off, which may be quoted, and returns what follows,
// from its separator on.
func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, `;,"`)
		if end < 0 {
			return s, "", true
		}
		return s[:end], s[end:], s[end] != '"'
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			rest = s[i+1:]
			return b.String(), rest, rest == "" || rest[0] == ';' || rest[0] == ','
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
