package httpmw_test

import (
	"encoding/json"
	"log"
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

var (
	verifier, _ = claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	auth                    = httpmw.New(verifier, httpmw.Config{})
	listOrders, createOrder = http.NotFoundHandler(), http.NotFoundHandler()
)

func healthz(http.ResponseWriter, *http.Request) {}

func Example() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}

	auth := httpmw.New(verifier, httpmw.Config{})
	mux := httpmw.NewServeMux(auth) // no route without a requirement
	mux.HandleFunc("GET /healthz", claims.Public(), healthz)
	mux.Handle("GET /orders", claims.Scopes("orders:read"), listOrders)
	mux.Handle("POST /orders", claims.Scopes("orders:write"), createOrder)
	log.Fatal(http.ListenAndServe(":8080", mux))
}

// With any other router: middleware of the usual form.
func ExampleMiddleware_Require() {
	router := http.NewServeMux()
	router.Handle("GET /orders", auth.Require(claims.Scopes("orders:read"))(listOrders))
	router.Handle("GET /me", auth.Wrap(http.HandlerFunc(me)))
}

func me(w http.ResponseWriter, r *http.Request) {
	caller, ok := claims.FromContext(r.Context())
	if !ok {
		http.Error(w, "not guarded", http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"subject": caller.Subject(),
		"scopes":  caller.Scopes(),
	})
}

// A part of what was asked, decided inside the handler.
func ExampleMiddleware_Refuse() {
	_ = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("internal") {
			if err := claims.Allowed(r.Context(), claims.Scopes("orders:internal")); err != nil {
				auth.Refuse(w, err)
				return
			}
		}
		listOrders.ServeHTTP(w, r)
	}
}
