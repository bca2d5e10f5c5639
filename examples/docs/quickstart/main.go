// Quickstart is the service of the README.
package main

import (
	"fmt"
	"log"
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

func main() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(":8080", newService(verifier)))
}

func newService(auth claims.Authenticator) http.Handler {
	mux := httpmw.NewServeMux(httpmw.New(auth, httpmw.Config{})) // no route without a requirement
	mux.HandleFunc("GET /healthz", claims.Public(), func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /orders", claims.Scopes("orders:read"), listOrders)
	return mux
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	caller, _ := claims.FromContext(r.Context())
	var own struct {
		Tenant string `json:"tenant"`
	}
	if err := caller.Decode(&own); err != nil { // a claim of your own
		http.Error(w, "bad claim", http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "orders of %s at %s\n", caller.Subject(), own.Tenant)
}
