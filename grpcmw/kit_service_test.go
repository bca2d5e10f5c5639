package grpcmw_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// service is a spy: it counts how often a handler was reached, and answers with
// the caller that its context carries.
type service struct {
	testpb.UnimplementedTestServiceServer
	reached atomic.Int32
	refuse  func(ctx context.Context) error // for UnaryCall, unless nil
}

func (s *service) caller(ctx context.Context) *testpb.Payload {
	s.reached.Add(1)
	caller, ok := claims.FromContext(ctx)
	if !ok {
		return &testpb.Payload{Body: []byte("nobody")}
	}
	return &testpb.Payload{Body: []byte(caller.Subject())}
}

func (s *service) EmptyCall(ctx context.Context, _ *testpb.Empty) (*testpb.Empty, error) {
	s.caller(ctx)
	return &testpb.Empty{}, nil
}

func (s *service) UnaryCall(
	ctx context.Context, _ *testpb.SimpleRequest,
) (*testpb.SimpleResponse, error) {
	caller := s.caller(ctx)
	if s.refuse != nil {
		return nil, s.refuse(ctx)
	}
	return &testpb.SimpleResponse{Payload: caller}, nil
}

func (s *service) StreamingOutputCall(
	_ *testpb.StreamingOutputCallRequest,
	stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse],
) error {
	return stream.Send(&testpb.StreamingOutputCallResponse{Payload: s.caller(stream.Context())})
}

func (s *service) StreamingInputCall(
	stream grpc.ClientStreamingServer[
		testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse],
) error {
	size := len(s.caller(stream.Context()).Body)
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return stream.SendAndClose(&testpb.StreamingInputCallResponse{
				AggregatedPayloadSize: int32(size),
			})
		} else if err != nil {
			return err
		}
	}
}

func (s *service) FullDuplexCall(
	stream grpc.BidiStreamingServer[
		testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse],
) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return stream.Send(&testpb.StreamingOutputCallResponse{Payload: s.caller(stream.Context())})
}

// calls are the four kinds of method. Each returns the subject that the handler
// saw, as far as its answer can hold it.
var calls = map[string]func(
	context.Context, testpb.TestServiceClient, ...grpc.CallOption,
) (string, error){
	"unary": func(
		ctx context.Context, c testpb.TestServiceClient, o ...grpc.CallOption,
	) (string, error) {
		got, err := c.UnaryCall(ctx, &testpb.SimpleRequest{}, o...)
		return string(got.GetPayload().GetBody()), err
	},
	"server stream": func(
		ctx context.Context, c testpb.TestServiceClient, o ...grpc.CallOption,
	) (string, error) {
		stream, err := c.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{}, o...)
		if err != nil {
			return "", err
		}
		got, err := stream.Recv()
		if err != nil {
			return "", err
		}
		_, err = stream.Recv()
		return string(got.GetPayload().GetBody()), eofIsFine(err)
	},
	"client stream": func(
		ctx context.Context, c testpb.TestServiceClient, o ...grpc.CallOption,
	) (string, error) {
		stream, err := c.StreamingInputCall(ctx, o...)
		if err != nil {
			return "", err
		}
		// A refusal may have ended the stream: CloseAndRecv tells.
		_ = stream.Send(&testpb.StreamingInputCallRequest{})
		got, err := stream.CloseAndRecv()
		return strings.Repeat("?", int(got.GetAggregatedPayloadSize())), err
	},
	"bidi stream": func(
		ctx context.Context, c testpb.TestServiceClient, o ...grpc.CallOption,
	) (string, error) {
		stream, err := c.FullDuplexCall(ctx, o...)
		if err != nil {
			return "", err
		}
		_ = stream.Send(&testpb.StreamingOutputCallRequest{})
		got, err := stream.Recv()
		if err != nil {
			return "", err
		}
		_, err = stream.Recv()
		return string(got.GetPayload().GetBody()), eofIsFine(err)
	},
}

func eofIsFine(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// everything is a policy that needs the same of every method of the service.
func everything(needs claims.Requirement) grpcmw.Policy {
	policy := grpcmw.Policy{}
	for _, desc := range testpb.TestService_ServiceDesc.Methods {
		policy["/grpc.testing.TestService/"+desc.MethodName] = needs
	}
	for _, desc := range testpb.TestService_ServiceDesc.Streams {
		policy["/grpc.testing.TestService/"+desc.StreamName] = needs
	}
	return policy
}

// serve starts a real server on loopback and returns a client of it.
func serve(t testing.TB, auth *grpcmw.Interceptor, s *service) testpb.TestServiceClient {
	t.Helper()
	server := grpc.NewServer(auth.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, s)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), scanning(t))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, conn.Close())
		server.Stop()
		assert.NoError(t, <-done)
	})
	return testpb.NewTestServiceClient(conn)
}

func guard(
	t testing.TB, policy grpcmw.Policy,
) (*claimstest.Issuer, *grpcmw.Interceptor) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    issuer.URL(),
		Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	return issuer, auth
}

func withAuthorization(ctx context.Context, values []string) context.Context {
	for _, value := range values {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", value)
	}
	return ctx
}

func details(t testing.TB, s *status.Status) (*errdetails.ErrorInfo, *errdetails.RetryInfo) {
	t.Helper()
	var info *errdetails.ErrorInfo
	var retry *errdetails.RetryInfo
	for _, detail := range s.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			info = detail
		case *errdetails.RetryInfo:
			retry = detail
		default:
			t.Errorf("unexpected detail %v", detail)
		}
	}
	require.NotNil(t, info)
	return info, retry
}

// outOfOrder is a claims.KeySource that has no keys for a minute.
type outOfOrder struct{}

func (outOfOrder) Lookup(context.Context, string, string) ([]*jwks.Key, error) {
	return nil, &jwks.UnavailableError{RetryAfter: time.Minute}
}

func verifier(t testing.TB) *claims.Verifier {
	t.Helper()
	v, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	require.NoError(t, err)
	return v
}
