package grpcmw_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// registered is a server that has these methods.
type registered []string

func (r registered) GetServiceInfo() map[string]grpc.ServiceInfo {
	services := map[string]grpc.ServiceInfo{}
	for _, full := range r {
		service, method, _ := strings.Cut(full[1:], "/")
		info := services[service]
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: method})
		services[service] = info
	}
	return services
}

// audit returns what Audit says about entries that are no methods.
func audit(t *testing.T, server registered, entries ...string) []string {
	t.Helper()
	policy := grpcmw.Policy{}
	for _, method := range append(entries, server...) {
		policy[method] = claims.Authenticated()
	}
	auth, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	err = auth.Audit(server)
	require.Error(t, err)
	return strings.Split(err.Error(), "\n")
}

func TestAudit_namesTheNearestMethod(t *testing.T) {
	t.Parallel()
	server := registered{"/orders.v1.Orders/GetOrder", "/orders.v1.Orders/DeleteOrder"}
	assert.Equal(t, []string{
		"grpcmw: the policy lists /orders.v1.Orders/GetOrdr, which is no method of the server " +
			"(did you mean /orders.v1.Orders/GetOrder?)",
		"grpcmw: the policy lists /x.Y/Pay, which is no method of the server",
	}, audit(t, server, "/orders.v1.Orders/GetOrdr", "/x.Y/Pay"))
}

// Of methods that are as near, it is the first by name, each time.
func TestAudit_nearestMethodIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	var server registered
	for c := 'z'; c >= 'b'; c-- {
		server = append(server, "/s.Service/Get"+string(c))
	}
	for range 20 {
		assert.Equal(t, []string{"grpcmw: the policy lists /s.Service/Geta, " +
			"which is no method of the server (did you mean /s.Service/Getb?)"},
			audit(t, server, "/s.Service/Geta"))
	}
}

// Nobody waits for suggestions about a policy that is for another server.
func TestAudit_boundsSuggestions(t *testing.T) {
	t.Parallel()
	var server registered
	var entries []string
	for i := range 1000 {
		server = append(server, fmt.Sprintf("/s.Service/Method%04d", i))
		entries = append(entries, fmt.Sprintf("/s.Servic/Method%04d", i))
	}
	lines := audit(t, server, entries...)
	require.Len(t, lines, len(entries))
	suggested := 0
	for _, line := range lines {
		if strings.Contains(line, "did you mean") {
			suggested++
		}
	}
	assert.Equal(t, 32, suggested)
	assert.Contains(t, lines[31], "(did you mean /s.Service/Method0031?)")
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
