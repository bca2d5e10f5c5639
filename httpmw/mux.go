package httpmw

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/sallyport-go/sallyport/claims"
)

// ServeMux is an [http.ServeMux] on which no route can be registered without
// saying what it needs. It is safe for concurrent use. [NewServeMux] makes one.
//
// A request for which there is no route is answered as http.ServeMux does, with
// 404 or 405, or where it redirects, 307, whoever sends it. That compares the host of a
// pattern with regard to case, so let no requirement depend on the host alone.
type ServeMux struct {
	auth *Middleware
	mux  http.ServeMux

	mu     sync.Mutex // guards routes
	routes []claims.Operation
}

// NewServeMux returns an empty ServeMux whose routes are guarded by auth. It
// panics if auth is nil.
func NewServeMux(auth *Middleware) *ServeMux {
	if auth == nil {
		panic("httpmw: NewServeMux needs a Middleware")
	}
	return &ServeMux{auth: auth}
}

// Handle registers the handler for the pattern, by the rules of
// [http.ServeMux.Handle], for callers who meet needs. As that does, it panics if
// the pattern is invalid or conflicts with another; it also panics if needs is
// invalid.
func (m *ServeMux) Handle(pattern string, needs claims.Requirement, handler http.Handler) {
	if err := needs.ValidateFor((*http.Request)(nil)); err != nil {
		panic(fmt.Sprintf("httpmw: %s: %v", pattern, err))
	}
	if handler == nil {
		panic(fmt.Sprintf("httpmw: %s: nil handler", pattern))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mux.Handle(pattern, m.auth.require(pattern, needs)(handler))
	m.routes = append(m.routes, operation(pattern, needs))
}

// HandleFunc is [ServeMux.Handle] for a function.
func (m *ServeMux) HandleFunc(
	pattern string, needs claims.Requirement, handler func(http.ResponseWriter, *http.Request),
) {
	if handler == nil {
		panic(fmt.Sprintf("httpmw: %s: nil handler", pattern))
	}
	m.Handle(pattern, needs, http.HandlerFunc(handler))
}

// Routes returns the routes and what they need, in the order of their
// registration, for a [claims.AccessTable].
func (m *ServeMux) Routes() []claims.Operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.routes)
}

func operation(pattern string, needs claims.Requirement) claims.Operation {
	return claims.Operation{Protocol: protocol, Name: pattern, Requirement: needs}
}

// ServeHTTP serves the request by the route that matches it best, or refuses it.
func (m *ServeMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }
