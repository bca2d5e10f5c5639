package claims

import (
	"context"
	"strings"
)

// Request is what a transport found of credentials in a request.
type Request struct {
	// Scheme is the authentication scheme as presented, "Bearer" in any case
	// for most tokens (RFC 9110 section 11.1).
	Scheme string

	// Token is the access token as presented.
	Token string `json:"-"` // kept out of logs, as by String
}

// String keeps the token out of logs.
func (r Request) String() string { return "claims.Request{" + r.Scheme + " [redacted]}" }

// GoString keeps the token out of logs.
func (r Request) GoString() string { return r.String() }

// Authenticator answers who sent a request. It is safe for concurrent use.
//
// The error of a refusal matches one of [ErrNoToken], for credentials of a
// scheme that is not understood, [ErrInvalidRequest], [ErrInvalidToken],
// [ErrInsufficientAuthentication] and [ErrUnavailable]; the last never because
// of what the request holds. Any other error is taken as ErrInvalidToken.
type Authenticator interface {
	Authenticate(ctx context.Context, r Request) (*Claims, error)
}

func (r Request) isWellFormed() bool {
	return !strings.EqualFold(r.Scheme, "Bearer") || isToken68(r.Token)
}

// isToken68 reports whether s is a token68 (RFC 9110 section 11.2), which RFC
// 6750 calls b64token.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	if s == "" {
		return false
	}
	for i := range len(s) {
		if notToken68[s[i]] {
			return false
		}
	}
	return true
}

// notToken68 is true for the characters that a token68 can not have before its
// padding.
var notToken68 = func() (table [256]bool) {
	const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
	for c := range table {
		table[c] = strings.IndexByte(token68, byte(c)) < 0
	}
	return table
}()
