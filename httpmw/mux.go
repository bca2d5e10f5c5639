package httpmw

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/claims"
)

// ServeMux is an [http.ServeMux] on which no route can be registered without
// saying what it needs. It is safe for concurrent use. [NewServeMux] makes one;
// the zero value refuses every request, and its Handle panics.
//
// A request for which there is no route is answered as http.ServeMux does, with
// 404 or 405, or where it redirects, 307, whoever sends it.
//
// A host is the same in any case and with a final dot or without: unlike
// http.ServeMux, which would serve "ADMIN.EXAMPLE" by a route without a host,
// ServeMux routes it as admin.example. Requirements and handlers find the host
// so written in [http.Request.Host], so that what they compare it with agrees
// with the route. A client can send any other host, so let no requirement
// depend on the host alone.
type ServeMux struct {
	auth *Middleware
	mux  http.ServeMux

	mu         sync.Mutex // guards operations
	operations []claims.Operation
}

// NewServeMux returns an empty ServeMux whose routes are guarded by auth. It
// panics if auth is nil, or was not made by [New].
func NewServeMux(auth *Middleware) *ServeMux {
	auth.mustBeMade("NewServeMux")
	return &ServeMux{auth: auth}
}

// Handle registers the handler for the pattern, by the rules of
// [http.ServeMux.Handle], for callers who meet needs. As that does, it panics
// if the pattern is invalid or conflicts with another; it also panics if needs
// is one for which [Middleware.Require] does, and if the host of the pattern is
// not in lower case, or has a final dot or a port, which no request could
// match.
func (m *ServeMux) Handle(pattern string, needs claims.Requirement, handler http.Handler) {
	if m == nil || m.auth == nil {
		panic("httpmw: ServeMux was not made by NewServeMux")
	}
	if err := m.auth.validate(pattern, needs); err != nil {
		panic(fmt.Sprintf("httpmw: %s: %v", pattern, err))
	}
	if isNoHandler(handler) {
		panic(fmt.Sprintf("httpmw: %s: nil handler", pattern))
	}
	if err := checkHost(pattern); err != nil {
		panic(fmt.Sprintf("httpmw: %s: %v", pattern, err))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mux.Handle(pattern, &guarded{m.auth, protocol, pattern, needs, handler})
	m.operations = append(m.operations, operation(pattern, needs))
}

// HandleFunc is [ServeMux.Handle] for a function.
func (m *ServeMux) HandleFunc(
	pattern string, needs claims.Requirement, handler func(http.ResponseWriter, *http.Request),
) {
	m.Handle(pattern, needs, http.HandlerFunc(handler))
}

// Operations returns the routes and what they need, in the order of their
// registration, for a [claims.AccessTable].
func (m *ServeMux) Operations() []claims.Operation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.operations)
}

func operation(pattern string, needs claims.Requirement) claims.Operation {
	return claims.Operation{Protocol: protocol, Name: pattern, Requirement: needs}
}

// ServeHTTP serves the request by the route that matches it best, or refuses
// it.
func (m *ServeMux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m == nil || m.auth == nil {
		(*Middleware)(nil).answer(w, r, claims.ErrUnavailable)
		return
	}
	routed := canonical(r)
	if routed != r {
		defer handBack(routed, r)
	}
	m.mux.ServeHTTP(w, routed)
}

// canonical returns r if its host is written as a pattern has it, otherwise a
// copy whose host is.
func canonical(r *http.Request) *http.Request {
	host := canonicalHost(r.Host)
	if host == r.Host {
		return r
	}
	routed := r.WithContext(r.Context())
	routed.Host = host
	return routed
}

// canonicalHost returns a host, which may have a port, in lower case and
// without the final dot of a name that is fully qualified.
func canonicalHost(host string) string {
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i:]
	}
	if rest, found := strings.CutSuffix(name, "."); found {
		host = rest + port
	}
	if strings.IndexFunc(host, isUpper) < 0 {
		return host
	}
	// ASCII alone: what is not ASCII is no host, and is not to become one.
	return strings.Map(func(c rune) rune {
		if isUpper(c) {
			return c + 'a' - 'A'
		}
		return c
	}, host)
}

func isUpper(c rune) bool { return 'A' <= c && c <= 'Z' }

// checkHost returns why no request can match the host of a pattern.
func checkHost(pattern string) error {
	method, rest := "", pattern
	if i := strings.IndexAny(pattern, " \t"); i >= 0 {
		method, rest = pattern[:i], strings.TrimLeft(pattern[i:], " \t")
	}
	host, _, _ := strings.Cut(rest, "/")
	if host != canonicalHost(host) {
		return errors.New("the host must be in lower case and without a final dot")
	}
	// http.ServeMux leaves the port of a CONNECT request alone.
	if _, _, err := net.SplitHostPort(host); err == nil && method != http.MethodConnect {
		return errors.New("the host must be without a port")
	}
	return nil
}
