package claims

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// FromJSON returns the claims that a JSON object has, by the strict rules that
// a token's payload is read with. It verifies nothing: it is for claims that
// are trusted for another reason, such as the answer of an introspection
// endpoint, or a test of a handler.
//
// Of cfg those fields count that say what claims mean: Profile, ClientIDClaim,
// ScopeMap, PermissionClaims and PermissionMap. The zero Config maps nothing. The
// error names the claim that is not well-formed, or what is wrong with cfg.
func FromJSON(object []byte, cfg Config) (*Claims, error) {
	meaning, errs := cfg.compileMeaning()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	var t token
	f, fault := parseClaims(string(object), &t.members)
	if f == nil {
		return nil, fmt.Errorf("claims: FromJSON: %w", fault)
	}
	t.claims = f
	meaning.complete(&t)
	return f.claims(), nil
}

// registered are the claims that this package acts on, with what each must be. A
// name that differs from one of them in case alone is refused: json.Unmarshal, which
// Decode and much other code uses, would take it for the same.
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

var registeredNames = func() []string {
	names := make([]string, len(registered))
	for i, claim := range registered {
		names[i] = claim.name
	}
	return names
}()

// Refusals of payloads, made once: to refuse costs no allocation.
var (
	errPayload = malformed("the payload is not a JSON object in strict form: " +
		"a syntax error, a name twice, or text that is not UTF-8")

	wrongType, wrongCase = func() (types, cases map[string]*Error) {
		types, cases = map[string]*Error{}, map[string]*Error{}
		for _, c := range registered {
			types[c.name] = malformed(fmt.Sprintf("claim %q is not %s", c.name, c.wanted))
			cases[c.name] = malformed(fmt.Sprintf(
				"a claim's name differs from %q in case alone", c.name))
		}
		return types, cases
	}()
)

func malformed(cause string) *Error {
	return &Error{class: ErrInvalidToken, reason: ReasonMalformed, cause: errors.New("claims: " + cause)}
}

// parseClaims returns what a payload says, or a refusal that names the claim unless
// it is an object whose claims have the types that they should. It lists all claims
// in members.
func parseClaims(payload string, all *strict.Members) (*facts, *Error) {
	c := &facts{payload: payload}
	c.handle.facts = c
	var clientID, azp string
	var scope, scp []string
	r := strict.NewReader(payload)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(all)
		start := r.At()
		if r.Failed() {
			return nil, errPayload
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
				if of := strict.Folded(name, registeredNames); of != "" {
					return nil, wrongCase[of]
				}
			}
			r.Skip()
		}
		text, ok := r.Since(start)
		if !ok {
			if fault := wrongType[name]; fault != nil {
				return nil, fault
			}
			return nil, errPayload
		}
		all.Set(name, text)
	}
	if !r.End() {
		return nil, errPayload
	}
	if c.clientID = clientID; clientID == "" {
		c.clientID = azp
	}
	if c.scopes = scope; scope == nil {
		c.scopes = scp
	}
	return c, nil
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

// meaning is what the claims of an issuer mean.
type meaning struct {
	clientIDClaim string              // empty for "client_id" or "azp"
	implied       map[string][]string // by scope
	permissions   permissionMapping
}

// complete adds what the claims mean: once they are verified, and before anybody
// shares them.
func (m *meaning) complete(t *token) {
	if m.clientIDClaim != "" {
		t.claims.clientID = ""
		if value, _ := t.members.Find(m.clientIDClaim); strings.HasPrefix(value, `"`) {
			t.claims.clientID = plain(value)
		}
	}
	if m.implied != nil {
		t.claims.scopes = m.withImplied(t.claims.scopes)
	}
	t.claims.granted = m.permissions.of(t)
}

// withImplied returns scopes and what they imply, each once.
func (m *meaning) withImplied(scopes []string) []string {
	implies := func(scope string) bool { return len(m.implied[scope]) > 0 }
	if !slices.ContainsFunc(scopes, implies) {
		return scopes
	}
	granted := distinct(scopes) // first, as to repeat one is cheap for whoever asks
	all := slices.Clip(granted)
	for _, scope := range granted {
		all = append(all, m.implied[scope]...)
	}
	return distinct(all)
}
