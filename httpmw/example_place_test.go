package httpmw_test

import (
	"log"
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// Behind Google's Identity-Aware Proxy, whose assertions are the credentials.
func ExampleFromGoogleIAP() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:     "https://cloud.google.com/iap",
		KeySetURL:  "https://www.gstatic.com/iap/verify/public_key-jwk",
		Algorithms: []string{"ES256"},
		Audiences:  []string{"/projects/4711/global/backendServices/42"},
	})
	if err != nil {
		log.Fatal(err)
	}
	auth := httpmw.New(verifier, httpmw.Config{From: httpmw.FromGoogleIAP()})
	log.Fatal(http.ListenAndServe(":8080", auth.Wrap(listOrders)))
}

// Browsers have a cookie, programs the Authorization field. The front end is on
// an origin of its own.
func ExampleFromCookie() {
	origins := http.NewCrossOriginProtection()
	if err := origins.AddTrustedOrigin("https://app.example"); err != nil {
		log.Fatal(err)
	}
	auth := httpmw.New(verifier, httpmw.Config{
		From: httpmw.OneOf(httpmw.FromCookie("__Host-token", origins), httpmw.Place{}),
	})
	log.Fatal(http.ListenAndServe(":8080", auth.Wrap(listOrders)))
}
