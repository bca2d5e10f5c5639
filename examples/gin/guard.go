// Package ginguard shows Sallyport in front of gin: an adapter to copy.
//
// gin runs the rest of a chain unless the chain is aborted, so a net/http guard
// that is merely called from a gin middleware refuses the request and does not
// stop it. Require tells gin. Handle registers a route together with what it
// needs, and Audit finds the routes that were registered in another way.
package ginguard

import (
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// Guard guards the routes of a gin router.
type Guard struct {
	auth  *httpmw.Middleware
	needs map[string]claims.Requirement // by operation
}

// New returns a Guard that asks auth.
func New(auth *httpmw.Middleware) *Guard {
	return &Guard{auth, map[string]claims.Requirement{}}
}

// Require returns middleware for a group of routes: the rest of the chain runs
// only if the caller meets needs, and finds the caller by
// claims.FromContext(c.Request.Context()).
func (g *Guard) Require(needs claims.Requirement) gin.HandlerFunc {
	guard := g.auth.Require(needs) // panics now if needs is invalid
	return func(c *gin.Context) {
		if c.FullPath() != "" { // a route has matched, with this method
			c.Request.Pattern = c.Request.Method + " " + c.FullPath()
		}
		admitted := false
		guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			admitted = true
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !admitted {
			c.Abort()
		}
	}
}

// Handle registers a route for callers who meet needs.
func (g *Guard) Handle(
	routes *gin.RouterGroup, method, relative string, needs claims.Requirement,
	handlers ...gin.HandlerFunc,
) {
	chain := append([]gin.HandlerFunc{g.Require(needs)}, handlers...)
	routes.Handle(method, relative, chain...)
	full := path.Join(routes.BasePath(), relative)
	if strings.HasSuffix(relative, "/") && full != "/" {
		full += "/"
	}
	g.needs[method+" "+full] = needs
}

// Refuse answers for err, such as that of claims.Allowed, and ends the chain.
func (g *Guard) Refuse(c *gin.Context, err error) {
	g.auth.Refuse(c.Writer, c.Request, err)
	c.Abort()
}

// Audit returns what the routes of a router need, and an error that names each
// route which Handle has not registered.
func (g *Guard) Audit(router *gin.Engine) (claims.AccessTable, error) {
	var audit httpmw.Audit
	for _, route := range router.Routes() {
		operation := route.Method + " " + route.Path
		var guards []func(http.Handler) http.Handler
		if needs, found := g.needs[operation]; found {
			guards = append(guards, g.auth.Require(needs))
		}
		audit.Route(operation, http.NotFoundHandler(), guards...)
	}
	return claims.NewAccessTable(audit.Operations()), audit.Err()
}
