package claims

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

// Claims is what a verified token says of its caller (RFC 7519 section 4, RFC
// 9068 section 2.2). It is immutable and safe for concurrent use. The methods
// of a nil or zero *Claims answer that there is nothing. Every request has a
// Claims of its own: overwriting it changes nothing for another.
type Claims struct{ *facts }

// facts are the claims of one token. One value serves many requests.
type facts struct {
	issuer    string
	subject   string
	clientID  string
	id        string
	session   string
	audience  []string
	scopes    []string
	granted   []string // permissions
	expiresAt time.Time
	until     time.Time // when the token stops being accepted
	notBefore time.Time
	issuedAt  time.Time
	authTime  time.Time
	acr       string
	keyID     string
	payload   string
	cnf       string // JSON, empty if the token is not bound (RFC 7800)
	origin    origin // zero if they did not come from a token

	// The PermissionCache's answer. The only field that changes, beside met and
	// cleared; no method shows it.
	answer atomic.Pointer[standing]
	met    atomic.Bool // by a Guard
	// The last news of Revocations that has nothing about the token.
	cleared atomic.Pointer[News]

	first   Claims      // for the first who asks for the claims
	taken   atomic.Bool // it is somebody's
	further atomic.Pointer[handles]
}

// handles are Claims for those who ask after the first: some at a time, as one
// for each would be an allocation for each.
type handles struct {
	taken atomic.Uint32
	list  [15]Claims
}

var noFacts = new(facts)

// of returns the facts, of nil and zero Claims those that say nothing.
func (c *Claims) of() *facts {
	if c == nil || c.facts == nil {
		return noFacts
	}
	return c.facts
}

// claims returns Claims with these facts that nobody else has.
func (f *facts) claims() *Claims {
	if !f.taken.Load() && f.taken.CompareAndSwap(false, true) {
		f.first.facts = f
		return &f.first
	}
	if h := f.further.Load(); h != nil {
		if n := h.taken.Add(1); int(n) <= len(h.list) {
			return &h.list[n-1]
		}
	}
	h := new(handles)
	for i := range h.list {
		h.list[i].facts = f
	}
	h.taken.Store(1)
	f.further.Store(h)
	return &h.list[0]
}

// Issuer returns "iss", the authorization server that issued the token.
func (c *Claims) Issuer() string { return c.of().issuer }

// Subject returns "sub": the user, or the client where it acts for itself. It
// is unique only together with the issuer.
func (c *Claims) Subject() string { return c.of().subject }

// ClientID returns the client that the token was issued to: "client_id" (RFC
// 8693 section 4.3), or "azp" where there is none.
func (c *Claims) ClientID() string { return c.of().clientID }

// ID returns "jti", the identifier of the token.
func (c *Claims) ID() string { return c.of().id }

// SessionID returns "sid", the session of the user at the issuer that the token
// was issued in (OpenID Connect Front-Channel Logout section 3). It is empty if
// the claim is absent or not a string.
func (c *Claims) SessionID() string { return c.of().session }

// Audience returns "aud": whom the token is for. The slice is the caller's own,
// and never nil.
func (c *Claims) Audience() []string { return append([]string{}, c.of().audience...) }

// Scopes returns the scopes that the client was granted: "scope", or "scp"
// where there is none, each either a space-separated string (RFC 8693 section
// 4.2) or an array; and what they imply by [Config].ScopeMap. The slice is the
// caller's own, and never nil.
func (c *Claims) Scopes() []string { return append([]string{}, c.of().scopes...) }

// HasScope reports whether the client was granted exactly this scope, or one
// that implies it by [Config].ScopeMap. There are no wildcards and no prefixes.
func (c *Claims) HasScope(scope string) bool { return slices.Contains(c.of().scopes, scope) }

// Permissions returns what the token says that the caller may do, by the
// issuer's mapping: [Config].PermissionClaims. The slice is the caller's own,
// and never nil.
func (c *Claims) Permissions() []string { return append([]string{}, c.of().granted...) }

// ExpiresAt returns "exp", when the token expires. It is zero only in claims
// that did not come from a token.
func (c *Claims) ExpiresAt() time.Time { return c.of().expiresAt }

// ValidUntil returns when the token stops being accepted, by ExpiresAt, the
// leeway of its issuer's [Config] and its MaxTokenAge. For claims that did not
// come from a token it is ExpiresAt.
func (c *Claims) ValidUntil() time.Time {
	f := c.of()
	if f.until.IsZero() {
		return f.expiresAt
	}
	return f.until
}

// NotBefore returns "nbf", zero if there is none.
func (c *Claims) NotBefore() time.Time { return c.of().notBefore }

// IssuedAt returns "iat", zero if there is none.
func (c *Claims) IssuedAt() time.Time { return c.of().issuedAt }

// ACR returns "acr": how the user authenticated (RFC 9470 section 6.2). It is
// empty if the claim is absent or not a string.
func (c *Claims) ACR() string { return c.of().acr }

// AuthTime returns "auth_time", when the user authenticated (RFC 9470 section
// 6.2). It is zero if the claim is absent or not a time.
func (c *Claims) AuthTime() time.Time { return c.of().authTime }

// KeyID returns the ID of the key that verified the token's signature. It is
// empty if the key has none or is a secret, and for claims that did not come
// from a token.
func (c *Claims) KeyID() string { return c.of().keyID }

// Decode stores the token's claims in the value that v points to, by the rules
// of [json.Unmarshal]: it is for claims that have no method here. The text of
// its error may quote a claim.
func (c *Claims) Decode(v any) error {
	payload := c.of().payload
	if payload == "" {
		payload = "{}"
	}
	return json.Unmarshal([]byte(payload), v)
}

// size is about how many bytes the claims take.
func (f *facts) size() int {
	const text = 16 // of the header of a string
	size := len(f.payload) + overhead + text*(len(f.audience)+len(f.scopes)+len(f.granted))
	for _, permission := range f.granted {
		size += len(permission)
	}
	return size
}

// overhead is about what a token takes beside its claims' text.
const overhead = 500

// String returns the issuer and the subject, quoted on one line, so that claims
// in a log line do not spill the rest.
func (c *Claims) String() string {
	return "claims.Claims{" + strconv.Quote(c.Issuer()) + " " + strconv.Quote(c.Subject()) + "}"
}

// Format prints what String returns, whatever the verb, and of a Claims that is
// not a pointer, too.
func (f *facts) Format(s fmt.State, _ rune) {
	c := Claims{f}
	_, _ = io.WriteString(s, c.String())
}

// principal returns who the claims are of.
func (c *Claims) principal() Principal {
	f := c.of()
	return Principal{f.issuer, f.subject, f.clientID}
}

// origin is what verified claims came from.
type origin struct {
	by       maker     // nil if from no token
	verifier uint64    // its id: a Verifier that is gone is not held
	key      *jwks.Key // nil if the token is signed with a secret
	// Of the token's header.
	keyID, algorithm, tokenType string
}

// maker is an Authenticator that verifies tokens.
type maker interface {
	Authenticator
	// recheck asks again what each use of a token asks, of claims that the
	// maker made: whether the issuer is trusted, the key still there, the time,
	// and Config.Check. It returns nil for other claims.
	recheck(ctx context.Context, caller *Claims) error
	// freshKeys returns a refusal if the keys of the issuer of a token, which
	// the maker verified, are older, and no younger ones can be had.
	freshKeys(ctx context.Context, f *facts, most time.Duration) error
}
