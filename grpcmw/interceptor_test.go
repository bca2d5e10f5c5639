package grpcmw_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
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
		grpc.WithTransportCredentials(insecure.NewCredentials()))
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

func TestInterceptor(t *testing.T) {
	t.Parallel()
	const (
		bare        = `Bearer realm="api"`
		description = `, error_description="`
	)
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    issuer.URL(),
		Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	read := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
	expired := issuer.Mint(claimstest.Token{Lifetime: -time.Hour})
	undecided := claims.Func("broken", func(context.Context, *claims.Claims) (bool, error) {
		return true, errors.New("the database says secret-internal-text")
	})
	never := claims.Func("never", func(context.Context, *claims.Claims) (bool, error) {
		return false, nil
	})

	for name, row := range map[string]struct {
		policy        grpcmw.Policy
		authorization []string
		code          codes.Code
		challenge     string
		reason        string
	}{
		"good token": {
			everything(claims.Scopes("orders:read")), []string{"Bearer " + read},
			codes.OK, "", "",
		},
		"public with a bad token": {
			everything(claims.Public()), []string{"Bearer junk"}, codes.OK, "", "",
		},
		"unlisted": {
			grpcmw.Policy{"/other.Service/Method": claims.Public()}, []string{"Bearer " + read},
			codes.PermissionDenied, "", "UNLISTED_OPERATION",
		},
		"no token": {
			everything(claims.Scopes("orders:read")), nil,
			codes.Unauthenticated, bare + `, scope="orders:read"`, "NO_TOKEN",
		},
		"other scheme": {
			everything(claims.Authenticated()), []string{"Basic dXNlcjpwYXNz"},
			codes.Unauthenticated, bare, "UNSUPPORTED_SCHEME",
		},
		"token without scheme": {
			everything(claims.Authenticated()), []string{read},
			codes.Unauthenticated, bare + `, error="invalid_request"` + description,
			"MALFORMED_CREDENTIALS",
		},
		"two tokens": {
			everything(claims.Authenticated()), []string{"Bearer " + read, "Bearer " + read},
			codes.Unauthenticated, bare + `, error="invalid_request"` + description,
			"SEVERAL_CREDENTIALS",
		},
		"expired": {
			everything(claims.Authenticated()), []string{"Bearer " + expired},
			codes.Unauthenticated, bare + `, error="invalid_token"` + description, "EXPIRED",
		},
		"scope missing": {
			everything(claims.Scopes("orders:write")), []string{"Bearer " + read},
			codes.PermissionDenied, bare + `, error="insufficient_scope"` + description, "SCOPE",
		},
		"not permitted": {
			everything(never), []string{"Bearer " + read},
			codes.PermissionDenied, "", "PERMISSION",
		},
		"undecided": {
			everything(undecided), []string{"Bearer " + read}, codes.Unavailable, "", "UNDECIDED",
		},
	} {
		for kind, call := range calls {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				auth, err := grpcmw.New(verifier, grpcmw.Config{
					Policy: row.policy, Domain: "orders.example",
				})
				require.NoError(t, err)
				spy := &service{}
				client := serve(t, auth, spy)
				var trailer metadata.MD
				subject, err := call(
					withAuthorization(t.Context(), row.authorization), client, grpc.Trailer(&trailer))

				refusal := status.Convert(err)
				require.Equal(t, row.code, refusal.Code(), refusal.Message())
				if row.code == codes.OK {
					assert.EqualValues(t, 1, spy.reached.Load())
					assert.Empty(t, trailer.Get("www-authenticate"))
					want := "alice"
					if len(row.policy) > 0 && row.policy[testpb.TestService_UnaryCall_FullMethodName].IsPublic() {
						want = "nobody"
					}
					assert.Len(t, subject, len(want))
					return
				}
				assert.Zero(t, spy.reached.Load(), "the handler was reached")
				challenge := strings.Join(trailer.Get("www-authenticate"), "|")
				if strings.HasSuffix(row.challenge, description) {
					assert.True(t, strings.HasPrefix(challenge, row.challenge), challenge)
				} else {
					assert.Equal(t, row.challenge, challenge)
				}
				info, retry := details(t, refusal)
				assert.Equal(t, row.reason, info.GetReason())
				assert.Equal(t, "orders.example", info.GetDomain())
				assert.Equal(t, row.code == codes.Unavailable, retry != nil)
				if row.reason == "SCOPE" {
					assert.Equal(t, map[string]string{"scope": "orders:write"}, info.GetMetadata())
				}
				assert.NotContains(t, refusal.String()+challenge, "secret-internal-text")
				assert.NotContains(t, refusal.String()+challenge, read)
			})
		}
	}
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

func TestInterceptor_issuerDown(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t, everything(claims.Authenticated()))
	issuer.Fail(http.StatusInternalServerError)
	client := serve(t, auth, &service{})
	ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
	for kind, call := range calls {
		_, err := call(ctx, client)
		refusal := status.Convert(err)
		require.Equal(t, codes.Unavailable, refusal.Code(), kind)
		assert.NotContains(t, refusal.String(), issuer.URL())
		info, retry := details(t, refusal)
		assert.Equal(t, "KEYS_UNAVAILABLE", info.GetReason())
		assert.Equal(t, grpcmw.DefaultDomain, info.GetDomain())
		assert.GreaterOrEqual(t, retry.GetRetryDelay().AsDuration(), time.Second)
	}
}

func TestInterceptor_Refuse(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t, everything(claims.Authenticated()))
	spy := &service{refuse: func(ctx context.Context) error {
		return auth.Refuse(ctx, claims.Allowed(ctx, claims.Scopes("orders:write")))
	}}
	client := serve(t, auth, spy)
	ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
	var trailer metadata.MD
	_, err := client.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.Trailer(&trailer))
	assert.Equal(t, codes.PermissionDenied, status.Code(err))
	require.Len(t, trailer.Get("www-authenticate"), 1)
	assert.Contains(t, trailer.Get("www-authenticate")[0], `scope="orders:write"`)
	assert.EqualValues(t, 1, spy.reached.Load())
}

// A reason of the user's own is told, and when to try again as far as it is known.
func TestInterceptor_Refuse_particulars(t *testing.T) {
	t.Parallel()
	auth, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: everything(claims.Authenticated())})
	require.NoError(t, err)
	refused := status.Convert(auth.Refuse(t.Context(), claims.NewError(claims.ErrForbidden, "own_reason", nil)))
	assert.Equal(t, codes.PermissionDenied, refused.Code())
	info, retry := details(t, refused)
	assert.Equal(t, "OWN_REASON", info.GetReason())
	assert.Empty(t, info.GetMetadata())
	assert.Nil(t, retry)
	issuer, _ := offline(t)
	down, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: outOfOrder{},
	})
	require.NoError(t, err)
	_, err = down.Authenticate(t.Context(), claims.Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{})})
	refused = status.Convert(auth.Refuse(t.Context(), err))
	assert.Equal(t, codes.Unavailable, refused.Code())
	_, retry = details(t, refused)
	assert.Equal(t, time.Minute, retry.GetRetryDelay().AsDuration())
}

// outOfOrder is a claims.KeySource that has no keys for a minute.
type outOfOrder struct{}

func (outOfOrder) Lookup(context.Context, string, string) ([]*jwks.Key, error) {
	return nil, &jwks.UnavailableError{RetryAfter: time.Minute}
}

// The interceptors are chained, so others have their place beside them.
func TestServerOptions_chain(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t, everything(claims.Authenticated()))
	var after atomic.Int32
	server := grpc.NewServer(append(auth.ServerOptions(),
		grpc.ChainUnaryInterceptor(func(
			ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler,
		) (any, error) {
			if _, ok := claims.FromContext(ctx); ok {
				after.Add(1)
			}
			return next(ctx, req)
		}))...)
	testpb.RegisterTestServiceServer(server, &service{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	client := testpb.NewTestServiceClient(conn)
	ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
	_, err = client.EmptyCall(ctx, &testpb.Empty{})
	require.NoError(t, err)
	_, err = client.EmptyCall(t.Context(), &testpb.Empty{})
	require.Error(t, err)
	assert.EqualValues(t, 1, after.Load())
}
