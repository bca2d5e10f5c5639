package bearer

import (
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// DefaultRealm is the realm of a [Challenge] that has none.
const DefaultRealm = "api"

// Challenge makes the WWW-Authenticate fields of refusals (RFC 6750 section 3).
// [NewChallenge] makes one.
type Challenge struct {
	start string
}

// NewChallenge returns a Challenge whose realm names what is protected. Empty means
// [DefaultRealm]: a challenge must have at least one parameter. Characters that a
// field value can not have are left out.
func NewChallenge(realm string) Challenge {
	if realm == "" {
		realm = DefaultRealm
	}
	return Challenge{Scheme + " realm=" + quoted(realm)}
}

// Field returns the field value that goes with a refusal, empty if none does:
//
//   - for no token, the scheme and the realm, and the scope that the operation
//     needs, but no error code: the client may not have known (section 3.1)
//   - for a refusal, the error code and its fixed text; for insufficient scope the
//     scope that would do, and for insufficient authentication that scope, acr_values
//     and max_age (RFC 9470 section 3)
//   - for [claims.ErrUnavailable] nothing: no other token would help
func (c Challenge) Field(refusal *claims.Error) string {
	if refusal.Class() == claims.ErrUnavailable {
		return ""
	}
	fault, ok := faults[kind{refusal.Class(), refusal.Reason()}]
	if !ok {
		fault = faultOf(refusal)
	}
	field := c.start + fault
	if scope := refusal.Scope(); scope != "" {
		field += ", scope=" + quoted(scope)
	}
	if values := refusal.ACRValues(); values != "" {
		field += ", acr_values=" + quoted(values)
	}
	if age := refusal.MaxAge(); age > 0 {
		field += `, max_age="` + strconv.FormatInt(int64(age/time.Second), 10) + `"`
	}
	return field
}

// kind is what the error parameters of a challenge depend on.
type kind struct {
	class  error
	reason claims.Reason
}

// faults are the error parameters of the refusals that there are, made once.
var faults = func() map[kind]string {
	faults := map[kind]string{}
	for _, refusal := range claims.Refusals() {
		faults[kind{refusal.Class(), refusal.Reason()}] = faultOf(refusal)
	}
	return faults
}()

func faultOf(refusal *claims.Error) string {
	code := Code(refusal)
	if code == "" {
		return ""
	}
	return `, error="` + code + `", error_description="` + refusal.Text() + `"`
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

// quoted returns a quoted-string (RFC 9110 section 5.6.4).
func quoted(s string) string {
	special := func(r rune) bool { return r < 0x20 || r >= 0x7f || r == '"' || r == '\\' }
	if strings.IndexFunc(s, special) < 0 {
		return `"` + s + `"`
	}
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case 0x20 <= c && c < 0x7f:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}
