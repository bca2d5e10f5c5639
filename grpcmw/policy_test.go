package grpcmw_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

func verifier(t testing.TB) *claims.Verifier {
	t.Helper()
	v, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	require.NoError(t, err)
	return v
}

func TestNew_reportsEverything(t *testing.T) {
	t.Parallel()
	_, err := grpcmw.New(nil, grpcmw.Config{Policy: grpcmw.Policy{
		"orders.v1.Orders/GetOrder":  claims.Authenticated(),
		"/orders.v1.Orders":          claims.Authenticated(),
		"/orders.v1.Orders/*":        claims.Authenticated(),
		"/orders.v1.Orders/a/b":      claims.Authenticated(),
		"//GetOrder":                 claims.Authenticated(),
		"/orders.v1.Orders/":         claims.Authenticated(),
		"":                           claims.Authenticated(),
		"/orders.v1.Orders/GetOrder": claims.Scopes(),
	}})
	require.Error(t, err)
	for _, want := range []string{
		`"orders.v1.Orders/GetOrder" is not a full method name`,
		`"/orders.v1.Orders" is not a full method name`,
		`"/orders.v1.Orders/*" is not a full method name`,
		`"/orders.v1.Orders/a/b" is not a full method name`,
		`"//GetOrder" is not a full method name`,
		`"/orders.v1.Orders/" is not a full method name`,
		`"" is not a full method name`,
		`/orders.v1.Orders/GetOrder: claims: Scopes needs at least one scope`,
		`New: auth is nil`,
	} {
		assert.ErrorContains(t, err, want)
	}

	_, err = grpcmw.New((*claims.Verifier)(nil), grpcmw.Config{Policy: grpcmw.Policy{
		"/orders.v1.Orders/GetOrder": claims.Authenticated(),
	}})
	assert.ErrorContains(t, err, "New: auth is a nil pointer")

	_, err = grpcmw.New(verifier(t), grpcmw.Config{})
	assert.ErrorContains(t, err, "Policy is empty")
}

func TestNew_copiesThePolicy(t *testing.T) {
	t.Parallel()
	policy := everything(claims.Authenticated())
	auth, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	server := grpc.NewServer()
	testpb.RegisterTestServiceServer(server, &service{})
	clear(policy)
	assert.NoError(t, auth.Audit(server))
}

func TestAudit(t *testing.T) {
	t.Parallel()
	policy := everything(claims.Authenticated())
	delete(policy, testpb.TestService_UnaryCall_FullMethodName)
	delete(policy, testpb.TestService_FullDuplexCall_FullMethodName)
	policy["/grpc.testing.TestService/UnaryCal"] = claims.Authenticated()
	auth, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	server := grpc.NewServer()
	testpb.RegisterTestServiceServer(server, &service{})

	err = auth.Audit(server)
	require.Error(t, err)
	assert.Equal(t, "grpcmw: method /grpc.testing.TestService/FullDuplexCall has no entry "+
		"in the policy: it refuses every call\n"+
		"grpcmw: method /grpc.testing.TestService/UnaryCall has no entry "+
		"in the policy: it refuses every call\n"+
		"grpcmw: the policy lists /grpc.testing.TestService/UnaryCal, "+
		"which is no method of the server "+
		"(did you mean /grpc.testing.TestService/UnaryCall?)", err.Error())

	healthpb.RegisterHealthServer(server, healthpb.UnimplementedHealthServer{})
	assert.ErrorContains(t, auth.Audit(server), healthpb.Health_Watch_FullMethodName)
}
