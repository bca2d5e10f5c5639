package neighbours_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/neighbours"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// Two services of one server each trust an issuer of their own, and no other.
func TestByService(t *testing.T) {
	t.Parallel()
	first, firstVerifier := newVerifier(t)
	second, secondVerifier := newVerifier(t)
	policy := grpcmw.Policy{}
	for _, method := range testpb.TestService_ServiceDesc.Methods {
		policy["/grpc.testing.TestService/"+method.MethodName] = claims.Authenticated()
	}
	for _, stream := range testpb.TestService_ServiceDesc.Streams {
		policy["/grpc.testing.TestService/"+stream.StreamName] = claims.Authenticated()
	}
	auth := neighbours.ByService{
		testpb.TestService_ServiceDesc.ServiceName: newInterceptor(t, firstVerifier, policy),
		healthpb.Health_ServiceDesc.ServiceName: newInterceptor(t, secondVerifier, grpcmw.Policy{
			healthpb.Health_Check_FullMethodName: claims.Authenticated(),
			healthpb.Health_List_FullMethodName:  claims.Authenticated(),
			healthpb.Health_Watch_FullMethodName: claims.Authenticated(),
		}),
	}
	server := grpc.NewServer(auth.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, &service{})
	healthpb.RegisterHealthServer(server, health.NewServer())
	require.NoError(t, auth.Audit(server))
	testpb.RegisterLoadBalancerStatsServiceServer(server, testpb.UnimplementedLoadBalancerStatsServiceServer{})
	assert.ErrorContains(t, auth.Audit(server), "service grpc.testing.LoadBalancerStatsService has no Interceptor")
	conn := dial(t, serveGRPC(t, server), nil)
	for name, row := range map[string]struct {
		issuer      *claimstest.Issuer
		test, check codes.Code
	}{
		"the first's":  {first, codes.OK, codes.Unauthenticated},
		"the second's": {second, codes.Unauthenticated, codes.OK},
	} {
		ctx := with(t, row.issuer.Mint(claimstest.Token{Subject: "alice"}))
		_, err := testpb.NewTestServiceClient(conn).UnaryCall(ctx, &testpb.SimpleRequest{})
		assert.Equal(t, row.test, status.Code(err), name)
		stream, err := testpb.NewTestServiceClient(conn).StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		assert.Equal(t, row.test, status.Code(err), name)
		_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
		assert.Equal(t, row.check, status.Code(err), name)
		_, err = testpb.NewLoadBalancerStatsServiceClient(conn).GetClientStats(ctx, &testpb.LoadBalancerStatsRequest{})
		assert.Equal(t, codes.PermissionDenied, status.Code(err), name)
	}
}
