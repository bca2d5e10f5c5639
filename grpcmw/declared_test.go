package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/grpcmw/internal/notespb"
)

// staff is a requirement that no option can say.
var staff = claims.Func("staff", func(_ context.Context, caller *claims.Claims) (bool, error) {
	return caller.ClientID() == "back-office", nil
})

func declared(t testing.TB) grpcmw.Policy {
	t.Helper()
	policy, err := grpcmw.DeclaredPolicy(grpcmw.Declared{
		Services: []string{notespb.Notes_ServiceDesc.ServiceName},
		Named:    map[string]claims.Requirement{"staff": staff},
	})
	require.NoError(t, err)
	return policy
}

// The methods of one service declare what they need; that of another is added.
func ExampleDeclaredPolicy() {
	policy, err := grpcmw.DeclaredPolicy(grpcmw.Declared{
		Services: []string{notespb.Notes_ServiceDesc.ServiceName},
		Named:    map[string]claims.Requirement{"staff": staff},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	maps.Copy(policy, grpcmw.Policy{healthpb.Health_Check_FullMethodName: claims.Public()})
	for _, operation := range policy.Operations() {
		fmt.Println(operation.Name, operation.Requirement)
	}
	// Output:
	// /grpc.health.v1.Health/Check Public()
	// /notes.v1.Notes/DeleteNote All(ACR("mfa", "hwk"), MaxAge(5m0s), ReportOnly(Scopes("notes:delete")))
	// /notes.v1.Notes/GetNote Scopes("notes:read")
	// /notes.v1.Notes/ImportNotes All(Scopes("notes:write"), Permissions("notes.import"))
	// /notes.v1.Notes/Ping Public()
	// /notes.v1.Notes/SyncNotes AnyOf(AnyPermission("notes.sync", "notes.admin"), Func("staff"))
	// /notes.v1.Notes/WatchNotes AnyScope("notes:read", "notes:watch")
	// /notes.v1.Notes/Whoami Authenticated()
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

// ask calls a method with a message, whatever its kind, and returns the subject in
// the first answer.
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

func TestDeclaredPolicy_served(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		PermissionClaims: []string{"permissions"},
	})
	require.NoError(t, err)
	policy := declared(t)
	maps.Copy(policy, grpcmw.Policy{
		healthpb.Health_Check_FullMethodName: claims.Public(),
		healthpb.Health_List_FullMethodName:  claims.Public(),
		healthpb.Health_Watch_FullMethodName: claims.Public(),
	})
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	server, conn := serveNotes(t, auth)
	assert.EqualError(t, auth.Audit(server), "grpcmw: method /notes.v1.Notes/Forgotten has no entry "+
		"in the policy: it refuses every call", "the method without an option alone")

	now := time.Now()
	for method, row := range map[string]struct {
		enough claimstest.Token
		less   claimstest.Token
		code   codes.Code // of the answer to less
	}{
		"GetNote": {
			claimstest.Token{Scope: "notes:read"}, claimstest.Token{Scope: "notes:watch"},
			codes.PermissionDenied,
		},
		"WatchNotes": {
			claimstest.Token{Scope: "notes:watch"}, claimstest.Token{Scope: "notes:write"},
			codes.PermissionDenied,
		},
		"ImportNotes": {
			claimstest.Token{Scope: "notes:write", Claims: map[string]any{"permissions": "notes.import"}},
			claimstest.Token{Scope: "notes:write"}, codes.PermissionDenied,
		},
		"SyncNotes": {
			claimstest.Token{ClientID: "back-office"}, claimstest.Token{ClientID: "shop"},
			codes.PermissionDenied,
		},
		"DeleteNote": {
			claimstest.Token{Claims: map[string]any{"acr": "hwk", "auth_time": now.Unix()}},
			claimstest.Token{Claims: map[string]any{
				"acr": "hwk", "auth_time": now.Add(-time.Hour).Unix(),
			}},
			codes.Unauthenticated,
		},
		"Whoami": {claimstest.Token{}, claimstest.Token{Lifetime: -time.Hour}, codes.Unauthenticated},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			call := func(token claimstest.Token) (string, error) {
				token.Subject = "alice"
				ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(token)})
				return ask(ctx, conn, "/notes.v1.Notes/"+method)
			}
			got, err := call(row.enough)
			require.NoError(t, err)
			assert.Equal(t, "alice", got)
			_, err = call(row.less)
			assert.Equal(t, row.code, status.Code(err), "%v", err)
			_, err = ask(t.Context(), conn, "/notes.v1.Notes/"+method)
			assert.Equal(t, codes.Unauthenticated, status.Code(err))
		})
	}
	t.Run("Ping", func(t *testing.T) {
		t.Parallel()
		got, err := ask(t.Context(), conn, notespb.Notes_Ping_FullMethodName)
		require.NoError(t, err)
		assert.Equal(t, "nobody", got)
	})
	t.Run("Forgotten", func(t *testing.T) {
		t.Parallel()
		ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
		_, err := ask(ctx, conn, notespb.Notes_Forgotten_FullMethodName)
		assert.Equal(t, codes.PermissionDenied, status.Code(err))
	})
}
