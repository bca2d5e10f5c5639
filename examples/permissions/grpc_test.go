package main_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	"github.com/sallyport-go/sallyport/examples/permissions/permissionspb"
)

// methods are calls of every method, in a workspace that has orders.
var methods = []struct {
	name string
	call func(ctx context.Context, client permissionspb.OrdersClient, workspace string) error
}{
	{"ListOrders", listOrders}, {"WatchOrders", watchOrders}, {"ImportOrders", importOrder},
}

func listOrders(ctx context.Context, client permissionspb.OrdersClient, workspace string) error {
	_, err := client.ListOrders(ctx, &permissionspb.ListOrdersRequest{Workspace: workspace})
	return err
}

func watchOrders(ctx context.Context, client permissionspb.OrdersClient, workspace string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.WatchOrders(ctx, &permissionspb.WatchOrdersRequest{Workspace: workspace})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

func importOrder(ctx context.Context, client permissionspb.OrdersClient, workspace string) error {
	_, err := importOrders(ctx, client, workspace)
	return err
}

// importOrders sends an order for each of the workspaces.
func importOrders(
	ctx context.Context, client permissionspb.OrdersClient, workspaces ...string,
) ([]int32, error) {
	stream, err := client.ImportOrders(ctx)
	if err != nil {
		return nil, err
	}
	for _, workspace := range workspaces {
		err := stream.Send(&permissionspb.ImportOrdersRequest{
			Workspace: workspace, Item: "milk", Quantity: 1, MarginCents: 7,
		})
		if err == io.EOF { // refused: the status follows
			break
		}
		if err != nil {
			return nil, err
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetNumbers(), err
}

func TestGRPC_twoCallers(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := start(t, "-database", db.name)
		shop, office := s.caller(t, "berlin-shop"), s.caller(t, "head-office")
		stranger := permissionspb.NewOrdersClient(s.Dial(t))
		for _, method := range methods {
			ctx := demotest.Bounded(t)
			assert.NoError(t, method.call(ctx, shop.grpc, "berlin"), method.name)
			assert.NoError(t, method.call(ctx, office.grpc, "berlin"), method.name)
			assert.NoError(t, method.call(ctx, office.grpc, "paris"), method.name)
			for _, workspace := range []string{"paris", "Berlin", "berlin ", "berlin\x00", " "} {
				assertRefused(t, method.call(ctx, shop.grpc, workspace),
					codes.PermissionDenied, "PERMISSION", method.name, workspace)
			}
			// A grant that holds everywhere does not stand for a workspace.
			for _, caller := range []*caller{shop, office} {
				assertRefused(t, method.call(ctx, caller.grpc, ""),
					codes.PermissionDenied, "PERMISSION", method.name, "empty")
			}
			err := method.call(ctx, office.grpc, "berlin\x00")
			assert.Equal(t, codes.InvalidArgument, status.Code(err), "%s: %v", method.name, err)
			assertRefused(t, method.call(ctx, stranger, "berlin"),
				codes.Unauthenticated, "NO_TOKEN", method.name)
		}
	})
}

// assertRefused checks the status of a refusal.
func assertRefused(t *testing.T, err error, code codes.Code, reason string, about ...string) {
	t.Helper()
	assert.Equal(t, code, status.Code(err), "%v: %v", about, err)
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			assert.Equal(t, reason, info.GetReason(), about)
			return
		}
	}
	assert.Fail(t, "no ErrorInfo", "%v: %v", about, err)
}

func TestGRPC_whatTheMethodsDo(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := start(t, "-database", db.name)
		ctx := demotest.Bounded(t)
		shop, office := s.caller(t, "berlin-shop"), s.caller(t, "head-office")

		list, err := shop.grpc.ListOrders(ctx,
			&permissionspb.ListOrdersRequest{Workspace: "berlin", After: 1})
		require.NoError(t, err)
		require.Len(t, list.GetOrders(), 1)
		assert.Equal(t, "coffee", list.GetOrders()[0].GetItem())
		assert.Nil(t, list.GetOrders()[0].MarginCents)
		list, err = office.grpc.ListOrders(ctx,
			&permissionspb.ListOrdersRequest{Workspace: "berlin"})
		require.NoError(t, err)
		require.Len(t, list.GetOrders(), 2)
		assert.Equal(t, int32(120), list.GetOrders()[0].GetMarginCents())

		watch, err := shop.grpc.WatchOrders(ctx,
			&permissionspb.WatchOrdersRequest{Workspace: "berlin", After: 2})
		require.NoError(t, err)
		numbers, err := importOrders(ctx, shop.grpc, "berlin", "", "berlin")
		require.NoError(t, err)
		assert.Equal(t, []int32{3, 4, 5}, numbers)
		for _, number := range numbers {
			got, err := watch.Recv()
			require.NoError(t, err)
			assert.Equal(t, number, got.GetOrder().GetNumber())
			assert.Nil(t, got.GetOrder().MarginCents)
		}

		// The decision was about the workspace of the first message.
		_, err = importOrders(ctx, shop.grpc, "berlin", "paris")
		assert.Equal(t, codes.InvalidArgument, status.Code(err))
		list, err = office.grpc.ListOrders(ctx, &permissionspb.ListOrdersRequest{Workspace: "paris"})
		require.NoError(t, err)
		assert.Len(t, list.GetOrders(), 2)
		_, err = office.grpc.ListOrders(ctx,
			&permissionspb.ListOrdersRequest{Workspace: "paris", After: -1})
		assert.Equal(t, codes.InvalidArgument, status.Code(err))
	})
}

func TestGRPC_watchEndsWithTheToken(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		issuer := startIssuer(t)
		s := startFor(t, issuer, db)
		// Expired, and accepted for the rest of 30 seconds of leeway.
		token := issuer.Mint(claimstest.Token{Subject: "root", Lifetime: -29 * time.Second})
		ctx := metadata.AppendToOutgoingContext(demotest.Bounded(t), "authorization", "Bearer "+token)
		watch, err := permissionspb.NewOrdersClient(s.Dial(t)).WatchOrders(ctx,
			&permissionspb.WatchOrdersRequest{Workspace: "berlin"})
		require.NoError(t, err)
		_, err = watch.Recv()
		assertRefused(t, err, codes.Unauthenticated, "EXPIRED")
	})
}

func TestGRPC_publicServices(t *testing.T) {
	t.Parallel()
	conn := start(t).Dial(t)
	for _, service := range []string{"", "permissions.v1.Orders"} {
		got, err := healthpb.NewHealthClient(conn).Check(demotest.Bounded(t),
			&healthpb.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		assert.Equal(t, healthpb.HealthCheckResponse_SERVING, got.GetStatus())
	}
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(demotest.Bounded(t))
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}))
	got, err := stream.Recv()
	require.NoError(t, err)
	assert.Len(t, got.GetListServicesResponse().GetService(), 4)
	require.NoError(t, stream.CloseSend())
}
