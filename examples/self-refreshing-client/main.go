// Self-refreshing-client is the client of an SDK that gets and refreshes its
// tokens by itself: with a hook that supplies a token from a database and one
// that is told of each new token. The API is guarded by this library.
//
//	go run ./self-refreshing-client
//
// It starts an issuer, the API and the client, and then another client with
// what the first has left in the database.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/examples/internal/loopback"
	"github.com/sallyport-go/sallyport/httpmw"
)

const audience = "https://notes.example"

var app = claimstest.Client{
	ID: "OAuthClientId", Secret: "OAuthClientSecret", Scopes: []string{"read", "write"},
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// newAPI returns an API that reads and writes notes. check may refuse tokens,
// as a list of those that are revoked does.
func newAPI(
	issuer string, check func(context.Context, *claims.Claims) error,
) (http.Handler, error) {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer, Audiences: []string{audience}, Check: check,
	})
	if err != nil {
		return nil, err
	}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{}))
	mux.HandleFunc("GET /notes", claims.Scopes("read"), read)
	mux.HandleFunc("POST /notes", claims.Scopes("write"), write)
	return mux, nil
}

func read(w http.ResponseWriter, _ *http.Request) {
	demo.WriteJSON(w, http.StatusOK, []string{"a note"})
}

func write(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<10))
	if err != nil {
		demo.WriteProblem(w, http.StatusBadRequest, "too much")
		return
	}
	demo.WriteJSON(w, http.StatusCreated, string(body))
}

func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	issuer, err := loopback.Issuer(ctx, claimstest.Config{
		Audience: audience, Clients: []claimstest.Client{app},
	})
	if err != nil {
		return err
	}
	handler, err := newAPI(issuer.URL(), nil)
	if err != nil {
		return err
	}
	api, err := loopback.Serve(ctx, handler)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tokens, err := openStore(filepath.Join(dir, "tokens.db"))
	if err != nil {
		return err
	}
	defer tokens.db.Close()
	for _, when := range []string{"first run", "next run"} {
		c := NewClient(SDKConfig{
			BaseURL: api, TokenURL: issuer.TokenURL(), ClientID: app.ID, ClientSecret: app.Secret,
			TokenProvider: tokens.provider(app.ID), OnTokenUpdate: tokens.update(app.ID),
		})
		for range 3 {
			if err := writeNote(ctx, c); err != nil {
				return fmt.Errorf("%s: %w", when, err)
			}
		}
		fmt.Fprintf(out, "%s: 3 calls, %d token requests so far\n", when, issuer.Requests("/token"))
	}
	return nil
}

func writeNote(ctx context.Context, c *Client) error {
	r, err := http.NewRequestWithContext(
		ctx, http.MethodPost, c.cfg.BaseURL+"/notes", strings.NewReader("tea"))
	if err != nil {
		return err
	}
	response, err := c.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return errors.New(response.Status)
	}
	return nil
}
