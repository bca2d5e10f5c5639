package jwks

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

var beginPEM = []byte("-----BEGIN ")

// isPEM reports whether a line of a document begins a PEM block. Text may stand
// before it (RFC 7468 section 2), but no page of HTML.
func isPEM(data []byte) bool {
	return !bytes.HasPrefix(data, []byte("<")) &&
		(bytes.HasPrefix(data, beginPEM) || bytes.Contains(data, append([]byte("\n"), beginPEM...)))
}

var errPrivate = malformed("a private key: give its public key, and take this one away from here")

// publicKey is a public key as it was read, or why it was not.
type publicKey struct {
	public      crypto.PublicKey
	certificate *x509.Certificate // that it is from, if it is
	reason      string
}

// parsePEM reads the blocks of a document. A block that is not whole spoils it:
// the file may be half written. So does a private key, which has no business
// where tokens are only verified.
func parsePEM(data []byte) ([]publicKey, error) {
	var keys []publicKey
	begun := bytes.Count(append([]byte("\n"), data...), append([]byte("\n"), beginPEM...))
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, errPrivate
		}
		keys = append(keys, parseBlock(block))
	}
	if len(keys) < begun {
		return nil, malformed("a PEM block that is malformed or cut off")
	}
	for i := len(keys) - 1; i > 0; i-- {
		if signed(keys[i].certificate, keys[i-1].certificate) {
			keys[i].reason = "chain"
		}
	}
	return keys, nil
}

func parseBlock(block *pem.Block) publicKey {
	switch block.Type {
	case "PUBLIC KEY":
		return parsedKey(x509.ParsePKIXPublicKey(block.Bytes))
	case "RSA PUBLIC KEY":
		return parsedKey(asPublic(x509.ParsePKCS1PublicKey(block.Bytes)))
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE": // RFC 7468 section 5.1
		return parsedCertificate(x509.ParseCertificate(block.Bytes))
	}
	return publicKey{reason: "unsupported_type"}
}

// parseDER reads a document that is one key or one certificate.
func parseDER(data []byte) (publicKey, error) {
	if public, err := x509.ParsePKIXPublicKey(data); err == nil {
		return publicKey{public: public}, nil
	}
	if public, err := x509.ParsePKCS1PublicKey(data); err == nil {
		return publicKey{public: public}, nil
	}
	if certificate, err := x509.ParseCertificate(data); err == nil {
		return parsedCertificate(certificate, nil), nil
	}
	_, err8 := x509.ParsePKCS8PrivateKey(data)
	_, err1 := x509.ParsePKCS1PrivateKey(data)
	_, errEC := x509.ParseECPrivateKey(data)
	if err8 == nil || err1 == nil || errEC == nil {
		return publicKey{}, errPrivate
	}
	return publicKey{}, malformed("DER that is neither a public key nor a certificate")
}

func asPublic[K crypto.PublicKey](key K, err error) (crypto.PublicKey, error) { return key, err }

func parsedKey(public crypto.PublicKey, err error) publicKey {
	if err != nil {
		return publicKey{reason: "malformed"}
	}
	return publicKey{public: public}
}

// parsedCertificate takes a certificate for what holds a key, and no more:
// trust comes from where the document is from, so names, dates and issuer are
// not looked at (RFC 7517 section 4.7).
func parsedCertificate(certificate *x509.Certificate, err error) publicKey {
	switch {
	case err != nil:
		return publicKey{reason: "malformed"}
	case certificate.PublicKey == nil: // of an algorithm that x509 does not know
		return publicKey{reason: "unsupported_type"}
	}
	return publicKey{public: certificate.PublicKey, certificate: certificate}
}

// signed reports whether one certificate has signed another: it is there to
// prove that one, and its key signs certificates, not tokens.
func signed(by, certificate *x509.Certificate) bool {
	return by != nil && certificate != nil && !by.Equal(certificate) &&
		bytes.Equal(by.RawSubject, certificate.RawIssuer) &&
		by.CheckSignature(certificate.SignatureAlgorithm,
			certificate.RawTBSCertificate, certificate.Signature) == nil
}
