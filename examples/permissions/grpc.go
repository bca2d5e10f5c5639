package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionalphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/permissions/permissionspb"
	"github.com/sallyport-go/sallyport/grpcmw"
)

const (
	maxMessage  = 64 << 10
	maxMetadata = 64 << 10

	// watchInterval is how often a watch looks for orders, which other
	// processes store as well, and whether the caller may still see them.
	watchInterval = 500 * time.Millisecond
)

var policy = grpcmw.Policy{
	permissionspb.Orders_ListOrders_FullMethodName:   inMessage(readOrders),
	permissionspb.Orders_WatchOrders_FullMethodName:  inMessage(readOrders),
	permissionspb.Orders_ImportOrders_FullMethodName: inMessage(writeOrders),

	healthpb.Health_Check_FullMethodName: claims.Public(),
	healthpb.Health_List_FullMethodName:  claims.Public(),
	healthpb.Health_Watch_FullMethodName: claims.Public(),

	reflectionpb.ServerReflection_ServerReflectionInfo_FullMethodName:      claims.Public(),
	reflectionalphapb.ServerReflection_ServerReflectionInfo_FullMethodName: claims.Public(),
}

// grpcAPI is the gRPC API.
type grpcAPI struct {
	permissionspb.UnimplementedOrdersServer
	auth     *grpcmw.Interceptor
	store    *store
	log      *slog.Logger
	stopping chan struct{} // closed when the service drains
}

// register registers the API and, for everybody, health and reflection. The
// error names methods that have no requirement.
func (a *grpcAPI) register(srv *grpc.Server) (*health.Server, error) {
	permissionspb.RegisterOrdersServer(srv, a)
	healthy := health.NewServer()
	healthy.SetServingStatus(
		permissionspb.Orders_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(srv, healthy)
	reflection.Register(srv)
	return healthy, a.auth.Audit(srv)
}

func (a *grpcAPI) ListOrders(
	ctx context.Context, in *permissionspb.ListOrdersRequest,
) (*permissionspb.ListOrdersResponse, error) {
	orders, err := a.page(ctx, in.GetWorkspace(), in.GetAfter())
	if err != nil {
		return nil, err
	}
	return &permissionspb.ListOrdersResponse{Orders: orders}, nil
}

func (a *grpcAPI) WatchOrders(
	request *permissionspb.WatchOrdersRequest,
	stream grpc.ServerStreamingServer[permissionspb.WatchOrdersResponse],
) error {
	ctx, workspace, last := stream.Context(), request.GetWorkspace(), request.GetAfter()
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		orders, err := a.page(ctx, workspace, last)
		if err != nil {
			return err
		}
		for _, o := range orders {
			if err := stream.Send(&permissionspb.WatchOrdersResponse{Order: o}); err != nil {
				return err
			}
			last = o.GetNumber()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return a.fail(ctx, ctx.Err())
		case <-a.stopping:
			return status.Error(codes.Unavailable, "the service is stopping")
		}
		// A watch can last longer than the grant.
		if err := claims.Recheck(ctx); err != nil {
			return a.auth.Refuse(ctx, err)
		}
	}
}

func (a *grpcAPI) ImportOrders(
	stream grpc.ClientStreamingServer[
		permissionspb.ImportOrdersRequest, permissionspb.ImportOrdersResponse],
) error {
	var numbers []int32
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&permissionspb.ImportOrdersResponse{Numbers: numbers})
		}
		if err != nil {
			return err
		}
		// The one of the first message, for which the caller has the
		// permission.
		workspace, _ := claims.WorkspaceFromContext(stream.Context())
		if in.GetWorkspace() != "" && in.GetWorkspace() != workspace {
			return a.fail(stream.Context(), errTwoWorkspaces)
		}
		o, err := a.store.add(stream.Context(), workspace, order{
			Item: in.GetItem(), Quantity: in.GetQuantity(),
			PriceCents: in.GetPriceCents(), MarginCents: in.GetMarginCents(),
		})
		if err != nil {
			return a.fail(stream.Context(), err)
		}
		numbers = append(numbers, o.Number)
	}
}

// page returns the orders after a number, with their margins if the caller may
// see them.
func (a *grpcAPI) page(
	ctx context.Context, workspace string, after int32,
) ([]*permissionspb.Order, error) {
	margins, err := seesMargins(ctx, workspace)
	if err != nil {
		return nil, a.auth.Refuse(ctx, err)
	}
	orders, err := a.store.orders(ctx, workspace, after)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	messages := make([]*permissionspb.Order, len(orders))
	for i, o := range orders {
		messages[i] = &permissionspb.Order{
			Number: o.Number, Item: o.Item, Quantity: o.Quantity, PriceCents: o.PriceCents,
		}
		if margins {
			messages[i].MarginCents = &o.MarginCents
		}
	}
	return messages, nil
}

// fail returns the status for an error. What a client is told of one that is
// not its own is that it can try again.
func (a *grpcAPI) fail(ctx context.Context, err error) error {
	if ctx.Err() != nil { // whatever else went wrong for that
		err = context.Cause(ctx)
	}
	var wrong invalid
	var refusal *claims.Error
	switch {
	case errors.As(err, &wrong):
		return status.Error(codes.InvalidArgument, wrong.Error())
	case errors.As(err, &refusal): // the caller's token has expired
		return a.auth.Refuse(ctx, refusal)
	case ctx.Err() != nil: // the caller has gone
		return status.FromContextError(ctx.Err()).Err()
	}
	a.log.Error("call failed", "error", err)
	return status.Error(codes.Unavailable, unavailable)
}
