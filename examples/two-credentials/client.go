package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

// early is how long before its end a token is replaced.
const early = 5 * time.Minute

// newOAuth returns tokens of a client: fetched at the first use, kept, and
// fetched anew five minutes before they expire. It is safe for concurrent use.
func newOAuth(ctx context.Context, tokenURL, id, secret string) oauth2.TokenSource {
	cfg := clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: tokenURL}
	// That of cfg.TokenSource would keep each until ten seconds before.
	return oauth2.ReuseTokenSourceWithExpiry(nil, fetching{ctx, cfg}, early)
}

type fetching struct {
	ctx context.Context // of the program: a TokenSource has no other
	cfg clientcredentials.Config
}

func (f fetching) Token() (*oauth2.Token, error) { return f.cfg.Token(f.ctx) }

// static is an environment token.
func static(token string) oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
}

// credentials are the two that a call has, and grpc's PerRPCCredentials.
type credentials struct {
	first   oauth2.TokenSource
	sandbox string // empty outside of sandboxes
}

// GetRequestMetadata is called for each call, and refreshes the token if need
// be.
func (c credentials) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := c.first.Token()
	if err != nil {
		return nil, err
	}
	md := map[string]string{"authorization": "Bearer " + token.AccessToken}
	if c.sandbox != "" {
		md[strings.ToLower(sandboxField)] = c.sandbox
	}
	return md, nil
}

// RequireTransportSecurity is true anywhere but on a loopback address, where
// these examples are.
func (credentials) RequireTransportSecurity() bool { return false }

func callREST(ctx context.Context, url string, c credentials) string {
	token, err := c.first.Token()
	if err != nil {
		return err.Error()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/entities/1", nil)
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	if c.sandbox != "" {
		r.Header.Set(sandboxField, c.sandbox)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err.Error()
	}
	_ = response.Body.Close()
	return fmt.Sprint(response.StatusCode)
}

func callGRPC(ctx context.Context, target string, c credentials) string {
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(c))
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	_, err = orderspb.NewOrdersClient(conn).GetOrder(ctx, &orderspb.GetOrderRequest{Id: "1"})
	return status.Code(err).String()
}
