package claims

import (
	"encoding/base64"
	"strings"
)

// maxTokenSize is more than any header line of common servers and clients takes
// a token to be, and little enough to parse for nothing.
const maxTokenSize = 16 << 10

// token is a parsed JWS in compact serialization (RFC 7515 section 7.1) whose
// signature is not checked yet.
type token struct {
	header    header
	claims    *Claims
	input     string // the signing input, RFC 7515 section 5.1 step 5
	signature []byte
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
}

// parseRequest takes the Bearer token of a request apart.
func parseRequest(r Request) (*token, error) {
	if !strings.EqualFold(r.Scheme, "Bearer") {
		return nil, errUnsupportedScheme
	}
	return parseToken(r.Token)
}

// parseToken does the checks of a token's form. It is linear in the token's
// length and reaches nothing outside the token.
func parseToken(text string) (*token, error) {
	if len(text) > maxTokenSize {
		return nil, errTooLarge
	}
	first := strings.IndexByte(text, '.')
	last := strings.LastIndexByte(text, '.')
	if first == last || strings.IndexByte(text[first+1:last], '.') >= 0 {
		return nil, errMalformed
	}
	// encoding/base64 passes over line breaks even when strict.
	if strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\r') >= 0 {
		return nil, errMalformed
	}
	headerJSON, ok1 := decode(text[:first])
	payload, ok2 := decode(text[first+1 : last])
	signature, ok3 := decode(text[last+1:])
	if !ok1 || !ok2 || !ok3 {
		return nil, errMalformed
	}
	head, ok := parseHeader(string(headerJSON))
	if !ok {
		return nil, errMalformed
	}
	if err := head.check(); err != nil {
		return nil, err
	}
	c := parseClaims(string(payload))
	if c == nil {
		return nil, errMalformed
	}
	return &token{head, c, text[:last], signature}, nil
}

// strict refuses padding and bits that no encoder sets, so that a token has one
// spelling (RFC 7515 section 2, RFC 4648 section 3.5).
var strict = base64.RawURLEncoding.Strict()

func decode(segment string) ([]byte, bool) {
	b, err := strict.DecodeString(segment)
	return b, err == nil && len(b) > 0
}

// headerNames are the parameters that this package acts on.
var headerNames = []string{"alg", "kid", "typ", "cty", "crit", "b64"}

func parseHeader(text string) (h header, ok bool) {
	ok = readObject(text, func(r *reader, name string) {
		switch name {
		case "alg":
			h.algorithm = r.string()
		case "kid":
			h.keyID = r.string()
		case "typ":
			h.tokenType = r.string()
		case "cty":
			h.contentType = r.string()
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
	})
	return h, ok
}

func (h header) check() error {
	if _, ok := algorithms[h.algorithm]; !ok {
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
