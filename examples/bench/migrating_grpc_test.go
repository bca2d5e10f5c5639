package bench

import (
	"context"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// What services have before, and after.

// byHand is an interceptor as many services have written one, with roles by
// method.
func byHand(parser *jwt.Parser, keys jwt.Keyfunc, scopes map[string]string) grpc.UnaryServerInterceptor {
	return func(
		ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (any, error) {
		needs, guarded := scopes[info.FullMethod]
		if !guarded {
			return handler(ctx, req) // whatever nobody has listed is open
		}
		md, _ := metadata.FromIncomingContext(ctx)
		values := md.Get("authorization")
		if len(values) == 0 {
			return nil, status.Error(codes.Unauthenticated, "missing token")
		}
		var own jwtClaims
		raw := strings.TrimPrefix(values[0], "Bearer ")
		if _, err := parser.ParseWithClaims(raw, &own, keys); err != nil {
			return nil, status.Errorf(codes.Unauthenticated, "invalid token: %v", err)
		}
		if !hasScope(own.Scope, needs) {
			return nil, status.Error(codes.PermissionDenied, "no permission")
		}
		return handler(ctx, req)
	}
}

// byMiddleware is go-grpc-middleware's.
func byMiddleware(parser *jwt.Parser, keys jwt.Keyfunc) []grpc.ServerOption {
	check := func(ctx context.Context) (context.Context, error) {
		raw, err := auth.AuthFromMD(ctx, "bearer")
		if err != nil {
			return nil, err
		}
		var own jwtClaims
		if _, err := parser.ParseWithClaims(raw, &own, keys); err != nil {
			return nil, status.Error(codes.Unauthenticated, "invalid token")
		}
		return context.WithValue(ctx, identityKey{}, own), nil
	}
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(auth.UnaryServerInterceptor(check)),
		grpc.StreamInterceptor(auth.StreamServerInterceptor(check)),
	}
}

type identityKey struct{}

// bySallyport has a policy, in which a method that is not listed is refused.
func bySallyport(verifier *claims.Verifier) (*grpc.Server, error) {
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{
			healthpb.Health_Check_FullMethodName: claims.Public(),
			healthpb.Health_List_FullMethodName:  claims.Public(),
			healthpb.Health_Watch_FullMethodName: claims.Scopes("health:watch"),
		},
	})
	if err != nil {
		return nil, err
	}
	srv := grpc.NewServer(auth.ServerOptions()...) // unary and stream together
	// … register the services …
	return srv, auth.Audit(srv) // names what is missing in the policy
}

// allOf gives each method of a service the same requirement: the default that a
// policy does not have.
func allOf(service grpc.ServiceDesc, needs claims.Requirement, policy grpcmw.Policy) {
	for _, m := range service.Methods {
		policy["/"+service.ServiceName+"/"+m.MethodName] = needs
	}
	for _, s := range service.Streams {
		policy["/"+service.ServiceName+"/"+s.StreamName] = needs
	}
}
