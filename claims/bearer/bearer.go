// Package bearer is the grammar of RFC 6750 that the transports share: what an
// Authorization field holds, and what a WWW-Authenticate field answers. It
// decides nothing.
package bearer

import (
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// Scheme is the authentication scheme of RFC 6750.
const Scheme = "Bearer"

// maxScheme is longer than any registered authentication scheme. What stands in
// its place and is longer may be a token whose scheme was forgotten.
const maxScheme = 32

var (
	errNoToken   = claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, nil)
	errSeveral   = claims.NewError(claims.ErrInvalidRequest, claims.ReasonSeveralCredentials, nil)
	errMalformed = claims.NewError(claims.ErrInvalidRequest, claims.ReasonMalformedCredentials, nil)
)

// Parse returns the credentials that the Authorization fields of a request hold
// (RFC 9110 section 11.6.2, RFC 6750 section 2.1). What stands for the token is
// returned as it is: [claims.Authorize] refuses a Bearer token with a character that
// it can not have.
//
// The error is [claims.ErrNoToken] if there are no fields, and
// [claims.ErrInvalidRequest] if there are several, or one that has no scheme and
// token.
func Parse(fields []string) (claims.Credentials, error) {
	switch len(fields) {
	case 0:
		return claims.Credentials{}, errNoToken
	case 1:
	default:
		return claims.Credentials{}, errSeveral
	}
	scheme, credentials, found := strings.Cut(fields[0], " ")
	if !found || scheme == "" || len(scheme) > maxScheme {
		return claims.Credentials{}, errMalformed
	}
	credentials = strings.TrimLeft(credentials, " ")
	if credentials == "" {
		return claims.Credentials{}, errMalformed
	}
	return claims.Credentials{Scheme: scheme, Token: credentials}, nil
}
