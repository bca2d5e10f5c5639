package httpmw

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// Audit finds the routes of any router for which nobody named a requirement. A
// [ServeMux] has none. The router's own means to list its routes, such as
// chi.Walk, call [Audit.Route] for each of them when the service starts, or in
// a test:
//
//	var audit httpmw.Audit
//	err := chi.Walk(router, func(method, route string, h http.Handler,
//		middlewares ...func(http.Handler) http.Handler) error {
//		audit.Route(method+" "+route, h, middlewares...)
//		return nil
//	})
//	err = errors.Join(err, audit.Err())
//
// It sees what [Middleware.Require] and [Middleware.Wrap] return where that is
// the handler itself or what one of the middlewares returns. A middleware of
// one's own that calls them inside, or a method value of a guarded handler,
// hides them: such a route is guarded and named by [Audit.Err] all the same. An
// Audit never takes an open route for a guarded one, unless a middleware
// inspects the handler that it wraps.
//
// The zero value is an audit that has seen no route. An Audit is not safe for
// concurrent use.
type Audit struct {
	operations []claims.Operation
	unguarded  []string // patterns
	impossible []error
}

// Route records what the route of that pattern needs, such as "GET
// /orders/{id}", from its handler and the middlewares around it. Several
// requirements on one route are all needed, as [claims.All]; [claims.Public]
// adds nothing to others, nor does [claims.Optional], nor
// [claims.Authenticated] to those that need more.
//
// Middlewares that stand before the whole router, where it does not know of
// them, can be given as well: the outermost first.
//
// Route calls each middleware once more than the router did, with a handler
// that is never to serve anything, and drops what it returns. No request is
// made.
func (a *Audit) Route(
	pattern string, h http.Handler, middlewares ...func(http.Handler) http.Handler,
) {
	var guards []*guarded
	for _, middleware := range middlewares {
		guards = append(guards, guardsOf(middleware(probe{}))...)
	}
	guards = append(guards, guardsOf(h)...)
	if len(guards) == 0 {
		a.unguarded = append(a.unguarded, pattern)
		return
	}
	var found []claims.Requirement
	var faults []error
	name := pattern
	for _, g := range guards {
		if g.name != "" {
			name = g.name
		}
		found = append(found, g.needs)
		// Once more, as other issuers may be trusted by now.
		faults = append(faults, g.auth.validate(pattern, g.needs))
	}
	needs := combined(found)
	if err := errors.Join(append(faults, needs.Validate())...); err != nil {
		a.impossible = append(a.impossible, fmt.Errorf("httpmw: route %s: %w", pattern, err))
	}
	a.operations = append(a.operations, operation(name, needs))
}

// probe stands for the handler of a route.
type probe struct{}

func (probe) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// guardsOf returns the guards that a handler consists of, from the outside in.
func guardsOf(h http.Handler) []*guarded {
	var found []*guarded
	for {
		g, ok := h.(*guarded)
		if !ok {
			return found
		}
		found = append(found, g)
		h = g.next
	}
}

// combined returns the requirement of a route on which there are several.
func combined(found []claims.Requirement) claims.Requirement {
	found = slices.DeleteFunc(found, claims.Requirement.IsPublic)
	if len(found) == 0 {
		return claims.Public()
	}
	more := slices.DeleteFunc(slices.Clone(found), func(needs claims.Requirement) bool {
		return needs.Equal(claims.Authenticated()) || needs.Equal(claims.Optional())
	})
	switch len(more) {
	case 0:
		if slices.ContainsFunc(found, claims.Authenticated().Equal) {
			return claims.Authenticated()
		}
		return claims.Optional()
	case 1:
		return more[0]
	}
	return claims.All(more...)
}

// Operations returns the routes that have a requirement, in the order of a
// [claims.AccessTable], whatever the order that the router listed them in.
func (a *Audit) Operations() []claims.Operation { return claims.NewAccessTable(a.operations) }

// Err returns an error with a line for every route without a requirement, by
// pattern, and for every route whose requirements nobody can meet together, or
// that needs a permission which nothing can grant (any more, if issuers have
// been removed since), nil if there is none. An audit that has seen no route at
// all is an error too, as it has found out nothing.
func (a *Audit) Err() error {
	if len(a.operations) == 0 && len(a.unguarded) == 0 {
		return errors.New("httpmw: the audit was shown no route")
	}
	var errs []error
	for _, pattern := range slices.Sorted(slices.Values(a.unguarded)) {
		errs = append(errs, fmt.Errorf("httpmw: route %s has no requirement: it serves everybody; "+
			"put Middleware.Require before it, with claims.Public() if it is meant to", pattern))
	}
	impossible := slices.SortedFunc(slices.Values(a.impossible), func(x, y error) int {
		return strings.Compare(x.Error(), y.Error())
	})
	return errors.Join(append(errs, impossible...)...)
}
