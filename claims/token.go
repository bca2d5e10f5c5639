package claims

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
	"github.com/sallyport-go/sallyport/jwks"
)

// token is a JWS in compact serialization (RFC 7515 section 7.1), taken apart;
// its signature is not checked yet.
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

// notJWS tells an encrypted token, five segments and "enc" in the header (RFC
// 7516 section 9), from what is no token, so that whoever reads the refusal
// knows what to change.
func notJWS(text []byte, first int) error {
	if bytes.Count(text, []byte(".")) != 4 {
		return errNotJWS
	}
	decoded, ok := strict.Decode(nil, text[:first])
	if !ok {
		return errNotJWS
	}
	if head, refusal := readHeader(string(decoded)); refusal != nil || !head.encrypted {
		return errNotJWS
	}
	return errEncrypted
}

var (
	errHeaderText = malformedAs(ErrUnrecognized,
		"the header is not base64url without padding")
	errPayloadText   = malformed("the payload is not base64url without padding")
	errSignatureText = malformed("the signature is not base64url without padding")
)

// header is what counts of a JOSE header. The parameters that name or carry a
// key, "jwk", "jku", "x5c" and "x5u" (RFC 7515 section 4.1), are not among
// them: the sender writes them.
type header struct {
	algorithm   string
	keyID       string
	tokenType   string
	contentType string
	critical    bool // "crit" is there
	unencoded   bool // "b64" is, and not true
	encrypted   bool
}

// parameters are the header parameters that this package acts on, with what
// each must be; empty for anything.
var parameters = []struct{ name, wanted string }{
	{"alg", "a string"},
	{"kid", "a string"},
	{"typ", "a string"},
	{"cty", "a string"},
	{"crit", ""},
	{"b64", ""},
	{"enc", ""},
}

// maxParameters is how many a header may have: real ones have three or four.
const maxParameters = 64

// Refusals of headers, made once: to refuse costs no allocation. What has no
// header is no JWS.
var (
	headerFaults      = textFaults("header", ErrUnrecognized)
	errManyParameters = malformedAs(ErrUnrecognized,
		fmt.Sprintf("the header has more than %d parameters", maxParameters))

	parameterNames, headerTypes, headerCases, headerTwice = func() (
		names *strict.Names, types, cases, twice map[string]*Error,
	) {
		types, cases, twice = map[string]*Error{}, map[string]*Error{}, map[string]*Error{}
		var list []string
		refusal := func(format string, args ...any) *Error {
			return malformedAs(ErrUnrecognized, "header parameter "+fmt.Sprintf(format, args...))
		}
		for _, p := range parameters {
			list = append(list, p.name)
			types[p.name] = refusal("%q is not %s", p.name, p.wanted)
			cases[p.name] = refusal("%q differs from that in case alone", p.name)
			twice[p.name] = refusal("%q is there twice", p.name)
		}
		return strict.NewNames(list...), types, cases, twice
	}()
)

// readHeader returns what a header says, or why it cannot be one.
func readHeader(text string) (h header, refusal *Error) {
	var seen strict.Members
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		start := r.At()
		if r.Failed() {
			break
		}
		if seen.Len() > maxParameters {
			return h, errManyParameters
		}
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
		case "crit":
			// No extension is understood (RFC 7515 section 4.1.11).
			h.critical = true
			r.Skip()
		case "b64":
			// An unencoded payload is none that a JWT may have (RFC 7797
			// section 7).
			h.unencoded = r.Peek() != 't'
			r.Skip()
		default:
			if of := parameterNames.Resembled(name); of != "" {
				return h, headerCases[of]
			}
			r.Skip()
		}
		if fault := headerTypes[name]; r.Fault() == strict.Syntax && fault != nil {
			value := strict.NewReader(text[start:])
			if value.Skip(); !value.Failed() {
				return h, fault
			}
		}
	}
	if r.End() {
		return h, nil
	}
	if fault := headerTwice[r.Repeated()]; fault != nil {
		return h, fault
	}
	return h, headerFaults.of(text, &r)
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
	if h.unencoded {
		return errUnencoded
	}
	if isMediaType(h.contentType, "JWT") { // nested, RFC 7519 section 5.2
		return errNested
	}
	return nil
}

// isMediaType compares as RFC 7515 section 4.1.9 has it: without regard to
// case, and with "application/" understood where there is no slash.
func isMediaType(s, want string) bool {
	const application = "application/"
	if len(s) > len(application) && strings.EqualFold(s[:len(application)], application) {
		s = s[len(application):]
	}
	return strings.EqualFold(s, want)
}
