package claims

import (
	"fmt"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// registered are the claims that this package acts on, with what each must be.
// A name that differs from one of them in case alone is refused:
// json.Unmarshal, which Decode and much other code uses, would take it for the
// same.
var registered = []struct{ name, wanted string }{
	{"iss", "a string"},
	{"sub", "a string"},
	{"aud", "a string or an array of strings"},
	{"exp", wantedDate},
	{"nbf", wantedDate},
	{"iat", wantedDate},
	{"jti", "a string"},
	{"scope", "a string or an array of strings"},
	{"scp", "a string or an array of strings"},
	{"client_id", "a string"},
	{"azp", "a string"},
	{"cnf", wantedAny},
	{"acr", wantedAny},
	{"auth_time", wantedAny},
}

const (
	wantedDate = "a number of seconds, from 1970 to 9999"
	wantedAny  = "a value"
)

var registeredNames = func() *strict.Names {
	names := make([]string, len(registered))
	for i, claim := range registered {
		names[i] = claim.name
	}
	return strict.NewNames(names...)
}()

const (
	// maxClaims is how many claims a token may have at the top: real ones have
	// some forty.
	maxClaims = 256
)

// Refusals of payloads, made once: to refuse costs no allocation.
var (
	payloadFaults = textFaults("payload", nil)
	errManyClaims = malformed(fmt.Sprintf("the payload has more than %d claims", maxClaims))

	wrongType, wrongCase, twice = func() (types, cases, twice map[string]*Error) {
		types, cases, twice = map[string]*Error{}, map[string]*Error{}, map[string]*Error{}
		for _, c := range registered {
			types[c.name] = malformed(fmt.Sprintf("claim %q is not %s", c.name, c.wanted))
			cases[c.name] = variantOf(c.name)
			twice[c.name] = malformed(fmt.Sprintf("claim %q is there twice", c.name))
		}
		return types, cases, twice
	}()
)

// variantOf is the refusal for a claim whose name differs in case alone from
// one that is used. Explain has the name as it is in the token.
func variantOf(name string) *Error {
	return malformed("a claim's name differs from " + quote(name) + " in case alone")
}

// parseClaims returns what a payload says, or a refusal that names the claim
// unless it is an object whose claims have the types that they should. It lists
// all claims in members.
func parseClaims(payload string, all *strict.Members) (*facts, *Error) {
	c := &facts{payload: payload}
	var clientID, azp string
	var scope, scp []string
	r := strict.NewReader(payload)
	r.Bound(maxListed)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(all)
		start := r.At()
		if r.Failed() {
			return nil, nameFault(payload, &r)
		}
		switch name {
		case "iss":
			c.issuer = r.ReadString()
		case "sub":
			c.subject = r.ReadString()
		case "aud":
			c.audience = r.ReadStrings()
		case "exp":
			c.expiresAt = r.ReadDate()
		case "nbf":
			c.notBefore = r.ReadDate()
		case "iat":
			c.issuedAt = r.ReadDate()
		case "jti":
			c.id = r.ReadString()
		case "sid":
			// Of any type, and no variant is refused: a "SID" is something
			// else.
			c.inSession(r.ReadRaw())
		case "client_id":
			clientID = r.ReadString()
		case "azp":
			azp = r.ReadString()
		case "acr", "auth_time":
			// Of any type, as nobody may need them.
			c.authenticated(name, r.ReadRaw())
		case "scope":
			scope = r.ReadWords()
		case "scp":
			scp = r.ReadWords()
		case "cnf":
			// Of any type: who cannot read it cannot prove it, and refuses.
			c.cnf = r.ReadRaw()
		default:
			if !strict.IsLower(name) {
				all.Mixed = true
				if of := registeredNames.Resembled(name); of != "" {
					return nil, wrongCase[of]
				}
			}
			r.Skip()
		}
		text, ok := r.Since(start)
		if !ok {
			return nil, valueFault(payload, &r, name, start)
		}
		all.Set(name, text)
		if all.Len() > maxClaims {
			return nil, errManyClaims
		}
	}
	if !r.End() {
		return nil, payloadFaults.of(payload, &r)
	}
	if c.clientID = clientID; clientID == "" {
		c.clientID = azp
	}
	if c.scopes = scope; scope == nil {
		c.scopes = scp
	}
	return c, nil
}

// nameFault is the refusal for the name of a claim.
func nameFault(payload string, r *strict.Reader) *Error {
	if r.Fault() == strict.Twice {
		if refusal := twice[r.Repeated()]; refusal != nil {
			return refusal
		}
	}
	return payloadFaults.of(payload, r)
}

// valueFault is the refusal for the value of a claim, which begins at a place:
// for its type if it is JSON.
func valueFault(payload string, r *strict.Reader, name string, start int) *Error {
	if fault := wrongType[name]; fault != nil && r.Fault() == strict.Syntax {
		value := strict.NewReader(payload[start:])
		if value.Skip(); !value.Failed() {
			return fault
		}
	}
	return payloadFaults.of(payload, r)
}

// authenticated takes note of what the token says of the user's authentication.
func (c *facts) authenticated(name, value string) {
	r := strict.NewReader(value)
	if name == "acr" {
		if acr := r.ReadString(); r.End() {
			c.acr = acr
		}
	} else if at := r.ReadDate(); r.End() {
		c.authTime = at
	}
}

// inSession takes note of the session that the token was issued in.
func (c *facts) inSession(value string) {
	r := strict.NewReader(value)
	if session := r.ReadString(); r.End() {
		c.session = session
	}
}
