//go:build !race

package grpcmw_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// A call whose token was verified before costs three allocations at most, so
// that is what the interceptor adds.
func TestBudget(t *testing.T) {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	require.NoError(t, err)
	const method = "/s.S/M"
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{method: claims.Scopes("orders:read")},
	})
	require.NoError(t, err)
	served := 0
	handler := func(ctx context.Context, _ any) (any, error) {
		if caller, ok := claims.FromContext(ctx); ok && caller.Subject() == "alice" {
			served++
		}
		return nil, nil
	}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization",
		"Bearer "+issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})))
	info := &grpc.UnaryServerInfo{FullMethod: method}
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		_, _ = auth.Unary(ctx, nil, info, handler)
	}), 3.0)
	assert.Equal(t, 101, served)
}
