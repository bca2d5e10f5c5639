package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	main "github.com/sallyport-go/sallyport/examples/orders"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

// boxed is a service that wants the token of a sandbox as well.
type boxed struct {
	demo
	first, boxes *claimstest.Issuer
	token, box   string
}

func startBoxed(t *testing.T) boxed {
	t.Helper()
	b := boxed{first: startIssuer(t), boxes: startIssuer(t)}
	b.demo = start(t, "-issuer", b.first.URL(), "-sandbox-issuer", b.boxes.URL())
	b.token = b.first.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read orders:write orders:delete"})
	b.box = b.boxes.Mint(claimstest.Token{Subject: "box-1"})
	return b
}

// ask sends a request with both tokens, each unless it is empty.
func (b boxed) ask(t *testing.T, method, path, token, box, body string) demotest.Answer {
	t.Helper()
	r := b.request(t, method, path, token, body)
	if box != "" {
		r.Header.Set("X-Sandbox-Token", box)
	}
	return demotest.Send(t, http.DefaultClient, r)
}

// All but public operations need the second token, raw, in a field of its own.
func TestSandbox_http(t *testing.T) {
	t.Parallel()
	b := startBoxed(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/me", "", 200},
		{"GET", "/orders", "", 200},
		{"POST", "/orders", tea, 201},
		{"DELETE", "/orders/1", "", 204},
	} {
		got := b.ask(t, tt.method, tt.path, b.token, "", tt.body)
		assert.Equal(t, 401, got.Status, tt.path)
		assert.Equal(t, `sandbox realm="orders"`, got.Header.Get("WWW-Authenticate"), tt.path)
		assert.Equal(t, "sandbox", got.Decode(t)["credential"], tt.path)
		got = b.ask(t, tt.method, tt.path, b.token, b.token, tt.body)
		assert.Equal(t, 401, got.Status, "the first is not the second")
		got = b.ask(t, tt.method, tt.path, b.box, b.box, tt.body)
		assert.Equal(t, 401, got.Status, "nor the second the first")
		assert.True(t, strings.HasPrefix(got.Header.Get("WWW-Authenticate"), `Bearer realm="orders"`))
		got = b.ask(t, tt.method, tt.path, b.token, "Bearer "+b.box, tt.body)
		assert.Equal(t, 400, got.Status, "it is raw")
		assert.Equal(t, tt.status, b.ask(t, tt.method, tt.path, b.token, b.box, tt.body).Status, tt.path)
	}
	assert.Equal(t, 401, b.ask(t, "GET", "/orders/events", b.token, "", "").Status)
	for _, path := range []string{"/healthz", "/readyz", "/.well-known/oauth-protected-resource"} {
		assert.Equal(t, 200, b.ask(t, "GET", path, "", "", "").Status, path)
	}
	me := b.ask(t, "GET", "/me", b.token, b.box, "").Decode(t)
	assert.Equal(t, "alice", me["subject"])
	assert.Equal(t, "box-1", me["sandbox"])
}

// The events end when either token does.
func TestSandbox_events(t *testing.T) {
	t.Parallel()
	b := startBoxed(t)
	over := b.boxes.Mint(claimstest.Token{Subject: "box-1", Lifetime: nearlyOver})
	start := time.Now()
	got := b.ask(t, "GET", "/orders/events", b.token, over, "")
	assert.Equal(t, 200, got.Status)
	assert.Contains(t, got.Body, "event: order")
	assert.Less(t, time.Since(start), 30*time.Second)
}

func TestSandbox_grpc(t *testing.T) {
	t.Parallel()
	b := startBoxed(t)
	orders := b.orders(t)
	ctx := demotest.Bounded(t)
	with := func(box ...string) []string {
		pairs := []string{"authorization", "Bearer " + b.token}
		for _, token := range box {
			pairs = append(pairs, "x-sandbox-token", token)
		}
		return pairs
	}
	for _, box := range [][]string{nil, {b.token}, {"Bearer " + b.box}, {b.box, b.box}} {
		_, err := orders.GetOrder(metadata.AppendToOutgoingContext(ctx, with(box...)...), &orderspb.GetOrderRequest{Id: "1"})
		assert.Equal(t, codes.Unauthenticated, status.Code(err))
		assert.True(t, strings.HasPrefix(status.Convert(err).Message(), "sandbox: "), err)
	}
	good := metadata.AppendToOutgoingContext(ctx, with(b.box)...)
	_, err := orders.GetOrder(good, &orderspb.GetOrderRequest{Id: "1"})
	require.NoError(t, err)
	_, err = orders.CreateOrder(good, &orderspb.CreateOrderRequest{Item: "tea", Quantity: 1})
	require.NoError(t, err)
	sync, err := orders.SyncOrders(good)
	require.NoError(t, err)
	require.NoError(t, sync.Send(&orderspb.SyncOrdersRequest{Item: "tea", Quantity: 1}))
	_, err = sync.Recv()
	require.NoError(t, err)
	require.NoError(t, sync.CloseSend())

	over := b.boxes.Mint(claimstest.Token{Subject: "box-1", Lifetime: nearlyOver})
	watch, err := orders.WatchOrders(metadata.AppendToOutgoingContext(ctx, with(over)...), &orderspb.WatchOrdersRequest{})
	require.NoError(t, err)
	for err == nil {
		_, err = watch.Recv()
	}
	assert.Equal(t, codes.Unauthenticated, status.Code(err))
	assert.Equal(t, "sandbox: The access token has expired.", status.Convert(err).Message())

	answer, err := healthpb.NewHealthClient(b.Dial(t)).Check(ctx, &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	assert.Equal(t, healthpb.HealthCheckResponse_SERVING, answer.GetStatus())
}

// The service is not ready while it cannot verify the tokens of sandboxes.
func TestSandbox_notReady(t *testing.T) {
	t.Parallel()
	boxes := startIssuer(t)
	boxes.Fail(http.StatusServiceUnavailable)
	d := start(t, "-sandbox-issuer", boxes.URL())
	assert.Equal(t, 503, d.call(t, "GET", "/readyz", "", "").Status)
}

func TestSandbox_accessTable(t *testing.T) {
	t.Parallel()
	var table, errs strings.Builder
	code := main.Run(t.Context(), []string{"-access-table", "-sandbox-issuer", "https://boxes.example"}, &table, &errs)
	assert.Zero(t, code, errs.String())
	assert.Equal(t, 11, strings.Count(table.String(), `Second("sandbox", Authenticated())`), table.String())
	assert.Contains(t, table.String(), "`Public()`")

	for _, args := range [][]string{
		{"-sandbox-issuer", "ftp://boxes.example"},
		{"-sandbox-issuer", "https://issuer.example", "-issuer", "https://issuer.example"},
	} {
		errs.Reset()
		assert.Equal(t, 2, main.Run(t.Context(), args, &table, &errs))
		assert.Contains(t, errs.String(), "-sandbox-issuer")
	}
}
