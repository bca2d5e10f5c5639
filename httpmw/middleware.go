package httpmw

import (
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/bearer"
)

// Config says how a [Middleware] decides and answers. The zero value is useful.
type Config struct {
	// Realm is the realm of the challenges (RFC 9110 section 11.5): a name for
	// what is protected, shown to clients. Empty means "api".
	Realm string

	// Permissions says what callers may do where their tokens do not, usually a
	// [*claims.PermissionCache]. Nil means that tokens alone grant permissions.
	Permissions claims.PermissionSource

	// Observer is told of every decision about a request to an operation that is
	// not public: an audit log, such as [claims.LogDecisions]. Nil means nobody.
	// The operation is the pattern that the request was routed by, as far as the
	// router tells, and never its path.
	Observer claims.Observer
}

// Middleware stands in front of handlers and lets through the requests of
// callers who may. It is immutable and safe for concurrent use. [New] makes one.
type Middleware struct {
	guard     *claims.Guard
	challenge bearer.Challenge
}

// New returns a Middleware that asks auth who sent a request: a
// [*claims.Verifier], a [*claims.Issuers], or any other. It panics if auth is nil, or
// a nil pointer, as a constructor returns beside an error, and so for the
// PermissionSource of cfg if that is a nil pointer.
func New(auth claims.Authenticator, cfg Config) *Middleware {
	guard, err := claims.NewGuard(auth, claims.GuardConfig{
		Permissions: cfg.Permissions, Observer: cfg.Observer,
	})
	if err != nil {
		panic("httpmw: New: " + err.Error())
	}
	return &Middleware{guard, bearer.NewChallenge(cfg.Realm)}
}

// protocol is what this package's operations are of in an access table.
const protocol = "HTTP"

// Require returns middleware that serves a request if its caller meets needs,
// and refuses it otherwise, as the package comment describes. The handler finds
// the caller by [claims.FromContext]. Require panics if needs is invalid, or has a
// [claims.RequestFunc] that does not look at an *http.Request.
func (m *Middleware) Require(needs claims.Requirement) func(http.Handler) http.Handler {
	return m.require("", needs)
}

// require is Require for an operation of this name; if it is empty, of that which the
// router gives.
func (m *Middleware) require(
	name string, needs claims.Requirement,
) func(http.Handler) http.Handler {
	if err := needs.ValidateFor((*http.Request)(nil)); err != nil {
		panic(err)
	}
	return func(next http.Handler) http.Handler {
		return &guarded{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			admitted, err := m.admit(r, name, needs)
			if err != nil {
				m.Refuse(w, err)
				return
			}
			next.ServeHTTP(w, admitted)
		}), needs, next}
	}
}

// Wrap returns a handler that serves the requests of callers with a valid token:
// it is Require([claims.Authenticated]()).
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return m.Require(claims.Authenticated())(next)
}

// Check decides as [Middleware.Require] does and writes nothing. It returns the
// caller, nil if needs is [claims.Public]. The error is a [*claims.Error];
// [Middleware.Refuse] writes it. A handler that asks [claims.Allowed] needs
// [Middleware.Admit].
func (m *Middleware) Check(r *http.Request, needs claims.Requirement) (*claims.Claims, error) {
	admitted, err := m.Admit(r, needs)
	if err != nil || needs.IsPublic() {
		return nil, err
	}
	caller, _ := claims.FromContext(admitted.Context())
	return caller, nil
}

// Admit decides as [Middleware.Require] does and writes nothing. It returns the
// request for the handler, which finds the caller in its context; r itself if needs is
// [claims.Public]. The error is a [*claims.Error]; [Middleware.Refuse] writes it.
func (m *Middleware) Admit(r *http.Request, needs claims.Requirement) (*http.Request, error) {
	return m.admit(r, "", needs)
}

func (m *Middleware) admit(
	r *http.Request, name string, needs claims.Requirement,
) (*http.Request, error) {
	if needs.IsPublic() {
		return r, nil
	}
	if name == "" {
		name = r.Pattern
	}
	op := claims.Operation{Protocol: protocol, Name: name, Requirement: needs}
	credentials, err := bearer.Parse(r.Header["Authorization"])
	if err != nil {
		return nil, m.guard.Refuse(r.Context(), op, err)
	}
	ctx, err := m.guard.Authorize(r.Context(), op, credentials, r)
	if err != nil {
		return nil, err
	}
	return r.WithContext(ctx), nil
}
