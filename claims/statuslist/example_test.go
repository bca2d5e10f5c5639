package statuslist_test

import (
	"fmt"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/statuslist"
)

func ExampleNew() {
	lists, err := statuslist.New(statuslist.Config{Issuers: []statuslist.Issuer{{
		Issuer:   "https://login.example.com",
		Prefixes: []string{"https://login.example.com/statuslists/"},
	}}})
	if err != nil {
		panic(err)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://login.example.com",
		Audiences: []string{"https://api.example.com"},
		Check:     lists.Check,
	})
	fmt.Println(verifier, err)
	// Output: claims.Verifier{https://login.example.com} <nil>
}
