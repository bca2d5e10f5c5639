package introspection_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
)

// Opaque tokens, whose issuer alone knows what they are.
func Example() {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("token") != "2YotnFZFEjr1zCsicMWpAA" {
			fmt.Fprint(w, `{"active":false}`)
			return
		}
		fmt.Fprint(w, `{"active":true,"sub":"alice","scope":"orders:read","aud":"https://orders.example"}`)
	}))
	defer issuer.Close()

	opaque, err := introspection.New(introspection.Config{
		Endpoint: issuer.URL,
		Client:   introspection.Basic("orders", "secret"),
		Accept: claims.Config{
			Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, token := range []string{"2YotnFZFEjr1zCsicMWpAA", "made-up"} {
		caller, err := opaque.Authenticate(
			context.Background(), claims.Credentials{Scheme: "Bearer", Token: token})
		fmt.Println(caller.Subject(), caller.Scopes(), err)
	}
	// Output:
	// alice [orders:read] <nil>
	//  [] claims: invalid token (rejected)
}

// JWTs are verified, and those that are good are asked about every five
// minutes.
func ExampleAlso() {
	accept := claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	}
	verifier, err := claims.NewVerifier(accept)
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := introspection.New(introspection.Config{
		Endpoint: "https://issuer.example/introspect",
		Client:   introspection.Basic("orders", "secret"),
		Accept:   accept,
		MaxAge:   5 * time.Minute,
	})
	if err != nil {
		log.Fatal(err)
	}
	auth := introspection.Also(verifier, endpoint)
	_, err = auth.Authenticate(
		context.Background(), claims.Credentials{Scheme: "Bearer", Token: "made-up"})
	fmt.Println(err)
	// Output: claims: invalid token (malformed)
}

// In a cluster, where the API server knows which pods are gone.
func ExampleNewTokenReview() {
	reviews, err := introspection.NewTokenReview(introspection.Config{
		Endpoint: "https://kubernetes.default.svc",
		Client: introspection.BearerTokenFile(
			"/var/run/secrets/kubernetes.io/serviceaccount/token"),
		// HTTP: a client that trusts .../serviceaccount/ca.crt
		Accept: claims.Config{
			Issuer: "https://kubernetes.default.svc", Audiences: []string{"orders"},
			PermissionClaims: []string{"groups"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = reviews.Authenticate(
		context.Background(), claims.Credentials{Scheme: "Bearer", Token: "no-jwt"})
	fmt.Println(err)
	// Output: claims: invalid token (malformed)
}
