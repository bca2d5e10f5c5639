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
// (RFC 9110 section 11.6.2, RFC 6750 section 2.1). Those of another scheme than
// Bearer are returned as they are, for the Authenticator to judge.
//
// The error is [claims.ErrNoToken] if there are no fields, and
// [claims.ErrInvalidRequest] if there are several, or a Bearer token has a
// character that it can not have.
func Parse(fields []string) (claims.Request, error) {
	switch len(fields) {
	case 0:
		return claims.Request{}, errNoToken
	case 1:
	default:
		return claims.Request{}, errSeveral
	}
	scheme, credentials, found := strings.Cut(fields[0], " ")
	if !found || scheme == "" || len(scheme) > maxScheme {
		return claims.Request{}, errMalformed
	}
	credentials = strings.TrimLeft(credentials, " ")
	if strings.EqualFold(scheme, Scheme) && !isToken68(credentials) {
		return claims.Request{}, errMalformed
	}
	return claims.Request{Scheme: scheme, Token: credentials}, nil
}

// isToken68 reports whether s is a token68 (RFC 9110 section 11.2), which RFC
// 6750 calls b64token.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return false
		}
	}
	return s != ""
}
