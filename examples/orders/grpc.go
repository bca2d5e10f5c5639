package main

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionalphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
	"github.com/sallyport-go/sallyport/grpcmw"
)

const (
	maxMessage  = 64 << 10
	maxMetadata = 64 << 10
)

var policy = grpcmw.Policy{
	orderspb.Orders_GetOrder_FullMethodName:     claims.Scopes("orders:read"),
	orderspb.Orders_WatchOrders_FullMethodName:  claims.Scopes("orders:read"),
	orderspb.Orders_CreateOrder_FullMethodName:  claims.Scopes("orders:write"),
	orderspb.Orders_ImportOrders_FullMethodName: claims.Scopes("orders:write"),
	orderspb.Orders_SyncOrders_FullMethodName:   claims.Scopes("orders:write"),
	orderspb.Orders_DeleteOrder_FullMethodName:  claims.Scopes("orders:delete"),

	healthpb.Health_Check_FullMethodName: claims.Public(),
	healthpb.Health_List_FullMethodName:  claims.Public(),
	healthpb.Health_Watch_FullMethodName: claims.Public(),

	reflectionpb.ServerReflection_ServerReflectionInfo_FullMethodName:      claims.Public(),
	reflectionalphapb.ServerReflection_ServerReflectionInfo_FullMethodName: claims.Public(),
}

// grpcAPI is the gRPC API.
type grpcAPI struct {
	orderspb.UnimplementedOrdersServer
	auth   *grpcmw.Interceptor
	orders *store
}

func newGRPCServer(
	issuers claims.Authenticator, box *sandbox, orders *store, told *records, ended *news,
	bound *binding,
) (*grpc.Server, *health.Server, error) {
	auth, err := grpcmw.New(issuers, grpcmw.Config{
		Policy: box.policy(policy), Realm: realm, Observer: told.observe, Second: box.grpc(),
		Revocations: ended.revocations(), Resource: bound.baseURL,
	})
	if err != nil {
		return nil, nil, err
	}
	options := append(auth.ServerOptions(), bound.grpcOptions()...)
	srv := grpc.NewServer(append(options,
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxHeaderListSize(maxMetadata))...)
	orderspb.RegisterOrdersServer(srv, &grpcAPI{auth: auth, orders: orders})
	healthy := health.NewServer()
	healthy.SetServingStatus(
		orderspb.Orders_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(srv, healthy)
	reflection.Register(srv)
	return srv, healthy, auth.Audit(srv)
}

func (a *grpcAPI) GetOrder(
	_ context.Context, in *orderspb.GetOrderRequest,
) (*orderspb.GetOrderResponse, error) {
	o, err := a.orders.get(in.GetId())
	if err != nil {
		return nil, statusOf(err)
	}
	return &orderspb.GetOrderResponse{Order: message(o)}, nil
}

func (a *grpcAPI) WatchOrders(
	_ *orderspb.WatchOrdersRequest,
	stream grpc.ServerStreamingServer[orderspb.WatchOrdersResponse],
) error {
	ctx := stream.Context()
	err := a.orders.follow(ctx, 0, func(o order) error {
		return stream.Send(&orderspb.WatchOrdersResponse{Order: message(o)})
	})
	if refusal := (*claims.Error)(nil); errors.As(err, &refusal) { // the token has expired
		return a.auth.Refuse(ctx, refusal)
	}
	return statusOf(err)
}

func (a *grpcAPI) CreateOrder(
	_ context.Context, in *orderspb.CreateOrderRequest,
) (*orderspb.CreateOrderResponse, error) {
	o, err := a.orders.add(in.GetItem(), in.GetQuantity())
	if err != nil {
		return nil, statusOf(err)
	}
	return &orderspb.CreateOrderResponse{Order: message(o)}, nil
}

func (a *grpcAPI) ImportOrders(
	stream grpc.ClientStreamingServer[orderspb.ImportOrdersRequest, orderspb.ImportOrdersResponse],
) error {
	var ids []string
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&orderspb.ImportOrdersResponse{Ids: ids})
		}
		if err != nil {
			return err
		}
		o, err := a.orders.add(in.GetItem(), in.GetQuantity())
		if err != nil {
			return statusOf(err)
		}
		ids = append(ids, o.ID)
	}
}

func (a *grpcAPI) SyncOrders(
	stream grpc.BidiStreamingServer[orderspb.SyncOrdersRequest, orderspb.SyncOrdersResponse],
) error {
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := a.orders.add(in.GetItem(), in.GetQuantity())
		if err != nil {
			return statusOf(err)
		}
		if err := stream.Send(&orderspb.SyncOrdersResponse{Order: message(o)}); err != nil {
			return err
		}
	}
}

func (a *grpcAPI) DeleteOrder(
	_ context.Context, in *orderspb.DeleteOrderRequest,
) (*orderspb.DeleteOrderResponse, error) {
	if err := a.orders.remove(in.GetId()); err != nil {
		return nil, statusOf(err)
	}
	return &orderspb.DeleteOrderResponse{}, nil
}

func message(o order) *orderspb.Order {
	return &orderspb.Order{
		Id: o.ID, Item: o.Item, Quantity: o.Quantity, CreatedAt: timestamppb.New(o.CreatedAt),
	}
}

// statusOf gives the store's errors their codes, and leaves others alone.
func statusOf(err error) error {
	for known, code := range map[error]codes.Code{
		errInvalidOrder: codes.InvalidArgument,
		errNotFound:     codes.NotFound,
		errStoreFull:    codes.ResourceExhausted,
		errStopping:     codes.Unavailable,
	} {
		if errors.Is(err, known) {
			return status.Error(code, known.Error())
		}
	}
	return err
}
