package httpmw

import (
	"net/http"
	"reflect"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/bearer"
)

// Config says how a [Middleware] answers. The zero value is useful.
type Config struct {
	// Realm is the realm of the challenges (RFC 9110 section 11.5): a name for
	// what is protected, shown to clients. Empty means "api".
	Realm string
}

// Middleware stands in front of handlers and lets through the requests of
// callers who may. It is immutable and safe for concurrent use. [New] makes one.
type Middleware struct {
	auth      claims.Authenticator
	challenge bearer.Challenge
}

// New returns a Middleware that asks auth who sent a request: a
// [*claims.Verifier], a [*claims.Issuers], or any other. It panics if auth is
// nil, or a nil pointer, as a constructor returns beside an error.
func New(auth claims.Authenticator, cfg Config) *Middleware {
	if v := reflect.ValueOf(auth); auth == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		panic("httpmw: New needs an Authenticator")
	}
	return &Middleware{auth, bearer.NewChallenge(cfg.Realm)}
}

// Require returns middleware that serves a request if its caller meets needs,
// and refuses it otherwise, as the package comment describes. The handler finds
// the caller by [claims.FromContext]. Require panics if needs is invalid.
func (m *Middleware) Require(needs claims.Requirement) func(http.Handler) http.Handler {
	if err := needs.Validate(); err != nil {
		panic(err)
	}
	return func(next http.Handler) http.Handler {
		if needs.IsPublic() {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			caller, err := m.Check(r, needs)
			if err != nil {
				m.refuse(w, claims.AsError(err), needs)
				return
			}
			next.ServeHTTP(w, r.WithContext(claims.NewContext(r.Context(), caller)))
		})
	}
}

// Wrap returns a handler that serves the requests of callers with a valid token:
// it is Require([claims.Authenticated]()).
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	return m.Require(claims.Authenticated())(next)
}

// Check decides as [Middleware.Require] does and writes nothing. It returns the
// caller, nil if needs is [claims.Public]. The error is a [*claims.Error];
// [Middleware.Refuse] writes it.
func (m *Middleware) Check(r *http.Request, needs claims.Requirement) (*claims.Claims, error) {
	if needs.IsPublic() {
		return nil, nil
	}
	credentials, err := bearer.Parse(r.Header["Authorization"])
	if err != nil {
		return nil, err
	}
	return claims.Authorize(r.Context(), m.auth, credentials, needs)
}
