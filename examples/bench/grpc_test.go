package bench

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

const grpcMethod = "/orders.v1.Orders/GetOrder"

// BenchmarkGRPC measures a unary call from its context on, without network and
// decoding, to a handler that asks who the caller is.
func BenchmarkGRPC(b *testing.B) {
	w := newWorld(b)
	benchmarkStacks(b, w, grpcStacks(b, w))
}

func TestGRPC(t *testing.T) {
	w := newWorld(t)
	testStacks(t, w, grpcStacks(t, w))
}

func grpcStacks(tb testing.TB, w *world) []stack {
	tb.Helper()
	none := func(
		ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (any, error) {
		return handler(ctx, req)
	}
	anybody := func(context.Context) string { return subject }
	stacks := []stack{newGRPCStack(tb, "impl=none", anybody, none)}
	for _, a := range authenticators(tb, w) {
		guard, err := grpcmw.New(a.auth, grpcmw.Config{
			Policy: grpcmw.Policy{grpcMethod: claims.Scopes(requiredScope)},
		})
		if err != nil {
			tb.Fatal(err)
		}
		name := "impl=sallyport/token=" + a.name
		stacks = append(stacks, newGRPCStack(tb, name, sallyportSubject, guard.Unary))
	}
	return stacks
}

// newGRPCStack puts guard in front of a handler that finds its caller by
// subjectOf. The stack is for one goroutine.
func newGRPCStack(
	tb testing.TB, name string, subjectOf func(context.Context) string,
	guard grpc.UnaryServerInterceptor,
) stack {
	tb.Helper()
	served := false
	handler := func(ctx context.Context, _ any) (any, error) {
		served = subjectOf(ctx) == subject
		return nil, nil
	}
	info := &grpc.UnaryServerInfo{FullMethod: grpcMethod}
	// As a server has it of an ordinary client.
	md := metadata.Pairs(
		":authority", "orders.example", "content-type", "application/grpc",
		"user-agent", "grpc-go/1.84.0", "authorization", "")
	ctx := metadata.NewIncomingContext(tb.Context(), md)
	return stack{name, func(token string) func() bool {
		md["authorization"][0] = "Bearer " + token
		return func() bool {
			served = false
			_, err := guard(ctx, nil, info, handler)
			return served && err == nil
		}
	}}
}
