package httpmw

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// guarded is the handler that [Middleware.Require] returns. Its type lets an
// [Audit] see what a route needs without a request.
type guarded struct {
	auth     *Middleware
	protocol string // of the operation
	name     string // of the operation; empty for that which the router gives
	needs    claims.Requirement
	next     http.Handler
}

func (g *guarded) operation() claims.Operation {
	return claims.Operation{Protocol: g.protocol, Name: g.name, Requirement: g.needs}
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	admitted, _, err := g.auth.admit(r, g.operation(), g.next, w.Header())
	if err != nil {
		if r.Pattern == "" { // nobody will route any more
			r.Pattern = patternOf(g.next, r)
		}
		g.auth.answer(w, r, err)
		return
	}
	keep(w.Header())
	if admitted == r { // public
		g.next.ServeHTTP(w, r)
		return
	}
	if g.auth.private {
		keepPrivate(w.Header())
	}
	defer handBack(admitted, r)
	if ends(g.needs) {
		g.auth.serveLasting(w, admitted, g.next)
		return
	}
	g.next.ServeHTTP(w, admitted)
}

// handBack tells the request that a middleware outside has of what was found
// out about its copy inside, as if there were no copy: the pattern and the path
// values, which a router inside sets, and the form whose files net/http
// removes.
func handBack(inside, outside *http.Request) {
	if inside.MultipartForm != nil {
		outside.MultipartForm = inside.MultipartForm
	}
	if inside.Pattern == outside.Pattern {
		return
	}
	outside.Pattern = inside.Pattern
	for rest := inside.Pattern; ; {
		_, wildcard, found := strings.Cut(rest, "{")
		if !found {
			return
		}
		end := strings.IndexAny(wildcard, ".:}") // "{name}", "{name...}", "{name:[a-z]+}" of chi
		if end < 0 {
			return
		}
		if value := inside.PathValue(wildcard[:end]); value != "" {
			outside.SetPathValue(wildcard[:end], value)
		}
		rest = wildcard[end:]
	}
}

// nameOf returns the name of the operation that a request is for, which next
// serves; empty if nobody tells it, or wants to know. The error is a panic of
// the user's.
func (m *Middleware) nameOf(r *http.Request, next http.Handler) (name string, err error) {
	if !m.observed {
		return "", nil
	}
	defer func() {
		if p := recover(); p != nil {
			name, err = "", claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
				fmt.Errorf("httpmw: Config.Operation panicked: %v\n%s", p, debug.Stack()))
		}
	}()
	if m.operation != nil {
		name = m.operation(r)
	}
	if name == "" {
		name = r.Pattern
	}
	if name != "" {
		return name, nil
	}
	return patternOf(next, r), nil
}

// patternOf returns the pattern by which a mux will route a request, empty for
// any other handler.
func patternOf(next http.Handler, r *http.Request) (pattern string) {
	switch router := next.(type) {
	case *http.ServeMux:
		_, pattern = router.Handler(r)
	case *ServeMux:
		_, pattern = router.mux.Handler(canonical(r))
	}
	return pattern
}
