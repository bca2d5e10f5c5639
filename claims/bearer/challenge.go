package bearer

import (
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// DefaultRealm is the realm of a [Challenge] that has none.
const DefaultRealm = "api"

// Challenge makes the WWW-Authenticate fields of refusals (RFC 6750 section 3).
// The zero value is ready for use.
type Challenge struct {
	// Realm names what is protected. Empty means [DefaultRealm]: a challenge
	// must have at least one parameter. Characters that a field value can not
	// have are left out.
	Realm string
}

// Field returns the field value that goes with a refusal of an operation, empty
// if none does:
//
//   - for no token, the scheme and the realm, and the scope that the operation
//     needs, but no error code: the client may not have known (section 3.1)
//   - for a refusal, the error code and its fixed text, and for insufficient
//     scope the scope that would do
//   - for [claims.ErrUnavailable] nothing: no other token would help
func (c Challenge) Field(refusal *claims.Error, needs claims.Requirement) string {
	if refusal.Class() == claims.ErrUnavailable {
		return ""
	}
	realm := c.Realm
	if realm == "" {
		realm = DefaultRealm
	}
	var b strings.Builder
	b.WriteString(Scheme + ` realm="`)
	writeEscaped(&b, realm)
	b.WriteString(`"`)
	scope := refusal.Scope()
	if code := Code(refusal); code != "" {
		b.WriteString(`, error="` + code + `", error_description="` + refusal.Text() + `"`)
	} else {
		scope = needs.Scope()
	}
	if scope != "" {
		b.WriteString(`, scope="`)
		writeEscaped(&b, scope)
		b.WriteString(`"`)
	}
	return b.String()
}

// Code returns the error code of a refusal (RFC 6750 section 3.1, RFC 9470
// section 3), empty for [claims.ErrNoToken] and [claims.ErrUnavailable], which
// have none.
func Code(refusal *claims.Error) string {
	switch refusal.Class() {
	case claims.ErrInvalidRequest:
		return "invalid_request"
	case claims.ErrInvalidToken:
		return "invalid_token"
	case claims.ErrInsufficientAuthentication:
		return "insufficient_user_authentication"
	case claims.ErrInsufficientScope, claims.ErrForbidden:
		return "insufficient_scope"
	}
	return ""
}

// writeEscaped writes the inside of a quoted-string (RFC 9110 section 5.6.4).
func writeEscaped(b *strings.Builder, s string) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case 0x20 <= c && c < 0x7f:
			b.WriteByte(c)
		}
	}
}
