// Two-credentials is a platform with a REST and a gRPC API that both take the
// short-lived token of an OAuth client or a long-lived environment token, and
// whose sandboxes need a second token in a field of its own.
//
//	go run ./two-credentials
//
// It starts an issuer and a sandbox, and calls both APIs in each way.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/statictoken"
	"github.com/sallyport-go/sallyport/examples/internal/loopback"
)

const audience = "https://entities.example"

var robot = claimstest.Client{ID: "robot", Secret: "r0b0t", Scopes: []string{"entities:read"}}

func issuerConfig() claimstest.Config {
	return claimstest.Config{
		Audience: audience, TokenPath: "/api/v1/oauth/token", Lifetime: 30 * time.Minute,
		Clients: []claimstest.Client{robot},
	}
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// platform is what a customer is given.
type platform struct {
	rest, grpc, tokenURL string
	environment, sandbox string // tokens
}

// start starts a sandbox, whose tokens lie in files in dir.
func start(ctx context.Context, issuer *claimstest.Issuer, dir string) (*platform, error) {
	p := &platform{tokenURL: issuer.TokenURL()}
	environments := filepath.Join(dir, "environments")
	sandboxes := filepath.Join(dir, "sandboxes")
	var err error
	p.environment, err = statictoken.AddToFile(environments, "", statictoken.Token{
		Subject: "integration-7", Client: "integration-7", Scopes: []string{"entities:read"},
		Expires: time.Now().AddDate(1, 0, 0),
	})
	if err != nil {
		return nil, err
	}
	p.sandbox, err = statictoken.AddToFile(sandboxes, sandboxPrefix, statictoken.Token{
		Subject: "customer-3", Expires: time.Now().AddDate(0, 1, 0),
	})
	if err != nil {
		return nil, err
	}
	api, err := newAPI(issuer.URL(), environments, sandboxes)
	if err != nil {
		return nil, err
	}
	if p.rest, err = loopback.Serve(ctx, api.rest()); err != nil {
		return nil, err
	}
	p.grpc, err = api.serveGRPC(ctx)
	return p, err
}

func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	issuer, err := loopback.Issuer(ctx, issuerConfig())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := start(ctx, issuer, dir)
	if err != nil {
		return err
	}
	oauth := newOAuth(ctx, p.tokenURL, robot.ID, robot.Secret)
	for _, way := range []struct {
		name string
		auth credentials
	}{
		{"OAuth and a sandbox token", credentials{oauth, p.sandbox}},
		{"environment and sandbox token", credentials{static(p.environment), p.sandbox}},
		{"environment token alone", credentials{static(p.environment), ""}},
	} {
		fmt.Fprintf(out, "%-30s REST %s, gRPC %s\n",
			way.name, callREST(ctx, p.rest, way.auth), callGRPC(ctx, p.grpc, way.auth))
	}
	return nil
}
