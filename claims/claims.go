package claims

import (
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// Claims is what a verified token says of its caller (RFC 7519 section 4, RFC
// 9068 section 2.2). It is immutable and safe for concurrent use: one value may
// serve many requests.
type Claims struct {
	issuer    string
	subject   string
	clientID  string
	id        string
	audience  []string
	scopes    []string
	granted   []string // permissions
	expiresAt time.Time
	until     time.Time // when the token is accepted no longer
	notBefore time.Time
	issuedAt  time.Time
	authTime  time.Time
	acr       string
	keyID     string
	payload   string
	bound     bool

	// What a PermissionCache has said of the caller, so that it need not be looked
	// for: the one thing that changes, and nobody sees it.
	answer atomic.Pointer[standing]
}

// Issuer returns "iss", the authorization server that issued the token.
func (c *Claims) Issuer() string { return c.issuer }

// Subject returns "sub": the user, or the client where it acts for itself. It
// is unique only together with the issuer.
func (c *Claims) Subject() string { return c.subject }

// ClientID returns the client that the token was issued to: "client_id" (RFC
// 8693 section 4.3), or "azp" where there is none.
func (c *Claims) ClientID() string { return c.clientID }

// ID returns "jti", the identifier of the token.
func (c *Claims) ID() string { return c.id }

// Audience returns "aud": whom the token is for. The slice is the caller's own,
// and never nil.
func (c *Claims) Audience() []string { return append([]string{}, c.audience...) }

// Scopes returns the scopes that the client was granted: "scope", or "scp" where
// there is none, each either a space-separated string (RFC 8693 section 4.2) or
// an array. The slice is the caller's own, and never nil.
func (c *Claims) Scopes() []string { return append([]string{}, c.scopes...) }

// HasScope reports whether the client was granted exactly this scope. There are
// no wildcards, no prefixes and no hierarchy.
func (c *Claims) HasScope(scope string) bool { return slices.Contains(c.scopes, scope) }

// Permissions returns what the resource server says that the caller may do, by the
// issuer's mapping: [Config].PermissionClaims. The slice is the caller's own, and
// never nil.
func (c *Claims) Permissions() []string { return append([]string{}, c.granted...) }

// HasPermission reports whether the caller has exactly this permission.
func (c *Claims) HasPermission(permission string) bool {
	return slices.Contains(c.granted, permission)
}

// ExpiresAt returns "exp", from when on the token is not valid. It is zero only
// in claims that did not come from a token.
func (c *Claims) ExpiresAt() time.Time { return c.expiresAt }

// ValidUntil returns from when on the token is not accepted, by ExpiresAt, the
// leeway of its issuer's [Config] and its MaxTokenAge. Of claims that did not come
// from a token it is ExpiresAt.
func (c *Claims) ValidUntil() time.Time {
	if c.until.IsZero() {
		return c.expiresAt
	}
	return c.until
}

// NotBefore returns "nbf", zero if there is none.
func (c *Claims) NotBefore() time.Time { return c.notBefore }

// IssuedAt returns "iat", zero if there is none.
func (c *Claims) IssuedAt() time.Time { return c.issuedAt }

// ACR returns "acr", the authentication context that the user has authenticated by;
// empty if there is none, or one that is no string (RFC 9470 section 6.2).
func (c *Claims) ACR() string { return c.acr }

// AuthTime returns "auth_time", when the user authenticated; zero if there is none, or
// one that is no such time (RFC 9470 section 6.2).
func (c *Claims) AuthTime() time.Time { return c.authTime }

// KeyID returns the ID of the key that the token's signature was checked with, empty
// if that has none, is a secret, or the claims did not come from a token.
func (c *Claims) KeyID() string { return c.keyID }

// Decode stores the token's claims in the value that v points to, by the rules
// of [json.Unmarshal]: it is for claims that have no method here. The text of
// its error may quote a claim.
func (c *Claims) Decode(v any) error { return json.Unmarshal([]byte(c.payload), v) }

// size is about how many bytes the claims take.
func (c *Claims) size() int {
	const text = 16 // of the header of a string
	size := len(c.payload) + overhead + text*(len(c.audience)+len(c.scopes)+len(c.granted))
	for _, permission := range c.granted {
		size += len(permission)
	}
	return size
}

// String returns the issuer and the subject, so that claims in a log line do
// not spill the rest.
func (c *Claims) String() string {
	return "claims.Claims{" + c.issuer + " " + c.subject + "}"
}

// FromJSON returns the claims that a JSON object has, by the strict rules that
// a token's payload is read with. It verifies nothing: it is for claims that
// are trusted for another reason, such as the answer of an introspection
// endpoint, or a test of a handler.
func FromJSON(object []byte) (*Claims, error) {
	c := parseClaims(string(object), &strict.Members{})
	if c == nil {
		return nil, errors.New("claims: not a JSON object with well-formed claims")
	}
	return c, nil
}

// registered are the claims that this package acts on. A name that differs from
// one of them in case alone is refused: json.Unmarshal, which Decode and much
// other code uses, would take it for the same.
var registered = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti",
	"scope", "scp", "client_id", "azp", "cnf", "acr", "auth_time",
}

// parseClaims returns nil unless payload is an object whose claims have the
// types that they should. It lists all of them in members.
func parseClaims(payload string, all *strict.Members) *Claims {
	c := &Claims{payload: payload}
	var clientID, azp string
	var scope, scp []string
	r := strict.NewReader(payload)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(all)
		start := r.At()
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
			c.bound = true
			r.Skip()
		default:
			if !strict.IsLower(name) {
				all.Mixed = true
				if strict.FoldsTo(name, registered) {
					r.Fail()
				}
			}
			r.Skip()
		}
		if text, ok := r.Since(start); ok {
			all.Set(name, text)
		}
	}
	if !r.End() {
		return nil
	}
	if c.clientID = clientID; clientID == "" {
		c.clientID = azp
	}
	if c.scopes = scope; scope == nil {
		c.scopes = scp
	}
	return c
}

// authenticated takes note of what the token says of the user's authentication.
func (c *Claims) authenticated(name, value string) {
	r := strict.NewReader(value)
	if name == "acr" {
		if acr := r.ReadString(); r.End() {
			c.acr = acr
		}
	} else if at := r.ReadDate(); r.End() {
		c.authTime = at
	}
}

// overhead is about what a token takes beside its claims' text.
const overhead = 500

// Principal is who a [PermissionSource] is asked about: all that its answer may
// depend on. It can be compared with ==.
type Principal struct {
	Issuer   string
	Subject  string // the user, or the client where it acts for itself
	ClientID string
}

// Principal returns who the claims are of.
func (c *Claims) Principal() Principal { return Principal{c.issuer, c.subject, c.clientID} }

func (p Principal) matches(other Principal) bool {
	return (p.Issuer == "" || p.Issuer == other.Issuer) &&
		(p.Subject == "" || p.Subject == other.Subject) &&
		(p.ClientID == "" || p.ClientID == other.ClientID)
}
