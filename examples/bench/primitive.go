package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"
)

var errPrimitive = errors.New("bench: signature does not verify")

// newPrimitive returns the standard library's check of a token's signature,
// with the hash of the signing input and without anything that can be done
// beforehand.
func newPrimitive(tb testing.TB, key crypto.PublicKey, alg, token string) func() error {
	tb.Helper()
	dot := strings.LastIndexByte(token, '.')
	input := []byte(token[:dot])
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		tb.Fatal(err)
	}
	switch alg {
	case "RS256":
		return func() error {
			sum := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, sum[:], signature)
		}
	case "PS256":
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return func() error {
			sum := sha256.Sum256(input)
			return rsa.VerifyPSS(key.(*rsa.PublicKey), crypto.SHA256, sum[:], signature, options)
		}
	case "ES256":
		der := asn1Signature(tb, signature)
		return func() error {
			sum := sha256.Sum256(input)
			return orError(ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), sum[:], der))
		}
	case "EdDSA":
		return func() error {
			return orError(ed25519.Verify(key.(ed25519.PublicKey), input, signature))
		}
	}
	tb.Fatalf("no primitive for %s", alg)
	return nil
}

func orError(verified bool) error {
	if !verified {
		return errPrimitive
	}
	return nil
}

// asn1Signature turns r and s as JWS has them (RFC 7518 section 3.4) into the
// form that crypto/ecdsa takes.
func asn1Signature(tb testing.TB, signature []byte) []byte {
	tb.Helper()
	half := len(signature) / 2
	der, err := asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return der
}
