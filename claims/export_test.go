package claims

import (
	"crypto"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// VerifySignature is the check of a signature alone.
var VerifySignature = verifySignature

// JWS is a signed token whose payload need not be a claims set.
type JWS struct {
	Algorithm, KeyID string
	Input, Signature []byte
}

// ParseJWS does the checks of a token's form and header, and leaves those of its
// claims out.
func ParseJWS(text string) (*JWS, error) {
	var w work
	if err := w.read(text); err != nil {
		return nil, err
	}
	if err := w.parseHeader(algorithms); err != nil {
		return nil, err
	}
	_, ok1 := strict.Decode(nil, w.segments.payload)
	signature, ok2 := strict.Decode(nil, w.segments.signature)
	if !ok1 || !ok2 {
		return nil, errMalformed
	}
	return &JWS{w.header.algorithm, w.header.keyID, w.segments.input, signature}, nil
}

// verifySignature reports whether signature is one of input by the algorithm,
// which must be one of algorithms.
func verifySignature(algorithm string, public crypto.PublicKey, input, signature []byte) bool {
	return algorithms[algorithm](public, input, signature)
}
