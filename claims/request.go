package claims

import "context"

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

// Authorize asks both questions of a request: who are you, and may you do this.
// It is what a transport calls for an operation that is not public. The error
// is an [*Error].
func Authorize(
	ctx context.Context, auth Authenticator, r Request, needs Requirement,
) (*Claims, error) {
	caller, err := auth.Authenticate(ctx, r)
	if err != nil {
		return nil, AsError(err)
	}
	if caller == nil { // an Authenticator that breaks its word must not open the door
		return nil, errNoToken
	}
	if err := needs.Check(ctx, caller); err != nil {
		return nil, AsError(err)
	}
	return caller, nil
}
