package grpcmw_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/grpcmw/internal/notespb"
)

// staff is a requirement that no option can say.
var staff = claims.Func("staff", func(_ context.Context, caller *claims.Claims) (bool, error) {
	return caller.ClientID() == "back-office", nil
})

func declared(t testing.TB) grpcmw.Policy {
	t.Helper()
	policy, err := grpcmw.DeclaredPolicy(grpcmw.DeclaredConfig{
		Services: []string{notespb.Notes_ServiceDesc.ServiceName},
		Named:    map[string]claims.Requirement{"staff": staff},
	})
	require.NoError(t, err)
	return policy
}

// notes answers with the subject of whoever calls.
type notes struct {
	notespb.UnimplementedNotesServer
}

func subject(ctx context.Context) string {
	if caller, ok := claims.FromContext(ctx); ok {
		return caller.Subject()
	}
	return "nobody"
}

func (notes) GetNote(
	ctx context.Context, _ *notespb.GetNoteRequest,
) (*notespb.GetNoteResponse, error) {
	return &notespb.GetNoteResponse{Subject: subject(ctx)}, nil
}

func (notes) WatchNotes(
	_ *notespb.WatchNotesRequest, stream grpc.ServerStreamingServer[notespb.WatchNotesResponse],
) error {
	return stream.Send(&notespb.WatchNotesResponse{Subject: subject(stream.Context())})
}

func (notes) ImportNotes(
	stream grpc.ClientStreamingServer[notespb.ImportNotesRequest, notespb.ImportNotesResponse],
) error {
	return stream.SendAndClose(&notespb.ImportNotesResponse{Subject: subject(stream.Context())})
}

func (notes) SyncNotes(
	stream grpc.BidiStreamingServer[notespb.SyncNotesRequest, notespb.SyncNotesResponse],
) error {
	return stream.Send(&notespb.SyncNotesResponse{Subject: subject(stream.Context())})
}

func (notes) DeleteNote(
	ctx context.Context, _ *notespb.DeleteNoteRequest,
) (*notespb.DeleteNoteResponse, error) {
	return &notespb.DeleteNoteResponse{Subject: subject(ctx)}, nil
}

func (notes) Whoami(
	ctx context.Context, _ *notespb.WhoamiRequest,
) (*notespb.WhoamiResponse, error) {
	return &notespb.WhoamiResponse{Subject: subject(ctx)}, nil
}

func (notes) Ping(ctx context.Context, _ *notespb.PingRequest) (*notespb.PingResponse, error) {
	return &notespb.PingResponse{Subject: subject(ctx)}, nil
}

// ask calls a method with a message, whatever its kind, and returns the subject
// in the first answer.
func ask(ctx context.Context, conn *grpc.ClientConn, method string) (string, error) {
	stream, err := conn.NewStream(ctx,
		&grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
	if err != nil {
		return "", err
	}
	if err := stream.SendMsg(&notespb.PingRequest{}); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if err := stream.CloseSend(); err != nil {
		return "", err
	}
	var answer notespb.PingResponse // all answers have the same field
	err = stream.RecvMsg(&answer)
	return answer.GetSubject(), err
}

func serveNotes(t *testing.T, auth *grpcmw.Interceptor) (*grpc.Server, *grpc.ClientConn) {
	t.Helper()
	server := grpc.NewServer(auth.ServerOptions()...)
	notespb.RegisterNotesServer(server, notes{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	healthpb.RegisterHealthServer(server, health.NewServer())
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
	return server, conn
}
