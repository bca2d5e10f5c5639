// Package chi_test shows Sallyport with another router than its own, chi: the
// requirements are middleware, an audit finds the routes without one, and
// decisions name operations as the audit does.
package chi_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// newRouter is an API by means that chi has: middleware for a group, for one
// route, for a router that is mounted, and a handler that is guarded itself.
func newRouter(auth *httpmw.Middleware) chi.Router {
	read, write := claims.Scopes("orders:read"), claims.Scopes("orders:write")
	r := chi.NewRouter()
	r.Method("GET", "/healthz", auth.Require(claims.Public())(http.HandlerFunc(serve)))
	r.Route("/orders", func(r chi.Router) {
		r.Use(auth.Wrap)
		r.With(auth.Require(read)).Get("/", serve)
		r.Group(func(r chi.Router) {
			r.Use(auth.Require(write))
			r.Post("/", serve)
			r.Put("/{id}", serve)
		})
	})
	reports := chi.NewRouter()
	reports.Get("/daily", serve)
	r.With(auth.Require(claims.Permissions("reports"))).Mount("/reports", reports)
	return r
}

func serve(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// operation is for [httpmw.Config]: it returns the name of the route that
// serves a request, as audited lists it, also where the middleware of Use
// stands, before chi has routed.
func operation(r *http.Request) string {
	routing := chi.RouteContext(r.Context())
	if routing == nil {
		return ""
	}
	path := r.URL.RawPath // as chi routes
	if path == "" {
		path = r.URL.Path
	}
	pattern := routing.Routes.Find(chi.NewRouteContext(), r.Method, path)
	if pattern == "" {
		return ""
	}
	return r.Method + " " + pattern
}

// audited lists what the routes of a chi router need. Walk shows the middleware
// that stands before a mounted router from version 5.3 of chi on.
func audited(router chi.Routes) (claims.AccessTable, error) {
	var audit httpmw.Audit
	err := chi.Walk(router, func(
		method, route string, h http.Handler, middlewares ...func(http.Handler) http.Handler,
	) error {
		audit.Route(method+" "+route, h, middlewares...)
		return nil
	})
	return claims.NewAccessTable(audit.Operations()), errors.Join(err, audit.Err())
}

// A route that was forgotten is found when the service starts, not by whoever
// calls it first.
func Example() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:           "https://issuer.example",
		Audiences:        []string{"https://orders.example"},
		PermissionClaims: []string{"permissions"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	router := newRouter(httpmw.New(verifier, httpmw.Config{Operation: operation}))
	table, err := audited(router)
	fmt.Print(table.Markdown())
	fmt.Println(err)

	router.Get("/orders-export", serve)
	_, err = audited(router)
	fmt.Println(err)
	// Output:
	// | Protocol | Operation            | Requirement              |
	// |----------|----------------------|--------------------------|
	// | HTTP     | `GET /healthz`       | `Public()`               |
	// | HTTP     | `GET /orders/`       | `Scopes("orders:read")`  |
	// | HTTP     | `POST /orders/`      | `Scopes("orders:write")` |
	// | HTTP     | `PUT /orders/{id}`   | `Scopes("orders:write")` |
	// | HTTP     | `GET /reports/daily` | `Permissions("reports")` |
	// <nil>
	// httpmw: route GET /orders-export has no requirement: it serves everybody; put Middleware.Require before it, with claims.Public() if it is meant to
}
