package statictoken_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/statictoken"
)

// Tokens of the service's own beside those of an issuer.
func Example() {
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tokens")

	// Once, by an operator: the token is shown, and kept by nobody here.
	token, err := statictoken.AddToFile(path, "", statictoken.Token{
		Subject: "nightly-import", Scopes: []string{"orders:read"},
	})
	if err != nil {
		log.Fatal(err)
	}

	tokens, err := statictoken.New(statictoken.Config{File: path})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	auth := claims.FirstOf(tokens, verifier)
	caller, err := auth.Authenticate(
		context.Background(), claims.Credentials{Scheme: "Bearer", Token: token})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(caller, caller.Scopes(), token[:10])
	// Output:
	// claims.Claims{"static-tokens" "nightly-import"} [orders:read] sallyport_
}

// rows is a Source: a table in a database, whose key is the hash.
type rows map[string]statictoken.Token

func (r rows) Lookup(_ context.Context, hash string) (*statictoken.Token, error) {
	// SELECT subject, scopes FROM tokens WHERE hash = $1
	row, ok := r[hash]
	if !ok {
		return nil, nil
	}
	return &row, nil
}

func ExampleSource() {
	key := statictoken.NewKey() // of the service's configuration, in a real program
	token, minted, err := statictoken.Mint(key, "", statictoken.Token{Subject: "partner-7"})
	if err != nil {
		log.Fatal(err)
	}
	table := rows{minted.Hash: minted}

	tokens, err := statictoken.New(statictoken.Config{Source: table, Key: key})
	if err != nil {
		log.Fatal(err)
	}
	caller, err := tokens.Authenticate(
		context.Background(), claims.Credentials{Scheme: "Bearer", Token: token})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(caller.Subject())
	// Output: partner-7
}
