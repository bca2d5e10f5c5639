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
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	main "github.com/sallyport-go/sallyport/examples/orders"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

const (
	audience = "https://orders.example"
	timeout  = 20 * time.Second // for what takes no time unless it fails

	// lastSeconds is the lifetime of a token that has expired but is accepted
	// for three or four seconds more: the leeway is 30.
	lastSeconds = -26 * time.Second
)

// demo is a service that runs in this process, on ports of its own.
type demo struct {
	greeting string
	url      string // of the HTTP API
	grpcAddr string
	issuer   string // its first

	stop func() // drains, and waits for the end
}

var readyLine = regexp.MustCompile(`\Aready http=(\S+) grpc=(\S+) issuer=(\S+)`)

// start starts a service, until the test ends at the latest.
func start(t *testing.T, flags ...string) *demo {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdout := make(firstWrite, 1)
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() {
		exited <- main.Run(ctx, append(freePorts(), flags...), stdout, &stderr)
	}()
	stopped := false
	d := &demo{stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case code := <-exited:
			assert.Zero(t, code)
			assert.Empty(t, stderr.String())
		case <-time.After(timeout):
			assert.Fail(t, "the service does not end")
		}
	}}
	select {
	case d.greeting = <-stdout:
	case code := <-exited:
		cancel()
		require.FailNow(t, "the service did not start", "exit code %d: %s", code, stderr.String())
	}
	t.Cleanup(d.stop)
	ready := readyLine.FindStringSubmatch(d.greeting)
	require.NotNil(t, ready, d.greeting)
	d.url, d.grpcAddr, d.issuer = "http://"+ready[1], ready[2], ready[3]
	return d
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

// startIssuer starts an issuer that can mint any token for the service.
func startIssuer(t *testing.T) *claimstest.Issuer {
	t.Helper()
	return claimstest.Start(t, claimstest.Config{Audience: audience})
}

// orders returns a client of the gRPC API.
func (d *demo) orders(t *testing.T) orderspb.OrdersClient {
	t.Helper()
	return orderspb.NewOrdersClient(d.dial(t))
}

func (d *demo) dial(t *testing.T, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(d.grpcAddr, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	return conn
}

// answer is what the HTTP API answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a request with the token, unless that is empty.
func (d *demo) call(t *testing.T, method, path, token, body string) answer {
	t.Helper()
	return send(t, http.DefaultClient, d.request(t, method, path, token, body))
}

// bounded is the context of what must not make a test that fails hang.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	return ctx
}

func (d *demo) request(t *testing.T, method, path, token, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(bounded(t), method, d.url+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func send(t *testing.T, client *http.Client, r *http.Request) answer {
	t.Helper()
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(body)}
}

// decode returns the answer's JSON object.
func (a answer) decode(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &object), a.body)
	return object
}
