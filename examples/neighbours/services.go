package neighbours

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/grpcmw"
)

// ByService has each service of one gRPC server guarded by an Interceptor of
// its own, with its own verifier, policy and audience. The keys are the full
// names of the services, such as "orders.v1.Orders". A service that is not
// there is refused.
type ByService map[string]*grpcmw.Interceptor

// ServerOptions installs them all.
func (b ByService) ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(b.unary), grpc.ChainStreamInterceptor(b.stream),
	}
}

// Audit compares each policy with its own service, and the services of the
// server with those that are guarded.
func (b ByService) Audit(server *grpc.Server) error {
	registered := server.GetServiceInfo()
	var errs []error
	for _, service := range slices.Sorted(maps.Keys(registered)) {
		if b[service] == nil {
			errs = append(errs, fmt.Errorf(
				"service %s has no Interceptor: it refuses every call", service))
			continue
		}
		errs = append(errs, b[service].Audit(only{service: registered[service]}))
	}
	for _, service := range slices.Sorted(maps.Keys(b)) {
		if _, found := registered[service]; !found {
			errs = append(errs, fmt.Errorf("service %s is not registered", service))
		}
	}
	return errors.Join(errs...)
}

// only is a part of a server.
type only map[string]grpc.ServiceInfo

func (o only) GetServiceInfo() map[string]grpc.ServiceInfo { return o }

var errNoService = status.Error(codes.PermissionDenied, "This operation is not open to callers.")

// of returns the Interceptor of a method's service.
func (b ByService) of(fullMethod string) (*grpcmw.Interceptor, error) {
	service, _, _ := strings.Cut(strings.TrimPrefix(fullMethod, "/"), "/")
	if auth := b[service]; auth != nil {
		return auth, nil
	}
	return nil, errNoService
}

func (b ByService) unary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	auth, err := b.of(info.FullMethod)
	if err != nil {
		return nil, err
	}
	return auth.Unary(ctx, req, info, handler)
}

func (b ByService) stream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	auth, err := b.of(info.FullMethod)
	if err != nil {
		return err
	}
	return auth.Stream(srv, stream, info, handler)
}
