// Package gorilla_test shows Sallyport with gorilla/mux: handlers that are
// guarded where they are registered, an audit that finds those that are not,
// and the names of operations.
package gorilla_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// newRouter is an API whose handlers are guarded, some by another guard as well
// that stands before a whole part.
func newRouter(auth *httpmw.Middleware) *mux.Router {
	router := mux.NewRouter()
	handler := http.HandlerFunc(serve)
	router.Handle("/healthz", auth.Require(claims.Public())(handler)).Methods("GET")
	orders := router.PathPrefix("/orders").Subrouter()
	orders.Use(auth.Wrap)
	orders.Handle("/{id:[0-9]+}", auth.Require(claims.Scopes("orders:read"))(handler)).Methods("GET", "HEAD")
	orders.Handle("", auth.Require(claims.Scopes("orders:write"))(handler)).Methods("POST")
	tenant := router.PathPrefix("/tenants/{tenant}").Subrouter().PathPrefix("/orders").Subrouter()
	tenant.Handle("/{id}", auth.Require(claims.Scopes("orders:read"))(handler)).Methods("GET")
	router.Handle("/any", auth.Require(claims.Authenticated())(handler))
	return router
}

func serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Id", mux.Vars(r)["id"])
	w.WriteHeader(http.StatusNoContent)
}

// operation is for [httpmw.Config]: it returns the name of the route that has
// matched, as audited lists it. A method is part of it only where the route
// names some, as a client can send any other.
func operation(r *http.Request) string {
	route := mux.CurrentRoute(r)
	if route == nil {
		return ""
	}
	template, err := route.GetPathTemplate()
	if err != nil {
		return ""
	}
	if _, err := route.GetMethods(); err != nil {
		return template
	}
	return r.Method + " " + template
}

// audited lists what the routes of a router need. Walk does not show what Use
// has put before them, so each handler is guarded itself.
func audited(router *mux.Router) (claims.AccessTable, error) {
	var audit httpmw.Audit
	err := router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		if route.GetHandler() == nil || err != nil {
			return err
		}
		methods, err := route.GetMethods()
		if err != nil { // it serves every method
			audit.Route(template, route.GetHandler())
		}
		for _, method := range methods {
			audit.Route(method+" "+template, route.GetHandler())
		}
		return nil
	})
	return claims.NewAccessTable(audit.Operations()), errors.Join(err, audit.Err())
}

// A route that was forgotten is found when the service starts, not by whoever
// calls it first.
func Example() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	router := newRouter(httpmw.New(verifier, httpmw.Config{Operation: operation}))
	table, err := audited(router)
	fmt.Print(table.Markdown())
	fmt.Println(err)

	router.HandleFunc("/orders-export", serve).Methods("GET")
	_, err = audited(router)
	fmt.Println(err)
	// Output:
	// | Protocol | Operation                           | Requirement              |
	// |----------|-------------------------------------|--------------------------|
	// | HTTP     | `/any`                              | `Authenticated()`        |
	// | HTTP     | `GET /healthz`                      | `Public()`               |
	// | HTTP     | `POST /orders`                      | `Scopes("orders:write")` |
	// | HTTP     | `GET /orders/{id:[0-9]+}`           | `Scopes("orders:read")`  |
	// | HTTP     | `HEAD /orders/{id:[0-9]+}`          | `Scopes("orders:read")`  |
	// | HTTP     | `GET /tenants/{tenant}/orders/{id}` | `Scopes("orders:read")`  |
	// <nil>
	// httpmw: route GET /orders-export has no requirement: it serves everybody; put Middleware.Require before it, with claims.Public() if it is meant to
}
