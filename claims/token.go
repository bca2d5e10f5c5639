package claims

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
	"github.com/sallyport-go/sallyport/claims/internal/tokencache"
	"github.com/sallyport-go/sallyport/jwks"
)

// token is a JWS in compact serialization (RFC 7515 section 7.1), taken apart; its
// signature is not checked yet.
type token struct {
	header    header
	claims    *facts
	members   strict.Members // all claims
	input     []byte         // the signing input, RFC 7515 section 5.1 step 5
	signature []byte
	keys      []*jwks.Key // those to check it with, once they are looked up
	key       *jwks.Key   // the one that did
}

// segments are those of a JWS in compact serialization, still encoded.
type segments struct{ header, payload, signature, input []byte }

// split finds the segments. It costs no allocation.
func split(text []byte) (segments, error) {
	first := bytes.IndexByte(text, '.')
	if first < 0 {
		return segments{}, errNotJWS
	}
	length := bytes.IndexByte(text[first+1:], '.')
	if length < 0 {
		return segments{}, errNotJWS
	}
	second := first + 1 + length
	parts := segments{text[:first], text[first+1 : second], text[second+1:], text[:second]}
	if bytes.IndexByte(parts.signature, '.') >= 0 {
		return segments{}, notJWS(text, first)
	}
	return parts, nil
}

// notJWS tells an encrypted token, five segments and "enc" in the header (RFC 7516
// section 9), from what is no token, so that whoever reads the refusal knows what
// to change.
func notJWS(text []byte, first int) error {
	if bytes.Count(text, []byte(".")) != 4 {
		return errNotJWS
	}
	decoded, ok := strict.Decode(nil, text[:first])
	if !ok {
		return errNotJWS
	}
	if head, ok := readHeader(string(decoded)); !ok || !head.encrypted {
		return errNotJWS
	}
	return errEncrypted
}

// checkForm finds the segments of the token.
func checkForm(_ context.Context, w *work) (err error) {
	w.segments, err = split(w.text())
	return err
}

// checkHeader reads the header. It reaches nothing outside the token.
func checkHeader(_ context.Context, w *work) error {
	decoded, ok := w.decode(w.segments.header)
	if !ok {
		return errNotJWS
	}
	if w.header, ok = readHeader(string(decoded)); !ok {
		return errNotJWS
	}
	return w.header.check(w.accepted)
}

// checkPayload reads the payload and decodes the signature. It is linear in their
// length and reaches nothing outside the token.
func checkPayload(_ context.Context, w *work) error {
	payload, ok := w.decode(w.segments.payload)
	if !ok {
		return errPayloadText
	}
	text := string(payload)
	if w.signature, ok = w.decode(w.segments.signature); !ok {
		return errSignatureText
	}
	w.input = w.segments.input
	f, refusal := parseClaims(text, &w.members)
	if refusal != nil {
		return refusal
	}
	w.claims = f
	return nil
}

var (
	errPayloadText   = malformed("the payload is not base64url without padding")
	errSignatureText = malformed("the signature is not base64url without padding")
)

// decode decodes a segment into the buffer, in the place of what was there.
func (w *work) decode(segment []byte) (decoded []byte, ok bool) {
	decoded, ok = strict.Decode(w.decoded, segment)
	// What failed may have left something there as well.
	w.decoded = decoded[:max(len(segment), len(w.decoded))]
	return decoded, ok
}

// header is what counts of a JOSE header. The parameters that name or carry a
// key, "jwk", "jku", "x5c" and "x5u" (RFC 7515 section 4.1), are not among them:
// the sender writes them.
type header struct {
	algorithm   string
	keyID       string
	tokenType   string
	contentType string
	critical    bool
	encrypted   bool
}

// headerNames are the parameters that this package acts on.
var headerNames = []string{"alg", "kid", "typ", "cty", "crit", "b64", "enc"}

func readHeader(text string) (h header, ok bool) {
	var seen strict.Members
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		switch name {
		case "alg":
			h.algorithm = r.ReadString()
		case "kid":
			h.keyID = r.ReadString()
		case "typ":
			h.tokenType = r.ReadString()
		case "cty":
			h.contentType = r.ReadString()
		case "enc":
			h.encrypted = true
			r.Skip()
		case "crit", "b64":
			// No extension is understood (RFC 7515 section 4.1.11), and an
			// unencoded payload is none that a JWT may have (RFC 7797 section 7).
			h.critical = h.critical || name == "crit" || r.Peek() != 't'
			r.Skip()
		default:
			if strict.Folded(name, headerNames) != "" {
				r.Fail()
			}
			r.Skip()
		}
	}
	return h, r.End()
}

func (h header) check(accepted jws.Algorithms) error {
	if h.encrypted {
		return errEncrypted
	}
	if _, ok := accepted[h.algorithm]; !ok {
		return errOtherAlgorithm
	}
	if h.critical {
		return errCritical
	}
	if isMediaType(h.contentType, "JWT") { // nested, RFC 7519 section 5.2
		return errType
	}
	return nil
}

// isMediaType compares as RFC 7515 section 4.1.9 has it: without regard to case,
// and with "application/" understood where there is no slash.
func isMediaType(s, want string) bool {
	const application = "application/"
	if len(s) > len(application) && strings.EqualFold(s[:len(application)], application) {
		s = s[len(application):]
	}
	return strings.EqualFold(s, want)
}

// work is what verifying one token takes. It is used again for other tokens.
type work struct {
	token
	segments    segments
	knownHeader bool // as that of a token verified before
	hash        tokencache.Sum
	accepted    jws.Algorithms
	credentials Credentials
	issuers     router
	v           *Verifier // whose rules count, once the issuer is known
	now         time.Time
	asked       time.Time // when keys were first asked for
	remembered  *facts    // of the token, if it is being re-checked

	seeded  []byte // the seed of the hash, and the token
	seed    int    // how long that is
	decoded []byte // as long as the longest segment yet
}

var works = sync.Pool{New: func() any { return new(work) }}

// load returns what is needed for a token. It has to be released.
func (p *pipeline) load(c Credentials, issuers router) *work {
	w := works.Get().(*work)
	w.credentials, w.issuers, w.accepted = c, issuers, p.accepted
	seed := p.hash.Seed()
	w.seeded = append(append(w.seeded[:0], seed...), c.Token...)
	w.seed = len(seed)
	return w
}

// release leaves nothing of the token in memory that is used again.
func (w *work) release() {
	clear(w.seeded)
	clear(w.decoded)
	*w = work{seeded: w.seeded[:0], decoded: w.decoded[:0]}
	works.Put(w)
}

// text returns the token, nothing for claims that are re-checked.
func (w *work) text() []byte { return w.seeded[w.seed:] }
