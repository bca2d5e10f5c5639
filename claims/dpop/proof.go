package dpop

import (
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
	"github.com/sallyport-go/sallyport/jwks"
)

// maxProof is how long a proof may be, in bytes: with the largest key and
// signature that are accepted, some 3,000 are enough.
const maxProof = 8 << 10

// proof is a DPoP proof (RFC 9449 section 4.2) that has all that one must have.
// Its signature is not checked yet.
type proof struct {
	algorithm string
	jwk       string // as the header has it
	key       *jwks.Key
	knownKey  bool // a proof was signed with it before

	jti, htm, htu, ath, nonce      string
	issuedAt, notBefore, expiresAt time.Time

	input, signature []byte
}

// names are those that a proof is read by. One that differs in case alone is
// refused: other software could take it for the same.
var headerNames, claimNames = strict.NewNames("typ", "alg", "jwk", "crit", "b64"),
	strict.NewNames("jti", "htm", "htu", "iat", "ath", "nonce", "nbf", "exp")

// read returns the proof of a request (RFC 9449 section 4.3, checks 1 to 6). A
// field with a comma has several.
func (c *Confirmer) read(fields []string) (*proof, error) {
	switch {
	case len(fields) == 0:
		return nil, refusal(claims.ReasonProof, "the request has no proof")
	case len(fields) > 1:
		return nil, refusal(claims.ReasonProof, "the request has %d proofs", len(fields))
	case len(fields[0]) > maxProof:
		return nil, refusal(claims.ReasonProof, "the proof has more than %d bytes", maxProof)
	}
	text := fields[0]
	head, rest, _ := strings.Cut(text, ".")
	payload, signature, found := strings.Cut(rest, ".")
	if !found {
		return nil, refusal(claims.ReasonProof, "the proof is not three segments")
	}
	p := &proof{input: []byte(text[:len(head)+1+len(payload)])}
	header, ok := strict.Decode(nil, []byte(head))
	if !ok {
		return nil, refusal(claims.ReasonProof, "the header is not base64url")
	}
	if err := c.readHeader(p, string(header)); err != nil {
		return nil, err
	}
	body, ok := strict.Decode(nil, []byte(payload))
	if !ok {
		return nil, refusal(claims.ReasonProof, "the payload is not base64url")
	}
	if err := p.readClaims(string(body)); err != nil {
		return nil, err
	}
	if p.signature, ok = strict.Decode(nil, []byte(signature)); !ok {
		return nil, refusal(claims.ReasonProof, "the signature is not base64url")
	}
	return p, nil
}

func (c *Confirmer) readHeader(p *proof, text string) error {
	var seen strict.Members
	var typ string
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		switch name := r.ReadName(&seen); name {
		case "typ":
			typ = r.ReadString()
		case "alg":
			p.algorithm = r.ReadString()
		case "jwk":
			p.jwk = r.ReadRaw()
		case "crit", "b64":
			return refusal(claims.ReasonProof, "the header has %q", name)
		default:
			if of := headerNames.Resembled(name); of != "" {
				return refusal(claims.ReasonProof, "the header has another %q", of)
			}
			r.Skip()
		}
	}
	if !r.End() {
		return refusal(claims.ReasonProof, "the header is not JSON as it must be")
	}
	if typ != "dpop+jwt" {
		return refusal(claims.ReasonProof, "typ is %.40q", typ)
	}
	if c.accepted[p.algorithm] == nil {
		return refusal(claims.ReasonProof, "alg is %.40q, which is not accepted", p.algorithm)
	}
	if p.jwk == "" {
		return refusal(claims.ReasonProof, "the header has no jwk")
	}
	if p.key = c.keys.find(p.jwk, p.algorithm); p.key != nil {
		p.knownKey = true
		return nil
	}
	var err error
	p.key, err = readKey(p.jwk, p.algorithm)
	return err
}

func (p *proof) readClaims(text string) error {
	var seen strict.Members
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		switch name := r.ReadName(&seen); name {
		case "jti":
			p.jti = r.ReadString()
		case "htm":
			p.htm = r.ReadString()
		case "htu":
			p.htu = r.ReadString()
		case "ath":
			p.ath = r.ReadString()
		case "nonce":
			p.nonce = r.ReadString()
		case "iat":
			p.issuedAt = r.ReadDate()
		case "nbf":
			p.notBefore = r.ReadDate()
		case "exp":
			p.expiresAt = r.ReadDate()
		default:
			if of := claimNames.Resembled(name); of != "" {
				return refusal(claims.ReasonProof, "the proof has another %q", of)
			}
			r.Skip()
		}
	}
	if !r.End() {
		return refusal(claims.ReasonProof, "the payload is not JSON as it must be")
	}
	for _, claim := range []struct{ name, value string }{
		{"jti", p.jti}, {"htm", p.htm}, {"htu", p.htu}, {"ath", p.ath},
	} {
		if claim.value == "" {
			return refusal(claims.ReasonProof, "the proof has no %s", claim.name)
		}
	}
	if p.issuedAt.IsZero() {
		return refusal(claims.ReasonProof, "the proof has no iat")
	}
	if len(p.jti) > MaxIdentifier {
		return refusal(claims.ReasonProof, "jti has more than %d bytes", MaxIdentifier)
	}
	return nil
}
