package main_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

// methods are calls of every method, and their needs. Each returns the header
// of the response.
var methods = []struct {
	name, scope string
	call        func(context.Context, orderspb.OrdersClient) (metadata.MD, error)
}{
	{
		"GetOrder", "orders:read",
		func(ctx context.Context, client orderspb.OrdersClient) (header metadata.MD, err error) {
			_, err = client.GetOrder(ctx, &orderspb.GetOrderRequest{Id: "1"},
				grpc.Header(&header))
			return header, err
		},
	},
	{
		"WatchOrders, a server stream", "orders:read",
		func(ctx context.Context, client orderspb.OrdersClient) (metadata.MD, error) {
			stream, err := client.WatchOrders(ctx, &orderspb.WatchOrdersRequest{})
			if err != nil {
				return nil, err
			}
			if _, err = stream.Recv(); err == nil {
				return nil, nil
			}
			return headerOf(stream), err
		},
	},
	{
		"CreateOrder", "orders:write",
		func(ctx context.Context, client orderspb.OrdersClient) (header metadata.MD, err error) {
			_, err = client.CreateOrder(ctx, &orderspb.CreateOrderRequest{Item: "tea", Quantity: 1},
				grpc.Header(&header))
			return header, err
		},
	},
	{
		"ImportOrders, a client stream", "orders:write",
		func(ctx context.Context, client orderspb.OrdersClient) (metadata.MD, error) {
			stream, err := client.ImportOrders(ctx)
			if err != nil {
				return nil, err
			}
			// io.EOF where the call has been refused: the status follows.
			err = stream.Send(&orderspb.ImportOrdersRequest{Item: "tea", Quantity: 1})
			if err != nil && err != io.EOF {
				return nil, err
			}
			_, err = stream.CloseAndRecv()
			return headerOf(stream), err
		},
	},
	{
		"SyncOrders, a bidirectional stream", "orders:write",
		func(ctx context.Context, client orderspb.OrdersClient) (metadata.MD, error) {
			stream, err := client.SyncOrders(ctx)
			if err != nil {
				return nil, err
			}
			err = stream.Send(&orderspb.SyncOrdersRequest{Item: "tea", Quantity: 1})
			if err != nil && err != io.EOF {
				return nil, err
			}
			if _, err = stream.Recv(); err == nil {
				return nil, stream.CloseSend()
			}
			return headerOf(stream), err
		},
	},
	{
		"DeleteOrder", "orders:delete",
		func(ctx context.Context, client orderspb.OrdersClient) (header metadata.MD, err error) {
			_, err = client.DeleteOrder(ctx, &orderspb.DeleteOrderRequest{Id: "1"},
				grpc.Header(&header))
			return header, err
		},
	},
}

func headerOf(stream grpc.ClientStream) metadata.MD {
	header, _ := stream.Header()
	return header
}

func TestGRPC_refusals(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	client := d.orders(t)
	t.Run("all", func(t *testing.T) { // returns when they have run
		for _, method := range methods {
			t.Run(method.name, func(t *testing.T) {
				t.Parallel()
				good := claimstest.Token{Subject: "alice", Scope: method.scope}

				header, err := method.call(t.Context(), client)
				assertRefused(t, err, codes.Unauthenticated, "NO_TOKEN")
				assert.Equal(t, []string{`Bearer realm="orders", scope="` + method.scope + `"`},
					header.Get("www-authenticate"))

				for _, fault := range faults {
					header, err := method.call(withToken(t, fault.token(issuer, good)), client)
					assertRefused(t, err, codes.Unauthenticated, strings.ToUpper(fault.reason))
					assert.Equal(t, fault.description, status.Convert(err).Message())
					assert.Equal(t, []string{fault.challenge(method.scope)},
						header.Get("www-authenticate"))
				}

				another := claimstest.Token{Scope: method.scope + "s"}
				header, err = method.call(withToken(t, issuer.Mint(another)), client)
				info := assertRefused(t, err, codes.PermissionDenied, "SCOPE")
				assert.Equal(t, method.scope, info.GetMetadata()["scope"])
				assert.Equal(t, []string{scopeChallenge(method.scope)},
					header.Get("www-authenticate"))
			})
		}
	})
	// No refusal has reached a handler.
	got := d.call(t, "GET", "/orders", issuer.Mint(claimstest.Token{Scope: "orders:read"}), "")
	assert.Len(t, got.Decode(t)["orders"], 2)
}

// assertRefused checks the status of a refusal, and returns its ErrorInfo.
func assertRefused(t *testing.T, err error, code codes.Code, reason string) *errdetails.ErrorInfo {
	t.Helper()
	assert.Equal(t, code, status.Code(err), "%v", err)
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			assert.Equal(t, reason, info.GetReason())
			assert.Equal(t, "sallyport", info.GetDomain())
			return info
		}
	}
	require.Fail(t, "no ErrorInfo", "%v", err)
	return nil
}

// withToken returns a context for calls with the token.
func withToken(t *testing.T, token string) context.Context {
	t.Helper()
	return metadata.AppendToOutgoingContext(demotest.Bounded(t), "authorization", "Bearer "+token)
}

// The OAuth client gets a token by itself before each call that needs one.
func TestGRPC_oauthClient(t *testing.T) {
	t.Parallel()
	d := start(t)
	tokens := oauthTokens{(&clientcredentials.Config{
		ClientID: "orders-admin", ClientSecret: "admin-secret", TokenURL: d.Issuer + "/token",
	}).TokenSource(t.Context())}
	client := orderspb.NewOrdersClient(d.Dial(t, grpc.WithPerRPCCredentials(tokens)))
	for _, method := range methods {
		_, err := method.call(t.Context(), client)
		assert.NoError(t, err, method.name)
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

func TestGRPC_whatTheMethodsDo(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	client := d.orders(t)
	ctx := withToken(t, issuer.Mint(claimstest.Token{
		Scope: "orders:read orders:write orders:delete",
	}))

	watch, err := client.WatchOrders(ctx, &orderspb.WatchOrdersRequest{})
	require.NoError(t, err)
	seen := func() string {
		t.Helper()
		got, err := watch.Recv()
		require.NoError(t, err)
		return got.GetOrder().GetItem()
	}
	assert.Equal(t, "tea", seen())
	assert.Equal(t, "coffee", seen())

	imports, err := client.ImportOrders(ctx)
	require.NoError(t, err)
	for _, item := range []string{"milk", "sugar"} {
		require.NoError(t, imports.Send(&orderspb.ImportOrdersRequest{Item: item, Quantity: 1}))
	}
	imported, err := imports.CloseAndRecv()
	require.NoError(t, err)
	assert.Equal(t, []string{"3", "4"}, imported.GetIds())
	assert.Equal(t, "milk", seen())
	assert.Equal(t, "sugar", seen())

	sync, err := client.SyncOrders(ctx)
	require.NoError(t, err)
	for _, id := range []string{"5", "6"} {
		require.NoError(t, sync.Send(&orderspb.SyncOrdersRequest{Item: "cocoa", Quantity: 7}))
		synced, err := sync.Recv()
		require.NoError(t, err)
		assert.Equal(t, id, synced.GetOrder().GetId())
		assert.Equal(t, int32(7), synced.GetOrder().GetQuantity())
		assert.WithinDuration(t, time.Now(), synced.GetOrder().GetCreatedAt().AsTime(), time.Minute)
	}
	require.NoError(t, sync.CloseSend())
	_, err = sync.Recv()
	require.Equal(t, io.EOF, err)

	_, err = client.CreateOrder(ctx, &orderspb.CreateOrderRequest{Item: "tea"})
	assert.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = client.DeleteOrder(ctx, &orderspb.DeleteOrderRequest{Id: "5"})
	assert.NoError(t, err)
	_, err = client.DeleteOrder(ctx, &orderspb.DeleteOrderRequest{Id: "5"})
	assert.Equal(t, codes.NotFound, status.Code(err))
	_, err = client.GetOrder(ctx, &orderspb.GetOrderRequest{Id: "5"})
	assert.Equal(t, codes.NotFound, status.Code(err))

	imports, err = client.ImportOrders(ctx)
	require.NoError(t, err)
	for err == nil { // until the store is full
		err = imports.Send(&orderspb.ImportOrdersRequest{Item: "milk", Quantity: 1})
	}
	_, err = imports.CloseAndRecv()
	assert.Equal(t, codes.ResourceExhausted, status.Code(err))
}

func TestGRPC_watchEndsWithTheToken(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	started := time.Now()
	ctx := withToken(t, issuer.Mint(claimstest.Token{
		Scope: "orders:read", Lifetime: nearlyOver,
	}))
	client := d.orders(t)
	_, err := client.GetOrder(ctx, &orderspb.GetOrderRequest{Id: "1"})
	require.NoError(t, err, "within the leeway")
	watch, err := client.WatchOrders(ctx, &orderspb.WatchOrdersRequest{})
	require.NoError(t, err)
	for range 2 {
		_, err = watch.Recv()
		require.NoError(t, err)
	}
	_, err = watch.Recv()
	assert.Greater(t, time.Since(started), 3*time.Second, "not at once")
	info := assertRefused(t, err, codes.Unauthenticated, "EXPIRED")
	assert.Contains(t, info.GetMetadata()["www-authenticate"], `error="invalid_token"`, "the header has gone")
}

func TestGRPC_publicServices(t *testing.T) {
	t.Parallel()
	conn := start(t).Dial(t)
	for _, service := range []string{"", "orders.v1.Orders"} {
		got, err := healthpb.NewHealthClient(conn).Check(t.Context(),
			&healthpb.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		assert.Equal(t, healthpb.HealthCheckResponse_SERVING, got.GetStatus())
	}

	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}))
	got, err := stream.Recv()
	require.NoError(t, err)
	var names []string
	for _, service := range got.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	assert.Contains(t, names, "orders.v1.Orders")
	require.NoError(t, stream.CloseSend())
}
