package claims

import (
	"encoding/base64"
	"strings"

	"github.com/sallyport-go/sallyport/jwks"
)

// maxTokenSize is more than any header line of common servers and clients takes
// a token to be, and little enough to parse for nothing.
const maxTokenSize = 16 << 10

// token is a JWS in compact serialization (RFC 7515 section 7.1), taken apart; its
// signature is not checked yet.
type token struct {
	header    header
	claims    *Claims
	members   members // all claims
	input     string  // the signing input, RFC 7515 section 5.1 step 5
	signature []byte
	keys      []*jwks.Key // those to check it with, once they are looked up
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

// parseRequest takes the Bearer token of a request apart.
func (t *token) parseRequest(r Request, accepted algorithmSet) error {
	if !strings.EqualFold(r.Scheme, "Bearer") {
		return errUnsupportedScheme
	}
	return t.parse(r.Token, accepted)
}

// parse does the checks of a token's form, header and payload. It is linear in the
// token's length and reaches nothing outside the token.
func (t *token) parse(text string, accepted algorithmSet) error {
	parts, err := split(text)
	if err != nil {
		return err
	}
	if err := t.parseHeader(parts.header, accepted); err != nil {
		return err
	}
	return t.parsePayload(parts)
}

// segments are those of a JWS in compact serialization, still encoded.
type segments struct{ header, payload, signature, input string }

// split finds the segments. It costs no allocation.
func split(text string) (segments, error) {
	if len(text) > maxTokenSize {
		return segments{}, errTooLarge
	}
	// encoding/base64 passes over line breaks even when strict.
	if strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\r') >= 0 {
		return segments{}, errMalformed
	}
	first := strings.IndexByte(text, '.')
	last := strings.LastIndexByte(text, '.')
	if first == last {
		return segments{}, errMalformed
	}
	if strings.IndexByte(text[first+1:last], '.') >= 0 {
		return segments{}, notJWS(text, first)
	}
	return segments{text[:first], text[first+1 : last], text[last+1:], text[:last]}, nil
}

// notJWS tells an encrypted token, five segments and "enc" in the header (RFC 7516
// section 9), from what is no token, so that whoever reads the refusal knows what
// to change.
func notJWS(text string, first int) error {
	if strings.Count(text, ".") != 4 {
		return errMalformed
	}
	decoded, ok := decode(text[:first])
	if !ok {
		return errMalformed
	}
	if head, ok := readHeader(string(decoded)); !ok || !head.encrypted {
		return errMalformed
	}
	return errEncrypted
}

func (t *token) parseHeader(segment string, accepted algorithmSet) error {
	decoded, ok := decode(segment)
	if !ok {
		return errMalformed
	}
	if t.header, ok = readHeader(string(decoded)); !ok {
		return errMalformed
	}
	return t.header.check(accepted)
}

func (t *token) parsePayload(parts segments) error {
	payload, ok := decode(parts.payload)
	if !ok {
		return errMalformed
	}
	if t.signature, ok = decode(parts.signature); !ok {
		return errMalformed
	}
	t.input = parts.input
	if t.claims = parseClaims(string(payload), &t.members); t.claims == nil {
		return errMalformed
	}
	return nil
}

// strict refuses padding and bits that no encoder sets, so that a token has one
// spelling (RFC 7515 section 2, RFC 4648 section 3.5).
var strict = base64.RawURLEncoding.Strict()

func decode(segment string) ([]byte, bool) {
	b, err := strict.DecodeString(segment)
	return b, err == nil && len(b) > 0
}

// headerNames are the parameters that this package acts on.
var headerNames = []string{"alg", "kid", "typ", "cty", "crit", "b64", "enc"}

func readHeader(text string) (h header, ok bool) {
	var seen members
	r := newReader(text)
	for r.enter('{'); r.next('}'); {
		name := r.name(&seen)
		switch name {
		case "alg":
			h.algorithm = r.string()
		case "kid":
			h.keyID = r.string()
		case "typ":
			h.tokenType = r.string()
		case "cty":
			h.contentType = r.string()
		case "enc":
			h.encrypted = true
			r.skip()
		case "crit", "b64":
			// No extension is understood (RFC 7515 section 4.1.11), and an
			// unencoded payload is none that a JWT may have (RFC 7797 section 7).
			h.critical = h.critical || name == "crit" || r.peek() != 't'
			r.skip()
		default:
			if foldsTo(name, headerNames) {
				r.fail()
			}
			r.skip()
		}
	}
	return h, r.end()
}

func (h header) check(accepted algorithmSet) error {
	if h.encrypted {
		return errEncrypted
	}
	if _, ok := accepted[h.algorithm]; !ok {
		return errAlgorithm
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
