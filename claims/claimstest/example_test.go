package claimstest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// A verifier meets good and bad tokens, without any network.
func Example() {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	if err != nil {
		panic(err)
	}
	keys, err := jwks.NewCache(jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
	if err != nil {
		panic(err)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    issuer.URL(),
		Audiences: []string{claimstest.Audience},
		Keys:      keys,
	})
	if err != nil {
		panic(err)
	}
	verify := func(token string) (*claims.Claims, error) {
		return verifier.Authenticate(context.Background(),
			claims.Credentials{Scheme: "Bearer", Token: token})
	}

	caller, err := verify(issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"}))
	fmt.Println(caller.Subject(), caller.Scopes(), err)

	_, err = verify(issuer.Mint(claimstest.Token{Subject: "alice", Lifetime: -time.Hour}))
	fmt.Println("expired:", errors.Is(err, claims.ErrInvalidToken))

	issuer.Rotate("EdDSA")
	caller, err = verify(issuer.Mint(claimstest.Token{Subject: "bob"}))
	fmt.Println(caller.Subject(), err)

	// Output:
	// alice [orders:read] <nil>
	// expired: true
	// bob <nil>
}

// The verifier reaches an issuer on a loopback address as it would any other.
func ExampleStart() {
	_ = func(t *testing.T) { // TestVerifier
		issuer := claimstest.Start(t, claimstest.Config{Algorithm: "RS256"})
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer:    issuer.URL(),
			Audiences: []string{claimstest.Audience},
		})
		if err != nil {
			t.Fatal(err)
		}
		caller, err := verifier.Authenticate(t.Context(), claims.Credentials{
			Scheme: "Bearer",
			Token:  issuer.Mint(claimstest.Token{Subject: "alice"}),
		})
		if err != nil || caller.Subject() != "alice" {
			t.Errorf("got %v, %v", caller, err)
		}
	}
}

// Tokens that no issuer should mint are made of their parts.
func ExampleIssuer_Mint() {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	if err != nil {
		panic(err)
	}
	stranger := claimstest.MustKey("ES256")
	for _, token := range []claimstest.Token{
		{Claims: map[string]any{"exp": claimstest.Omit}}, // without "exp"
		{Claims: map[string]any{"aud": nil}},             // "aud":null
		{Header: map[string]any{"alg": "none"}},          // says what it is not
		{Header: map[string]any{"kid": claimstest.Omit}}, // names no key
		{Key: stranger},          // signed by somebody else
		{Lifetime: -time.Minute}, // expired
		{Audience: []string{"https://invoices.example"}},  // for another service
		{Claims: map[string]any{"tenant": "t1", "n": 12}}, // private claims
	} {
		_ = issuer.Mint(token)
	}
}
