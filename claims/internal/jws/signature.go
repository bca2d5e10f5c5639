// Package jws checks the signatures of RFC 7515 by the algorithms of RFC 7518,
// RFC 8037 and RFC 9864.
package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"maps"
	"slices"
	"strings"
)

// Algorithms has the signature algorithms of one kind of key, by "alg" (RFC
// 7518 section 3.1). A key of another type or curve verifies nothing.
type Algorithms map[string]func(key crypto.PublicKey, input, signature []byte) bool

// Verify reports whether signature is one of input by the algorithm, which must
// be of the set.
func (set Algorithms) Verify(algorithm string, key crypto.PublicKey, input, signature []byte) bool {
	verify, ok := set[algorithm]
	return ok && verify(key, input, signature)
}

// Asymmetric are those that tokens may have. "none" and the symmetric ones are
// not among them: with a public key as the secret, anybody could sign (RFC 8725
// section 2.1).
var Asymmetric = Algorithms{
	"RS256":   pkcs1(crypto.SHA256),
	"RS384":   pkcs1(crypto.SHA384),
	"RS512":   pkcs1(crypto.SHA512),
	"PS256":   pss(crypto.SHA256),
	"PS384":   pss(crypto.SHA384),
	"PS512":   pss(crypto.SHA512),
	"ES256":   ecdsaP1363(crypto.SHA256, 256),
	"ES384":   ecdsaP1363(crypto.SHA384, 384),
	"ES512":   ecdsaP1363(crypto.SHA512, 521),
	"EdDSA":   pureEd25519,
	"Ed25519": pureEd25519,
}

// Symmetric are those of a verifier that is made of secrets, and of no other.
// Its keys are secrets and never come out of a key set.
var Symmetric = Algorithms{
	"HS256": mac(crypto.SHA256),
	"HS384": mac(crypto.SHA384),
	"HS512": mac(crypto.SHA512),
}

// names has the name of each algorithm.
var names = func() map[string]string {
	names := map[string]string{}
	for _, set := range []Algorithms{Asymmetric, Symmetric} {
		for name := range set {
			names[name] = name
		}
	}
	return names
}()

// Name returns the name of an algorithm of either set, in memory that all
// share.
func Name(algorithm string) string { return names[algorithm] }

// Secret returns the key of a symmetric algorithm. It is a type of its own, so
// that no public key is ever taken for one, and a function, so that none is
// printed.
type Secret func() []byte

// mac is HMAC (RFC 7518 section 3.2).
func mac(hash crypto.Hash) func(crypto.PublicKey, []byte, []byte) bool {
	return func(key crypto.PublicKey, input, signature []byte) bool {
		secret, ok := key.(Secret)
		if !ok {
			return false
		}
		h := hmac.New(hash.New, secret())
		h.Write(input)
		return hmac.Equal(h.Sum(nil), signature)
	}
}

// pkcs1 is RSASSA-PKCS1-v1_5 (RFC 7518 section 3.3).
func pkcs1(hash crypto.Hash) func(crypto.PublicKey, []byte, []byte) bool {
	return func(public crypto.PublicKey, input, signature []byte) bool {
		key, ok := public.(*rsa.PublicKey)
		var sum digest
		return ok && rsa.VerifyPKCS1v15(key, hash, sum.of(hash, input), signature) == nil
	}
}

// pss is RSASSA-PSS with a salt as long as the hash (RFC 7518 section 3.5).
func pss(hash crypto.Hash) func(crypto.PublicKey, []byte, []byte) bool {
	options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	return func(public crypto.PublicKey, input, signature []byte) bool {
		key, ok := public.(*rsa.PublicKey)
		var sum digest
		return ok && rsa.VerifyPSS(key, hash, sum.of(hash, input), signature, options) == nil
	}
}

// ecdsaP1363 is ECDSA on the curve of the given size. The signature is R and S,
// each as long as the curve's order, and nothing else: no DER (RFC 7518 section
// 3.4).
func ecdsaP1363(hash crypto.Hash, bits int) func(crypto.PublicKey, []byte, []byte) bool {
	size := (bits + 7) / 8
	return func(public crypto.PublicKey, input, signature []byte) bool {
		key, ok := public.(*ecdsa.PublicKey)
		if !ok || key.Curve.Params().BitSize != bits || len(signature) != 2*size {
			return false
		}
		var sum digest
		var der [maxDER]byte
		return ecdsa.VerifyASN1(key, sum.of(hash, input),
			appendDER(der[:0], signature[:size], signature[size:])) // refuses zero
	}
}

// maxDER is the length of the longest signature in DER: two integers of P-521
// with their headers, in a sequence with a long one.
const maxDER = 3 + 2*(2+66)

// appendDER writes a signature as crypto/ecdsa takes it, which would do it by
// way of two big integers.
func appendDER(der, r, s []byte) []byte {
	r, s = unpadded(r), unpadded(s)
	const sequence, integer, long = 0x30, 0x02, 0x81
	der = append(der, sequence)
	length := 4 + len(r) + int(r[0]>>7) + len(s) + int(s[0]>>7)
	if length >= 0x80 {
		der = append(der, long)
	}
	der = append(der, byte(length))
	for _, n := range [][]byte{r, s} {
		if n[0] >= 0x80 { // else it would be negative
			der = append(append(der, integer, byte(len(n)+1), 0), n...)
			continue
		}
		der = append(append(der, integer, byte(len(n))), n...)
	}
	return der
}

// unpadded returns a number without zeros before it, but for that of zero
// itself.
func unpadded(n []byte) []byte {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	return n
}

// pureEd25519 is RFC 8037 section 3.1, and RFC 9864 section 2.2 under the name
// "Ed25519".
func pureEd25519(public crypto.PublicKey, input, signature []byte) bool {
	key, ok := public.(ed25519.PublicKey)
	return ok && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, input, signature)
}

// digest is room for a hash.
type digest [sha512.Size]byte

// of returns the hash of input, by one of those that algorithms use.
func (d *digest) of(hash crypto.Hash, input []byte) []byte {
	switch hash {
	case crypto.SHA256:
		sum := sha256.Sum256(input)
		return append(d[:0], sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(input)
		return append(d[:0], sum[:]...)
	case crypto.SHA512:
		sum := sha512.Sum512(input)
		return append(d[:0], sum[:]...)
	}
	panic("jws: no such hash")
}

// String lists the algorithms, in alphabetical order.
func (set Algorithms) String() string {
	return strings.Join(slices.Sorted(maps.Keys(set)), ", ")
}
