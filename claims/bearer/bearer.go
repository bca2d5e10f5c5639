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
	if s == "" {
		return false
	}
	// Eight at a time: a token has about a thousand.
	bad := byte(0)
	for ; len(s) >= 8; s = s[8:] {
		bad |= notToken68[s[0]] | notToken68[s[1]] | notToken68[s[2]] | notToken68[s[3]] |
			notToken68[s[4]] | notToken68[s[5]] | notToken68[s[6]] | notToken68[s[7]]
	}
	for i := range len(s) {
		bad |= notToken68[s[i]]
	}
	return bad == 0
}

// notToken68 is zero for the characters that a token68 can have before its padding.
var notToken68 = func() (table [256]byte) {
	const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
	for c := range table {
		if strings.IndexByte(token68, byte(c)) < 0 {
			table[c] = 1
		}
	}
	return table
}()
