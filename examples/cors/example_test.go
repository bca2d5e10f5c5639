// Package cors_test shows Sallyport behind CORS middleware, rs/cors: CORS is
// outside, so that it answers preflights, which have no token, and so that a
// page can read a refusal.
package cors_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/rs/cors"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// policy lets the pages of one origin send tokens, and read why one was
// refused.
func policy() *cors.Cors {
	return cors.New(cors.Options{
		AllowedOrigins: []string{"https://app.example"},
		AllowedMethods: []string{http.MethodGet, http.MethodDelete},
		AllowedHeaders: []string{"Authorization"},
		ExposedHeaders: []string{"WWW-Authenticate", "Retry-After"},
	})
}

// newAPI returns the API: first CORS, then the guard, then the handlers.
func newAPI(auth *httpmw.Middleware) http.Handler {
	mux := httpmw.NewServeMux(auth)
	mux.HandleFunc("DELETE /orders/{id}", claims.Scopes("orders:delete"), serve)
	return policy().Handler(mux)
}

func serve(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// A browser asks first whether the page may, without a token. The answer to
// what follows is for the page to read, a refusal too.
func Example() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := newAPI(httpmw.New(verifier, httpmw.Config{}))

	preflight := httptest.NewRequest(http.MethodOptions, "/orders/7", nil)
	preflight.Header.Set("Origin", "https://app.example")
	preflight.Header.Set("Access-Control-Request-Method", http.MethodDelete)
	preflight.Header.Set("Access-Control-Request-Headers", "authorization")
	w := httptest.NewRecorder()
	api.ServeHTTP(w, preflight)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Headers"))

	r := httptest.NewRequest(http.MethodDelete, "/orders/7", nil)
	r.Header.Set("Origin", "https://app.example")
	w = httptest.NewRecorder()
	api.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	fmt.Println(w.Header().Get("WWW-Authenticate"))
	// Output:
	// 204 authorization
	// 401 https://app.example
	// Bearer realm="api", scope="orders:delete"
}
