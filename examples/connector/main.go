// Connector is an integration platform's connector to an API: it acquires a
// token, applies it to each request, takes 401 and 403 as the sign to acquire
// another and tries once more, and tests a connection with one GET. The API is
// guarded by this library, whose challenge says when another token helps.
//
//	go run ./connector
//
// It starts an issuer, the API and a connection, and prints what each request
// cost.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/examples/internal/loopback"
	"github.com/sallyport-go/sallyport/httpmw"
)

const (
	audience  = "https://assets.example"
	tokenPath = "/auth/v5/token/"
)

var tenant = claimstest.Client{
	ID: "abcd1234", Secret: "secretClientSecret", Scopes: []string{"assets:read", "assets:write"},
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// newAPI returns the API that the connector is for.
func newAPI(issuer string) (http.Handler, error) {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer, Audiences: []string{audience}, PermissionClaims: []string{"permissions"},
	})
	if err != nil {
		return nil, err
	}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{}))
	answer := func(w http.ResponseWriter, r *http.Request) {
		caller, _ := claims.FromContext(r.Context())
		demo.WriteJSON(w, http.StatusOK, map[string]any{"client": caller.ClientID()})
	}
	mux.HandleFunc("GET /api/v5/me", claims.Authenticated(), answer)
	mux.HandleFunc("GET /api/v5/assets", claims.Scopes("assets:read"), answer)
	mux.HandleFunc("POST /api/v5/assets", claims.Scopes("assets:write"), answer)
	mux.HandleFunc("DELETE /api/v5/assets", claims.Scopes("assets:delete"), answer)
	mux.HandleFunc("GET /api/v5/users", claims.Permissions("users:read"), answer)
	return mux, nil
}

func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	issuer, err := loopback.Issuer(ctx, claimstest.Config{
		Audience: audience, TokenPath: tokenPath, Clients: []claimstest.Client{tenant},
	})
	if err != nil {
		return err
	}
	handler, err := newAPI(issuer.URL())
	if err != nil {
		return err
	}
	api, err := loopback.Serve(ctx, handler)
	if err != nil {
		return err
	}
	c := newConnection(issuer.TokenURL(), api, tenant.ID, tenant.Secret)
	fmt.Fprintln(out, "connection test:", c.Test(ctx) == nil)
	for _, request := range [][2]string{
		{"GET", "/api/v5/assets"}, {"POST", "/api/v5/assets"}, {"DELETE", "/api/v5/assets"},
		{"GET", "/api/v5/users"},
	} {
		before := issuer.Requests(tokenPath)
		response, err := c.Do(ctx, request[0], request[1])
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		fmt.Fprintf(out, "%-6s %s: %d, %d token requests\n",
			request[0], request[1], response.StatusCode, issuer.Requests(tokenPath)-before)
	}
	return nil
}
