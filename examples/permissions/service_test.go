package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	main "github.com/sallyport-go/sallyport/examples/permissions"
	"github.com/sallyport-go/sallyport/examples/permissions/permissionspb"
)

const (
	audience = "https://orders.example"
	timeout  = 20 * time.Second // for what takes no time unless it fails
	tick     = 20 * time.Millisecond
)

// instance is a service that runs in this process, on ports of its own.
type instance struct {
	greeting string
	url      string // of the REST and GraphQL APIs
	grpcAddr string
	issuer   string
	stop     func() // drains, and waits for the end
}

var readyLine = regexp.MustCompile(`\Aready http=(\S+) grpc=(\S+) issuer=(\S+)\n`)

// start starts a service, until the test ends at the latest.
func start(t *testing.T, flags ...string) *instance {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdout := make(firstWrite, 1)
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() { exited <- main.Run(ctx, append(freePorts(), flags...), stdout, &stderr) }()
	stopped := false
	s := &instance{stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case code := <-exited:
			assert.Zero(t, code, stderr.String())
		case <-time.After(timeout):
			assert.Fail(t, "the service does not end")
		}
	}}
	select {
	case s.greeting = <-stdout:
	case code := <-exited:
		cancel()
		require.FailNow(t, "the service did not start", "exit code %d: %s", code, stderr.String())
	}
	t.Cleanup(s.stop)
	ready := readyLine.FindStringSubmatch(s.greeting)
	require.NotNil(t, ready, s.greeting)
	s.url, s.grpcAddr, s.issuer = "http://"+ready[1], ready[2], ready[3]
	return s
}

func freePorts() []string {
	const addr = "127.0.0.1:0"
	return []string{"-http", addr, "-grpc", addr, "-dev-issuer", addr}
}

// firstWrite is a writer that keeps what is written first.
type firstWrite chan string

func (w firstWrite) Write(p []byte) (int, error) {
	select {
	case w <- string(p):
	default:
	}
	return len(p), nil
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
func startFor(t *testing.T, issuer *claimstest.Issuer, db database, flags ...string) *instance {
	t.Helper()
	return start(t, append([]string{
		"-issuer", issuer.URL(), "-admin", "root", "-database", db.name,
	}, flags...)...)
}

// caller is a client that knows nothing but OAuth.
type caller struct {
	service *instance
	tokens  oauth2.TokenSource
	http    *http.Client
	grpc    permissionspb.OrdersClient
}

var secrets = map[string]string{
	"berlin-shop": "shop-secret", "head-office": "office-secret", "root": "secret", "alice": "secret",
}

// noCredentials is a client that has no token.
var noCredentials = http.DefaultClient

func (s *instance) caller(t *testing.T, id string) *caller {
	t.Helper()
	config := clientcredentials.Config{
		ClientID: id, ClientSecret: secrets[id], TokenURL: s.issuer + "/token",
	}
	tokens := config.TokenSource(context.Background())
	conn := s.dial(t, grpc.WithPerRPCCredentials(oauthTokens{tokens}))
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

func (s *instance) dial(t *testing.T, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(s.grpcAddr, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	return conn
}

// bounded is the context of what must not make a test that fails hang.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	return ctx
}

// answer is what the HTTP server answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// decode returns the answer's JSON object.
func (a answer) decode(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &object), a.body)
	return object
}

func (c *caller) send(t *testing.T, method, path, body string) answer {
	t.Helper()
	return send(t, c.http, method, c.service.url+path, body)
}

func (c *caller) get(t *testing.T, path string) answer {
	t.Helper()
	return c.send(t, "GET", path, "")
}

func send(t *testing.T, client *http.Client, method, url, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(bounded(t), method, url, strings.NewReader(body))
	require.NoError(t, err)
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}
