package claims_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// sessions is an Authenticator of one's own: its tokens have a prefix by which
// it knows them.
type sessions map[string]*claims.Claims

func (s sessions) Authenticate(
	_ context.Context, c claims.Credentials,
) (*claims.Claims, error) {
	if !strings.EqualFold(c.Scheme, "Bearer") {
		return nil, claims.NewError(
			claims.ErrNoToken, claims.ReasonUnsupportedScheme, claims.ErrUnrecognized)
	}
	if !strings.HasPrefix(c.Token, "session_") {
		return nil, claims.NewError(
			claims.ErrInvalidToken, claims.ReasonMalformed, claims.ErrUnrecognized)
	}
	caller, ok := s[c.Token]
	if !ok {
		return nil, claims.NewError(
			claims.ErrInvalidToken, claims.ReasonRejected, errors.New("no such session"))
	}
	return caller, nil
}

// Recheck makes [claims.Recheck] ask whether a session still is one.
func (s sessions) Recheck(_ context.Context, caller *claims.Claims) error {
	for _, held := range s {
		if held.Principal() == caller.Principal() {
			return nil
		}
	}
	return claims.NewError(
		claims.ErrInvalidToken, claims.ReasonRejected, errors.New("the session has ended"))
}

func ExampleAuthenticator() {
	alice, err := claims.FromJSON(
		[]byte(`{"sub":"alice","scope":"orders:read"}`), claims.Config{})
	if err != nil {
		log.Fatal(err)
	}
	var auth claims.Authenticator = sessions{"session_1": alice}
	for _, token := range []string{"session_1", "session_2"} {
		caller, err := auth.Authenticate(
			context.Background(), claims.Credentials{Scheme: "Bearer", Token: token})
		fmt.Println(caller.Subject(), err)
	}
	// Output:
	// alice <nil>
	//  claims: invalid token (rejected)
}

// Tokens of two kinds, told apart by their form: those of a session store by
// their prefix, and JWTs.
func ExampleFirstOf() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	auth := claims.FirstOf(sessions{}, verifier)
	for _, token := range []string{"session_2", "neither"} {
		_, err = auth.Authenticate(
			context.Background(), claims.Credentials{Scheme: "Bearer", Token: token})
		fmt.Println(err, errors.Is(err, claims.ErrUnrecognized))
	}
	// Output:
	// claims: invalid token (rejected) false
	// claims: invalid token (malformed) true
}

// For an issuer that signs by HMAC with a secret that it shares with the API.
func ExampleNewSymmetricVerifier() {
	secret := make([]byte, 32) // of the issuer's configuration, in a real program
	if _, err := rand.Read(secret); err != nil {
		log.Fatal(err)
	}
	verifier, err := claims.NewSymmetricVerifier([][]byte{secret}, claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verifier)

	// Everybody has the public key: it is not a secret.
	_, err = claims.NewSymmetricVerifier([][]byte{[]byte("-----BEGIN PUBLIC KEY-----")},
		claims.Config{Issuer: "https://issuer.example", Audiences: []string{"a"}})
	fmt.Println(err != nil)
	// Output:
	// claims.Verifier{https://issuer.example}
	// true
}

// A handler is tested without a token: with the caller that it would find.
func ExampleNewContext() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		caller, _ := claims.FromContext(r.Context())
		fmt.Fprint(w, "Hello ", caller.Subject())
		if claims.Allowed(r.Context(), claims.Permissions("orders:refund")) == nil {
			fmt.Fprint(w, ", you may refund")
		}
	}
	caller, err := claims.FromJSON(
		[]byte(`{"sub":"alice","roles":["clerk"]}`),
		claims.Config{
			PermissionClaims: []string{"roles"},
			PermissionMap:    map[string][]string{"clerk": {"orders:refund"}},
		})
	if err != nil {
		log.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/me", nil)
	handler(w, r.WithContext(claims.NewContext(r.Context(), caller)))
	fmt.Println(w.Body)
	// Output: Hello alice, you may refund
}

// A feed of events goes on for as long as its caller may have it.
func ExampleRecheck() {
	alice, err := claims.FromJSON([]byte(`{"sub":"alice"}`), claims.Config{})
	if err != nil {
		log.Fatal(err)
	}
	store := sessions{"session_1": alice}
	guard, err := claims.NewGuard(store, claims.GuardConfig{})
	if err != nil {
		log.Fatal(err)
	}
	// What a transport does before it calls the handler.
	ctx, err := guard.Authorize(context.Background(),
		claims.Operation{Protocol: "HTTP", Name: "GET /events"},
		claims.Credentials{Scheme: "Bearer", Token: "session_1"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for n := range 3 {
		if err := claims.Recheck(ctx); err != nil {
			fmt.Println("the end:", err)
			return
		}
		fmt.Println("event", n)
		if n == 1 {
			delete(store, "session_1")
		}
	}
	// Output:
	// event 0
	// event 1
	// the end: claims: invalid token (rejected)
}

// An error of this package has what a client is told, and, as its cause, what
// an operator wants to know.
func ExampleAsError() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = verifier.Authenticate(context.Background(), claims.Credentials{
		Scheme: "Bearer", Token: "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOjd9.AAAA",
	})
	refusal := claims.AsError(err)
	fmt.Println(refusal.Class() == claims.ErrInvalidToken, refusal.Reason())
	fmt.Println(refusal.Text())
	fmt.Println(errors.Unwrap(refusal))
	// Output:
	// true malformed
	// The access token is malformed.
	// claims: claim "sub" is not a string
}
