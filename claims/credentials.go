package claims

import (
	"context"
	"crypto/x509"
	"net/netip"
	"strings"
)

// Credentials are what a request shows of who sent it.
type Credentials struct {
	// Scheme is the authentication scheme as presented, "Bearer" in any case
	// for most tokens (RFC 9110 section 11.1).
	Scheme string

	// Token is the access token as presented.
	Token string `json:"-"` // kept out of logs, as by String

	// Proof is asked what the request has to prove that its sender holds a key,
	// only for a token that is bound to one. Nil means that it has nothing.
	Proof Prover `json:"-"`

	// Second returns a further credential of the request by its name, for a
	// [Second]; the error is as that of whoever finds the first. It is called
	// while the request lasts, of several parts of it at a time, and only for
	// names that the [GuardConfig] has. Nil means that there is none.
	Second func(name string) (Credentials, error) `json:"-"`
}

// Absent reports whether err, of whoever looks for a credential in a request,
// says that there is none at all: that it is a bare [ErrNoToken], without a
// cause. What is there and empty has a cause, as of a client that has lost its
// token without knowing.
func Absent(err error) bool {
	refusal, ok := err.(*Error)
	return ok && refusal != nil && refusal.reason == ReasonNoToken && refusal.cause == nil
}

// isNone reports whether c are no credentials at all.
func (c Credentials) isNone() bool { return c.Scheme == "" && c.Token == "" }

// String keeps the token out of logs.
func (c Credentials) String() string { return "claims.Credentials{" + c.Scheme + " [redacted]}" }

// GoString keeps the token out of logs.
func (c Credentials) GoString() string { return c.String() }

// Prover is a request as far as it can prove that its sender holds a key. The
// transports implement it. It is used by one goroutine, as long as the request
// lasts.
type Prover interface {
	Prove(ctx context.Context) Proof
}

// Proof is what a request has to prove that its sender holds a key.
type Proof struct {
	// Method and URL are those of the request as its sender knows them (RFC
	// 9449 section 4.2, "htm" and "htu").
	Method, URL string

	// DPoP are the values of its DPoP fields, of which there must be one.
	DPoP []string

	// Certificate is that of the TLS client, nil if there is none (RFC 8705).
	Certificate *x509.Certificate

	// Fault is why it cannot be told which certificate the client showed, nil
	// if it can: it is for operators, as the cause of a refusal.
	Fault error

	// Respond adds a field to the response, such as DPoP-Nonce (RFC 9449
	// section 8.2), whether the request is refused or not. It is nil where the
	// transport cannot, or the scheme is Bearer, which needs none.
	Respond func(name, value string)

	// Peer is the address at the other end of the connection, a proxy's where
	// there is one, without a zone, and IPv4 as that. It is the zero Addr where
	// there is none, as on a Unix socket. Over HTTP it is RemoteAddr of the
	// request: what overwrites that by a header has the sender choose it.
	Peer netip.Addr
}

// Authenticator answers who sent a request. It is safe for concurrent use.
//
// The error of a refusal matches one of [ErrNoToken], for credentials of a
// scheme that is not understood, [ErrInvalidRequest], [ErrInvalidToken],
// [ErrInsufficientAuthentication] and [ErrUnavailable]; the last never because
// of what the request holds. Any other error is taken as ErrInvalidToken. A
// token of a form that it does not know is refused with an error that matches
// [ErrUnrecognized] too, so that [FirstOf] can ask another.
//
// An Authenticator may have a second method,
//
//	Recheck(ctx context.Context, caller *Claims) error
//
// by which [Recheck] asks whether what it said of a caller still holds, for
// requests that last. It returns nil for claims that it did not make. One that
// takes tokens under other schemes than Bearer says so by a third,
//
//	Schemes() []Scheme
//
// so that challenges name them.
type Authenticator interface {
	Authenticate(ctx context.Context, c Credentials) (*Claims, error)
}

// rechecker is an Authenticator that can be asked again.
type rechecker interface {
	Recheck(ctx context.Context, caller *Claims) error
}

// asksAgain reports whether an Authenticator has something to say when it is
// asked again.
func asksAgain(auth Authenticator) bool {
	if parts, ok := auth.(interface{ asksAgain() bool }); ok {
		return parts.asksAgain()
	}
	_, ok := auth.(rechecker)
	return ok
}

func (c Credentials) isBearer() bool {
	return c.Scheme == "Bearer" || strings.EqualFold(c.Scheme, "Bearer") // mostly the first
}

// ownScheme returns the scheme if it is another than Bearer.
func (c Credentials) ownScheme() string {
	if c.isBearer() {
		return ""
	}
	return c.Scheme
}

func (c Credentials) isWellFormed() bool { return !c.isBearer() || isToken68(c.Token) }

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

// notToken68 is true for the characters that a token68 cannot have before its
// padding.
var notToken68 = func() (table [256]bool) {
	const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
	for c := range table {
		table[c] = strings.IndexByte(token68, byte(c)) < 0
	}
	return table
}()

// isScheme reports whether s is a token of RFC 9110 section 5.6.2, as an
// authentication scheme is.
func isScheme(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}

// noProof is what a request has that proves nothing.
type noProof struct{}

func (noProof) Prove(context.Context) Proof { return Proof{} }

// secondNameFault returns what is wrong with the name of a second credential,
// which is the scheme of its challenges too.
func secondNameFault(name string) string {
	if !isScheme(name) || len(name) > maxSecondName {
		return "is not a token (RFC 9110 section 5.6.2) of at most 32 characters"
	}
	switch strings.ToLower(name) {
	case "basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "mutual",
		"negotiate", "oauth", "privatetoken", "scram-sha-1", "scram-sha-256", "vapid":
		return "is an authentication scheme"
	}
	return ""
}

const maxSecondName = 32
