package claims

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
	parts, err := split(text)
	if err != nil {
		return nil, err
	}
	var t token
	if err := t.parseHeader(parts.header, algorithms); err != nil {
		return nil, err
	}
	_, ok1 := decode(parts.payload)
	signature, ok2 := decode(parts.signature)
	if !ok1 || !ok2 {
		return nil, errMalformed
	}
	return &JWS{t.header.algorithm, t.header.keyID, []byte(parts.input), signature}, nil
}
