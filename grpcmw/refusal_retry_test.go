package grpcmw_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// A client that retries what is unavailable waits as long as it is told.
func TestRefuse_retryPushback(t *testing.T) {
	t.Parallel()
	issuer, verifier := matrixVerifier(t)
	var asked atomic.Int32
	once := claims.Func("once", func(context.Context, *claims.Claims) (bool, error) {
		if asked.Add(1) == 1 {
			return false, errOwn
		}
		return true, nil
	})
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: everything(once)})
	require.NoError(t, err)
	server := grpc.NewServer(auth.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, &service{})
	address, _ := native(t, server)
	client := testpb.NewTestServiceClient(dial(t, address, grpc.WithDefaultServiceConfig(`{"methodConfig": [{
		"name": [{}], "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.001s", "maxBackoff": "0.001s",
		"backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`)))
	ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
	start := time.Now()
	_, err = client.UnaryCall(ctx, &testpb.SimpleRequest{})
	require.NoError(t, err)
	assert.EqualValues(t, 2, asked.Load())
	assert.GreaterOrEqual(t, time.Since(start), time.Second)
}
