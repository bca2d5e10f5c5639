// Package echoguard shows Sallyport in front of echo: an adapter to copy.
// Handle registers a route together with what it needs, and Audit finds the
// routes that were registered in another way.
package echoguard

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// Guard guards the routes of an echo router.
type Guard struct {
	auth  *httpmw.Middleware
	needs map[string]claims.Requirement // by operation
}

// New returns a Guard that asks auth.
func New(auth *httpmw.Middleware) *Guard {
	return &Guard{auth, map[string]claims.Requirement{}}
}

// Require returns middleware for routes or a group of them: the next handler
// runs only if the caller meets needs, and finds the caller by
// claims.FromContext(c.Request().Context()).
func (g *Guard) Require(needs claims.Requirement) echo.MiddlewareFunc {
	guard := echo.WrapMiddleware(g.auth.Require(needs)) // panics now if needs is invalid
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		guarded := guard(next)
		return func(c echo.Context) error {
			c.Request().Pattern = operation(c)
			return guarded(c)
		}
	}
}

// methods are those of net/http: a client can send any other.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
}

// operation returns the name of the route that has matched, empty if none has.
func operation(c echo.Context) string {
	if c.Path() == "" || !slices.Contains(methods, c.Request().Method) {
		return ""
	}
	return c.Request().Method + " " + c.Path()
}

// router is an [echo.Echo] or an [echo.Group].
type router interface {
	Add(method, path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route
}

// Handle registers a route for callers who meet needs, before whom no other
// middleware of the route runs.
func (g *Guard) Handle(
	r router, method, path string, needs claims.Requirement,
	h echo.HandlerFunc, middleware ...echo.MiddlewareFunc,
) {
	chain := append([]echo.MiddlewareFunc{g.Require(needs)}, middleware...)
	route := r.Add(method, path, h, chain...)
	g.needs[route.Method+" "+route.Path] = needs
}

// Refuse answers for err, such as that of claims.Allowed, inside a handler,
// which returns what it returns.
func (g *Guard) Refuse(c echo.Context, err error) error {
	g.auth.Refuse(c.Response(), c.Request(), err)
	return nil
}

// Audit returns what the routes of a router need, and an error that names each
// route which Handle has not registered.
func (g *Guard) Audit(e *echo.Echo) (claims.AccessTable, error) {
	var audit httpmw.Audit
	for _, route := range e.Routes() {
		if route.Method == echo.RouteNotFound { // of a group that has middleware
			continue
		}
		operation := route.Method + " " + route.Path
		var guards []func(http.Handler) http.Handler
		if needs, found := g.needs[operation]; found {
			guards = append(guards, g.auth.Require(needs))
		}
		audit.Route(operation, http.NotFoundHandler(), guards...)
	}
	return claims.NewAccessTable(audit.Operations()), audit.Err()
}
