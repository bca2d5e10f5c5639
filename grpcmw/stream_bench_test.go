package grpcmw_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// BenchmarkStream is what a guard costs: of opening a stream and ending it, and
// of one message each way, through a real server and without one.
func BenchmarkStream(b *testing.B) {
	issuer := claimstest.Start(b, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(b, err)
	const method = "/bench.Service/Bidi"
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{method: claims.Authenticated()}})
	require.NoError(b, err)
	token := "Bearer " + issuer.Mint(claimstest.Token{Subject: "alice"})
	info := &grpc.StreamServerInfo{FullMethod: method}
	incoming := metadata.NewIncomingContext(b.Context(), metadata.Pairs("authorization", token))
	for _, guarded := range []bool{false, true} {
		name, options := "bare", []grpc.ServerOption(nil)
		call := func(handler grpc.StreamHandler) error { return handler(nil, &pipe{ctx: incoming}) }
		if guarded {
			name, options = "guarded", auth.ServerOptions()
			call = func(handler grpc.StreamHandler) error {
				return auth.Stream(nil, &pipe{ctx: incoming}, info, handler)
			}
		}
		b.Run("open/alone/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = call(func(any, grpc.ServerStream) error { return nil })
			}
		})
		b.Run("message/alone/"+name, func(b *testing.B) {
			b.ReportAllocs()
			_ = call(func(_ any, stream grpc.ServerStream) error {
				for b.Loop() {
					_ = stream.RecvMsg(nil)
					_ = stream.SendMsg(nil)
				}
				return nil
			})
		})
		server := grpc.NewServer(options...)
		server.RegisterService(kindsOf("bench.Service", &seen{}, func(_ any, stream grpc.ServerStream) error {
			in := &wrapperspb.StringValue{}
			for {
				if err := stream.RecvMsg(in); err != nil {
					return nil // the client has enough
				}
				if err := stream.SendMsg(in); err != nil {
					return err
				}
			}
		}), nil)
		address, _ := native(b, server)
		conn := dial(b, address)
		open := func(ctx context.Context) grpc.ClientStream {
			stream, err := conn.NewStream(ctx, &streamKinds[2], method)
			require.NoError(b, err)
			return stream
		}
		ctx := withAuthorization(b.Context(), []string{token})
		b.Run("open/served/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stream := open(ctx)
				_ = stream.CloseSend()
				_ = stream.RecvMsg(&wrapperspb.StringValue{})
			}
		})
		b.Run("message/served/"+name, func(b *testing.B) {
			b.ReportAllocs()
			stream, message := open(ctx), wrapperspb.String("x")
			for b.Loop() {
				_ = stream.SendMsg(message)
				require.NoError(b, stream.RecvMsg(message))
			}
		})
	}
}
