// Operation-permissions is a platform whose tokens say who the client is and
// not what it may do: tokens of AWS Cognito, one GraphQL endpoint, permissions
// by operation that the server looks up, for all or a part of a request, in any
// of the client's workspaces.
//
//	go run ./operation-permissions
//
// It starts an issuer with tokens in the shape of Cognito's, the API and a
// client, and prints what three clients get for one query.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/loopback"
)

const scope = "platform/api" // the one of all clients

// What the platform keeps in its database: where each client may do what.
var (
	manager  = newClient("manager")
	cleaner  = newClient("cleaner")
	stranger = newClient("stranger")

	grants = grantTable{
		"manager": {Workspaces: map[string][]string{
			"lisbon": {"properties:read", "properties:write", "revenue:read"},
			"porto":  {"properties:read", "revenue:read"},
		}},
		"cleaner": {Workspaces: map[string][]string{"lisbon": {"properties:read"}}},
	}
)

func newClient(id string) claimstest.Client {
	return claimstest.Client{ID: id, Secret: id + "-secret", Scopes: []string{scope}}
}

// issuerConfig is a user pool, whose token endpoint takes JSON.
func issuerConfig() claimstest.Config {
	return claimstest.Config{
		URL: "/v1", TokenPath: "/oauth2/token", Profile: claims.Cognito,
		Clients: []claimstest.Client{manager, cleaner, stranger},
	}
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

const query = `{ lisbon: workspace(id: "lisbon") { properties revenue }
	porto: workspace(id: "porto") { properties revenue } }`

func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	issuer, err := loopback.Issuer(ctx, issuerConfig())
	if err != nil {
		return err
	}
	handler, err := newAPI(issuer.URL(), grants)
	if err != nil {
		return err
	}
	api, err := loopback.Serve(ctx, handler)
	if err != nil {
		return err
	}
	for _, as := range []claimstest.Client{manager, cleaner, stranger} {
		c := &client{tokenURL: issuer.TokenURL(), api: api, id: as.ID, secret: as.Secret}
		answer, err := c.query(ctx, query)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-8s %s\n", as.ID, answer)
	}
	return nil
}
