package httpauth

import (
	"errors"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// maxScheme is longer than any registered authentication scheme. What stands in
// its place and is longer may be a token whose scheme was forgotten.
const maxScheme = 32

var (
	errNoToken = claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, nil)
	errEmpty   = claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, errors.New(
		"httpauth: the field is empty, or a scheme without credentials"))
	errSeveral   = claims.NewError(claims.ErrInvalidRequest, claims.ReasonSeveralCredentials, nil)
	errMalformed = claims.NewError(claims.ErrInvalidRequest, claims.ReasonMalformedCredentials, nil)
)

// Parse returns the credentials that the Authorization fields of a request hold
// (RFC 9110 section 11.6.2, RFC 6750 section 2.1): the scheme as it was
// written, and what follows it as it is. A [claims.Guard] refuses a Bearer
// token with a character that none can have.
//
// The error is [claims.ErrNoToken] if there are no credentials: no field, which
// [claims.Absent] reports, an empty one, or a scheme alone, as a client sends
// that has lost its token. It
// is [claims.ErrInvalidRequest] if there are several fields, or one that is
// neither a scheme nor a scheme, a space and more.
func Parse(fields []string) (claims.Credentials, error) {
	switch len(fields) {
	case 0:
		return claims.Credentials{}, errNoToken
	case 1:
	default:
		return claims.Credentials{}, errSeveral
	}
	scheme, credentials, found := strings.Cut(fields[0], " ")
	credentials = strings.TrimLeft(credentials, " ")
	switch {
	case credentials == "" && isScheme(scheme), strings.Trim(fields[0], " \t") == "":
		return claims.Credentials{}, errEmpty
	case !found || credentials == "" || scheme == "" || len(scheme) > maxScheme:
		return claims.Credentials{}, errMalformed
	}
	return claims.Credentials{Scheme: scheme, Token: credentials}, nil
}

// isScheme reports whether s, which stands alone, looks like the name of a
// scheme rather than a token without one: every registered name has letters,
// digits and hyphens, and a JWT has dots.
func isScheme(s string) bool {
	if s == "" || len(s) > maxScheme {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20 // lower-case, if it is a letter
		if (c < 'a' || 'z' < c) && (s[i] < '0' || '9' < s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}
