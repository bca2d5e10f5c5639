package connectmw_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw/connectmw"
)

const (
	unary   = testpb.TestService_UnaryCall_FullMethodName
	output  = testpb.TestService_StreamingOutputCall_FullMethodName
	input   = testpb.TestService_StreamingInputCall_FullMethodName
	duplex  = testpb.TestService_FullDuplexCall_FullMethodName
	timeout = 20 * time.Second // for what takes no time unless it fails
)

var procedures = []string{unary, output, input, duplex}

func everything(needs claims.Requirement) connectmw.Policy {
	policy := connectmw.Policy{}
	for _, procedure := range procedures {
		policy[procedure] = needs
	}
	return policy
}

// service answers with the subject of the caller, in streams once the client
// has said all that it has.
type service struct {
	reached atomic.Int32
	refuse  func(ctx context.Context) error
	during  func(ctx context.Context, stream *bidi) error // instead of duplex
}

type (
	bidi    = connect.BidiStream[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]
	request = connect.Request[testpb.SimpleRequest]
)

func (s *service) caller(ctx context.Context) (*testpb.Payload, error) {
	s.reached.Add(1)
	if s.refuse != nil {
		return nil, s.refuse(ctx)
	}
	caller, ok := claims.FromContext(ctx)
	if !ok {
		return &testpb.Payload{Body: []byte("nobody")}, nil
	}
	return &testpb.Payload{Body: []byte(caller.Subject())}, nil
}

// handler returns the handlers of the service, as generated code makes them.
func (s *service) handler(options ...connect.HandlerOption) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(unary, connect.NewUnaryHandler(unary, func(
		ctx context.Context, _ *request,
	) (*connect.Response[testpb.SimpleResponse], error) {
		payload, err := s.caller(ctx)
		if err != nil {
			return nil, err
		}
		return connect.NewResponse(&testpb.SimpleResponse{Payload: payload}), nil
	}, append(options, connect.WithIdempotency(connect.IdempotencyNoSideEffects))...))
	mux.Handle(output, connect.NewServerStreamHandler(output, func(
		ctx context.Context, _ *connect.Request[testpb.StreamingOutputCallRequest],
		stream *connect.ServerStream[testpb.StreamingOutputCallResponse],
	) error {
		payload, err := s.caller(ctx)
		if err != nil {
			return err
		}
		return stream.Send(&testpb.StreamingOutputCallResponse{Payload: payload})
	}, options...))
	mux.Handle(input, connect.NewClientStreamHandler(input, func(
		ctx context.Context, stream *connect.ClientStream[testpb.StreamingInputCallRequest],
	) (*connect.Response[testpb.StreamingInputCallResponse], error) {
		for stream.Receive() {
		}
		if err := stream.Err(); err != nil {
			return nil, err
		}
		payload, err := s.caller(ctx)
		if err != nil {
			return nil, err
		}
		return connect.NewResponse(&testpb.StreamingInputCallResponse{
			AggregatedPayloadSize: int32(len(payload.GetBody())),
		}), nil
	}, options...))
	mux.Handle(duplex, connect.NewBidiStreamHandler(duplex, func(ctx context.Context, stream *bidi) error {
		if s.during != nil {
			s.reached.Add(1)
			return s.during(ctx, stream)
		}
		for {
			if _, err := stream.Receive(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return err
			}
		}
		payload, err := s.caller(ctx)
		if err != nil {
			return err
		}
		return stream.Send(&testpb.StreamingOutputCallResponse{Payload: payload})
	}, options...))
	return mux
}

// start serves a handler over HTTP/2.
func start(t testing.TB, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// protocols are those that a client can speak.
var protocols = map[string][]connect.ClientOption{
	"Connect":      nil,
	"Connect JSON": {connect.WithProtoJSON()},
	"gRPC":         {connect.WithGRPC()},
	"gRPC-Web":     {connect.WithGRPCWeb()},
}

// reply is what a client gets.
type reply struct {
	subject string
	header  http.Header
	err     *connect.Error // nil if none
}

// ask calls a procedure with the Authorization fields given.
func ask(
	t testing.TB, server *httptest.Server, procedure string, options []connect.ClientOption, authorization ...string,
) (got reply) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	url := server.URL + procedure
	var err error
	switch procedure {
	case output:
		req := connect.NewRequest(&testpb.StreamingOutputCallRequest{})
		req.Header()["Authorization"] = authorization
		client := connect.NewClient[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse](server.Client(), url, options...)
		var stream *connect.ServerStreamForClient[testpb.StreamingOutputCallResponse]
		if stream, err = client.CallServerStream(ctx, req); err == nil {
			for stream.Receive() {
				got.subject = string(stream.Msg().GetPayload().GetBody())
			}
			got.header, err = stream.ResponseHeader(), stream.Err()
		}
	case input:
		client := connect.NewClient[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse](server.Client(), url, options...)
		stream := client.CallClientStream(ctx)
		stream.RequestHeader()["Authorization"] = authorization
		_ = stream.Send(&testpb.StreamingInputCallRequest{})
		var resp *connect.Response[testpb.StreamingInputCallResponse]
		if resp, err = stream.CloseAndReceive(); err == nil {
			got.subject = "alice"[:resp.Msg.GetAggregatedPayloadSize()]
		}
	case duplex:
		client := connect.NewClient[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse](server.Client(), url, options...)
		stream := client.CallBidiStream(ctx)
		stream.RequestHeader()["Authorization"] = authorization
		_ = stream.Send(&testpb.StreamingOutputCallRequest{})
		_ = stream.CloseRequest()
		for {
			var resp *testpb.StreamingOutputCallResponse
			if resp, err = stream.Receive(); err != nil {
				break
			}
			got.subject = string(resp.GetPayload().GetBody())
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		got.header = stream.ResponseHeader()
	default:
		req := connect.NewRequest(&testpb.SimpleRequest{})
		req.Header()["Authorization"] = authorization
		client := connect.NewClient[testpb.SimpleRequest, testpb.SimpleResponse](server.Client(), url, options...)
		var resp *connect.Response[testpb.SimpleResponse]
		if resp, err = client.CallUnary(ctx, req); err == nil {
			got.subject = string(resp.Msg.GetPayload().GetBody())
		}
	}
	if err != nil {
		require.ErrorAs(t, err, &got.err)
		if got.header == nil {
			got.header = got.err.Meta()
		}
	}
	return got
}

// details returns those of an error.
func details(t testing.TB, err *connect.Error) (info *errdetails.ErrorInfo, retry *errdetails.RetryInfo) {
	t.Helper()
	for _, detail := range err.Details() {
		message, err := detail.Value()
		require.NoError(t, err)
		switch message := message.(type) {
		case *errdetails.ErrorInfo:
			info = message
		case *errdetails.RetryInfo:
			retry = message
		}
	}
	return info, retry
}

func newIssuer(t testing.TB) (*claimstest.Issuer, *claims.Verifier) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(t, err)
	return issuer, verifier
}

func guard(t testing.TB, auth claims.Authenticator, cfg connectmw.Config) *connectmw.Interceptor {
	t.Helper()
	i, err := connectmw.New(auth, cfg)
	require.NoError(t, err)
	return i
}
