package relay_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/relay"
	"github.com/sallyport-go/sallyport/httpmw"
)

// A handler asks another service in the name of its caller.
func Example() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	to, err := relay.New(relay.Config{
		Hosts: []string{"billing.example"},
		Exchange: &relay.Exchange{
			TokenURL: "https://issuer.example/token", ClientID: "orders", ClientSecret: "…",
			Audiences: []string{"https://billing.example"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	billing := &http.Client{Transport: to.Transport(nil)}

	auth := httpmw.New(verifier, httpmw.Config{KeepToken: true})
	mux := httpmw.NewServeMux(auth)
	mux.HandleFunc("GET /bill", claims.Scopes("orders:read"), func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(
			r.Context(), http.MethodGet, "https://billing.example/bill", nil)
		if err != nil {
			http.Error(w, "no bill", http.StatusInternalServerError)
			return
		}
		resp, err := billing.Do(req)
		if err != nil {
			http.Error(w, "no bill", http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
	})

	_, err = relay.New(relay.Config{})
	fmt.Println(err)
	// Output:
	// relay: New: Config.Hosts is empty: the token would go anywhere
}
