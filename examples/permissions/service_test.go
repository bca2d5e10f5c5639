package main_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	main "github.com/sallyport-go/sallyport/examples/permissions"
	"github.com/sallyport-go/sallyport/examples/permissions/permissionspb"
)

const (
	audience = "https://orders.example"
	tick     = 20 * time.Millisecond
)

// instance is a service that runs in this process, on ports of its own.
type instance struct{ *demotest.Service }

// start starts a service, until the test ends at the latest.
func start(t *testing.T, flags ...string) instance {
	t.Helper()
	return instance{demotest.Start(t, main.Run, flags...)}
}

// startIssuer starts an issuer with the clients root and alice.
func startIssuer(t *testing.T) *claimstest.Issuer {
	t.Helper()
	return claimstest.Start(t, claimstest.Config{
		Audience: audience,
		Clients:  []claimstest.Client{{ID: "root", Secret: "secret"}, {ID: "alice", Secret: "secret"}},
	})
}

// startFor starts a service on the database that trusts the issuer and lets
// root do everything.
func startFor(t *testing.T, issuer *claimstest.Issuer, db database, flags ...string) instance {
	t.Helper()
	return start(t, append([]string{
		"-issuer", issuer.URL(), "-admin", "root", "-database", db.name,
	}, flags...)...)
}

// caller is a client that knows nothing but OAuth.
type caller struct {
	service instance
	tokens  oauth2.TokenSource
	http    *http.Client
	grpc    permissionspb.OrdersClient
}

var secrets = map[string]string{
	"berlin-shop": "shop-secret", "head-office": "office-secret", "root": "secret", "alice": "secret",
}

// noCredentials is a client that has no token.
var noCredentials = http.DefaultClient

func (s instance) caller(t *testing.T, id string) *caller {
	t.Helper()
	config := clientcredentials.Config{
		ClientID: id, ClientSecret: secrets[id], TokenURL: s.Issuer + "/token",
	}
	tokens := config.TokenSource(context.Background())
	conn := s.Dial(t, grpc.WithPerRPCCredentials(oauthTokens{tokens}))
	return &caller{
		service: s, tokens: tokens,
		http: config.Client(context.Background()), grpc: permissionspb.NewOrdersClient(conn),
	}
}

// oauthTokens does without TLS, which credentials/oauth insists on.
type oauthTokens struct{ source oauth2.TokenSource }

func (o oauthTokens) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := o.source.Token()
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": token.Type() + " " + token.AccessToken}, nil
}

func (oauthTokens) RequireTransportSecurity() bool { return false }

func (c *caller) send(t *testing.T, method, path, body string) demotest.Answer {
	t.Helper()
	return send(t, c.http, method, c.service.URL+path, body)
}

func (c *caller) get(t *testing.T, path string) demotest.Answer {
	t.Helper()
	return c.send(t, "GET", path, "")
}

func send(t *testing.T, client *http.Client, method, url, body string) demotest.Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(
		demotest.Bounded(t), method, url, strings.NewReader(body))
	require.NoError(t, err)
	return demotest.Send(t, client, r)
}
