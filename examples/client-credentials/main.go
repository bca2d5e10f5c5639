// Client-credentials is a platform whose clients get a token by HTTP Basic and
// a form, and whose API answers 401 for a bad token and 403 for an account that
// may not: the API that this library guards, and the client that its
// documentation describes.
//
//	go run ./client-credentials
//
// It starts an issuer, the API and a client, and prints what the client sees.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/loopback"
)

const (
	audience  = "https://shipments.example"
	tokenPath = "/oauth/v2/token"
)

// The clients of the platform, and what their accounts may do.
var (
	warehouse = claimstest.Client{ID: "warehouse", Secret: "w4r3h0use"}
	auditor   = claimstest.Client{ID: "auditor", Secret: "4ud1t0r"}
	accounts  = accountTable{
		"warehouse": {"shipments:read", "shipments:create"},
		"auditor":   {"shipments:read"},
	}
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	issuer, err := loopback.Issuer(ctx, claimstest.Config{
		Audience: audience, TokenPath: tokenPath, Clients: []claimstest.Client{warehouse, auditor},
	})
	if err != nil {
		return err
	}
	handler, err := newAPI(issuer.URL(), accounts, nil)
	if err != nil {
		return err
	}
	api, err := loopback.Serve(ctx, handler)
	if err != nil {
		return err
	}
	for _, as := range []claimstest.Client{warehouse, auditor, {ID: "warehouse", Secret: "wrong"}} {
		c := &client{tokenURL: issuer.TokenURL(), api: api, id: as.ID, secret: as.Secret}
		for _, method := range []string{"GET", "POST"} {
			status, err := c.call(ctx, method, "/v1/shipments")
			fmt.Fprintf(out, "%-9s %-4s %s\n", as.ID, method, told(status, err))
		}
	}
	return nil
}

// told is what the platform's documentation says of an answer.
func told(status int, err error) string {
	switch {
	case errors.Is(err, errCredentials):
		return "401 from the token endpoint: check client ID and secret"
	case errors.Is(err, errToken):
		return "401: check the token"
	case errors.Is(err, errAccess):
		return "403: check the permissions of the account"
	case err != nil:
		return err.Error()
	}
	return fmt.Sprint(status)
}
