package dpop_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// A token that is bound to a key passes with a proof by that key, once.
func Example() {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	if err != nil {
		panic(err)
	}
	proofs, err := dpop.New(dpop.Config{BaseURL: "https://api.example"})
	if err != nil {
		panic(err)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		KeyCache:   jwks.Config{Client: issuer.Client()}, // no network in an example
		Confirmers: []claims.Confirmer{proofs},
	})
	if err != nil {
		panic(err)
	}
	api := httpmw.New(verifier, httpmw.Config{}).Wrap(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) {},
	))

	key := claimstest.MustKey("ES256") // the client's
	token := issuer.Mint(claimstest.Token{
		Claims: map[string]any{"cnf": map[string]any{"jkt": key.Thumbprint()}},
	})
	proof := key.Prove(claimstest.Proof{
		Method: "GET", URL: "https://api.example/orders", Token: token,
	})
	for range 2 {
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		r.Header.Set("Authorization", "DPoP "+token)
		r.Header.Set("DPoP", proof)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 401
}
