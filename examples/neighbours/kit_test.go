package neighbours_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

const (
	unary  = testpb.TestService_UnaryCall_FullMethodName
	output = testpb.TestService_StreamingOutputCall_FullMethodName
)

func newVerifier(t testing.TB) (*claimstest.Issuer, *claims.Verifier) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(t, err)
	return issuer, verifier
}

func newInterceptor(t testing.TB, auth claims.Authenticator, policy grpcmw.Policy) *grpcmw.Interceptor {
	t.Helper()
	i, err := grpcmw.New(auth, grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	return i
}

// service answers with the caller's subject.
type service struct {
	testpb.UnimplementedTestServiceServer
	reached atomic.Int32
}

func (s *service) subject(ctx context.Context) *testpb.Payload {
	s.reached.Add(1)
	caller, _ := claims.FromContext(ctx)
	return &testpb.Payload{Body: []byte(caller.Subject())}
}

func (s *service) UnaryCall(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Payload: s.subject(ctx)}, nil
}

func (s *service) StreamingOutputCall(
	_ *testpb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse],
) error {
	return stream.Send(&testpb.StreamingOutputCallResponse{Payload: s.subject(stream.Context())})
}

// serveGRPC serves on loopback until the test ends.
func serveGRPC(t testing.TB, server *grpc.Server) (target string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func dial(t testing.TB, target string, creds credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	conn, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(creds))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// with returns a context for a call with a token, unless it is empty.
func with(t testing.TB, token string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

type answer struct {
	status int
	header http.Header
	body   string
}

func send(t testing.TB, client *http.Client, method, url, token string, fields ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(with(t, ""), method, url, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// outage is an Authenticator that cannot decide.
type outage struct{}

func (outage) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return nil, claims.NewError(claims.ErrUnavailable, claims.ReasonKeysUnavailable, nil)
}
