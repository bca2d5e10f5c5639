package revocation_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// All sessions of a user end, on the next request of each.
func ExampleTable() {
	issuer, _ := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	keys, _ := jwks.Parse(issuer.KeySet())
	verifier, _ := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	ended, _ := revocation.NewTable(revocation.Config{
		Logger: slog.New(slog.DiscardHandler), // of an example, to say nothing
	})
	auth := httpmw.New(verifier, httpmw.Config{Revocations: ended})
	api := auth.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))

	token := issuer.Mint(claimstest.Token{Subject: "alice"})
	get := func() (challenge string) {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		api.ServeHTTP(w, r)
		fmt.Println(w.Code)
		return w.Header().Get("WWW-Authenticate")
	}
	get()
	err := ended.Revoke(context.Background(), revocation.Entry{
		Issuer: issuer.URL(), Subject: "alice",
	})
	fmt.Println(err)
	fmt.Println(get())
	// Output:
	// 200
	// <nil>
	// 401
	// Bearer realm="api", error="invalid_token", error_description="The access token has been revoked."
}
