package httpmw_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

var sandboxes = verifier

// The token of a sandbox beside that of its caller, and a route that serves
// callers without any as well.
func ExampleConfig_second() {
	auth := httpmw.New(verifier, httpmw.Config{
		Second: map[string]httpmw.Second{
			"sandbox": {From: httpmw.FromHeader("X-Sandbox-Token", ""), Auth: sandboxes},
		},
	})
	mux := httpmw.NewServeMux(auth)
	mux.HandleFunc("POST /runs", claims.All(
		claims.Scopes("orders:write"),
		claims.Second("sandbox", claims.Scopes("sandbox:run")),
	), func(w http.ResponseWriter, r *http.Request) {
		caller, _ := claims.FromContext(r.Context())
		sandbox, _ := claims.SecondFromContext(r.Context(), "sandbox")
		_ = json.NewEncoder(w).Encode([]string{caller.Subject(), sandbox.Subject()})
	})
	mux.HandleFunc("GET /prices", claims.Optional(), func(w http.ResponseWriter, r *http.Request) {
		if caller, ok := claims.FromContext(r.Context()); ok {
			_, _ = fmt.Fprintln(w, "prices for", caller.Subject())
			return
		}
		_, _ = fmt.Fprintln(w, "prices for everybody")
	})
	fmt.Print(claims.NewAccessTable(mux.Operations()).Markdown())
	// Output:
	// | Protocol | Operation     | Requirement                                                             |
	// |----------|---------------|-------------------------------------------------------------------------|
	// | HTTP     | `GET /prices` | `Optional()`                                                            |
	// | HTTP     | `POST /runs`  | `All(Scopes("orders:write"), Second("sandbox", Scopes("sandbox:run")))` |
}

// What a client is told whose second credential has expired.
func ExampleSecond() {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	if err != nil {
		panic(err)
	}
	keys, err := jwks.Parse(issuer.KeySet())
	if err != nil {
		panic(err)
	}
	trusted, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	if err != nil {
		panic(err)
	}
	auth := httpmw.New(trusted, httpmw.Config{Second: map[string]httpmw.Second{
		"sandbox": {From: httpmw.FromHeader("X-Sandbox-Token", ""), Auth: trusted},
	}})
	guarded := auth.Require(claims.Second("sandbox", claims.Authenticated()))(http.NotFoundHandler())
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{}))
	r.Header.Set("X-Sandbox-Token", issuer.Mint(claimstest.Token{Lifetime: -time.Hour}))
	w := httptest.NewRecorder()
	guarded.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	_, _ = w.Body.WriteTo(os.Stdout)
	// Output:
	// 401 sandbox realm="api", error="invalid_token", error_description="sandbox: The access token has expired."
	// {"title":"Unauthorized","status":401,"detail":"sandbox: The access token has expired.","reason":"expired","credential":"sandbox"}
}
