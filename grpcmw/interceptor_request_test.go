package grpcmw_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// What looks at a message that the method does not have is told when the policy
// is given, and not by the first caller who is refused for it.
func TestNew_requestOfAnotherType(t *testing.T) {
	t.Parallel()
	auth := verifier(t)
	on := func(needs claims.Requirement) error {
		_, err := grpcmw.New(auth, grpcmw.Config{
			Permissions: grants, Policy: grpcmw.Policy{healthpb.Health_Check_FullMethodName: needs},
		})
		return err
	}
	ask := func(service string) bool { return service == "orders" }
	require.NoError(t, on(claims.RequestFunc("message",
		func(_ context.Context, _ *claims.Claims, r *healthpb.HealthCheckRequest) (bool, error) {
			return ask(r.GetService()), nil
		})))
	type hasService interface{ GetService() string }
	require.NoError(t, on(claims.RequestFunc("interface",
		func(_ context.Context, _ *claims.Claims, r hasService) (bool, error) {
			return ask(r.GetService()), nil
		})))
	err := on(claims.AnyOf(claims.Scopes("a"), claims.InWorkspaceOf("response",
		func(*healthpb.HealthCheckResponse) string { return "" }, claims.Permissions("p"))))
	require.ErrorContains(t, err, healthpb.Health_Check_FullMethodName)
	assert.ErrorContains(t, err, `InWorkspaceOf("response", Permissions("p")) wants a *grpc_health_v1.HealthCheckResponse`)
	assert.ErrorContains(t, err, "HealthCheckRequest")
}
