package bench

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/grpcmw"
)

const (
	grpcName        = "transport=GRPC"
	grpcConnections = 4

	echoMethod = "/bench.v1.Echo/Echo"
	chatMethod = "/bench.v1.Echo/Chat"
)

type grpcContestant struct {
	impl      string
	options   []grpc.ServerOption
	subjectOf func(context.Context) string
}

// grpcContestants are the guards of echoService; the first is none.
func grpcContestants(tb testing.TB, w *world) []grpcContestant {
	tb.Helper()
	all := []grpcContestant{
		{"none", nil, func(context.Context) string { return subject }},
	}
	for _, g := range sallyportGuards(tb, w) {
		guard, err := grpcmw.New(g.auth, grpcmw.Config{
			Policy:      grpcmw.Policy{echoMethod: g.needs, chatMethod: g.needs},
			Permissions: g.permissions,
		})
		require.NoError(tb, err)
		all = append(all, grpcContestant{g.impl, guard.ServerOptions(), sallyportSubject})
	}
	v := startGolangJWT(tb, w, transportAlg)
	return append(all, grpcContestant{"golang-jwt", ownInterceptors(v), ownSubject})
}

// ownInterceptors are what users of a library without interceptors write
// themselves.
func ownInterceptors(v verify) []grpc.ServerOption {
	authenticate := func(ctx context.Context) (context.Context, error) {
		fields := metadata.ValueFromIncomingContext(ctx, "authorization")
		if len(fields) != 1 || len(fields[0]) < len("Bearer ") {
			return nil, status.Error(codes.Unauthenticated, "no token")
		}
		caller, err := v(ctx, fields[0][len("Bearer "):])
		if err != nil {
			return nil, status.Error(codes.Unauthenticated, "invalid token")
		}
		return context.WithValue(ctx, callerKey{}, caller), nil
	}
	unary := func(
		ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (any, error) {
		ctx, err := authenticate(ctx)
		if err != nil {
			return nil, err
		}
		return handler(ctx, req)
	}
	stream := func(
		srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) error {
		ctx, err := authenticate(stream.Context())
		if err != nil {
			return err
		}
		return handler(srv, ownStream{stream, ctx})
	}
	return []grpc.ServerOption{grpc.UnaryInterceptor(unary), grpc.StreamInterceptor(stream)}
}

type ownStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s ownStream) Context() context.Context { return s.ctx }

// echo sends back what it is sent, and asks who the caller is.
type echo struct{ subjectOf func(context.Context) string }

var echoService = grpc.ServiceDesc{
	ServiceName: "bench.v1.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Echo", Handler: serveEcho}},
	Streams: []grpc.StreamDesc{{
		StreamName: "Chat", Handler: serveChat, ServerStreams: true, ClientStreams: true,
	}},
}

func (e *echo) known(ctx context.Context) error {
	if e.subjectOf(ctx) != subject {
		return status.Error(codes.PermissionDenied, "not the subject")
	}
	return nil
}

func serveEcho(
	srv any, ctx context.Context, decode func(any) error, guard grpc.UnaryServerInterceptor,
) (any, error) {
	message := &wrapperspb.StringValue{}
	if err := decode(message); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, message any) (any, error) {
		return message, srv.(*echo).known(ctx)
	}
	if guard == nil {
		return handler(ctx, message)
	}
	return guard(ctx, message, &grpc.UnaryServerInfo{Server: srv, FullMethod: echoMethod}, handler)
}

func serveChat(srv any, stream grpc.ServerStream) error {
	if err := srv.(*echo).known(stream.Context()); err != nil {
		return err
	}
	message := &wrapperspb.StringValue{}
	for {
		if err := stream.RecvMsg(message); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
}

// grpcCaller makes calls with a token on a connection that it shares.
type grpcCaller struct {
	ctx  context.Context
	conn *grpc.ClientConn
	chat grpc.ClientStream // that is open, for message
}

func dialGRPC(tb testing.TB, address string) *grpc.ClientConn {
	tb.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

func newGRPCCaller(ctx context.Context, conn *grpc.ClientConn, token string) *grpcCaller {
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	return &grpcCaller{ctx: ctx, conn: conn}
}

func (c *grpcCaller) unary() error {
	message := wrapperspb.String("hello")
	return c.conn.Invoke(c.ctx, echoMethod, message, &wrapperspb.StringValue{})
}

// message passes a message each way on a stream that stays open.
func (c *grpcCaller) message() error {
	if c.chat == nil {
		chat, err := c.conn.NewStream(c.ctx, &echoService.Streams[0], chatMethod)
		if err != nil {
			return err
		}
		c.chat = chat
	}
	return passMessage(c.chat)
}

// open opens a stream, passes a message each way and ends it.
func (c *grpcCaller) open() error {
	chat, err := c.conn.NewStream(c.ctx, &echoService.Streams[0], chatMethod)
	if err != nil {
		return err
	}
	if err := passMessage(chat); err != nil {
		return err
	}
	if err := chat.CloseSend(); err != nil {
		return err
	}
	if err := chat.RecvMsg(&wrapperspb.StringValue{}); err != io.EOF {
		return err
	}
	return nil
}

func passMessage(chat grpc.ClientStream) error {
	if err := chat.SendMsg(wrapperspb.String("hello")); err != nil && err != io.EOF {
		return err // io.EOF says that RecvMsg has the error
	}
	return chat.RecvMsg(&wrapperspb.StringValue{})
}
