package grpcmw_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// streamKinds are the kinds of stream; the other kind of method is "Unary".
var streamKinds = []grpc.StreamDesc{
	{StreamName: "ServerStream", ServerStreams: true},
	{StreamName: "ClientStream", ClientStreams: true},
	{StreamName: "Bidi", ServerStreams: true, ClientStreams: true},
}

// seen is what the handlers of a service were let see.
type seen struct {
	mu       sync.Mutex
	messages int // received without an error, by name of the method
	sent     int
}

func (s *seen) count(received, sent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages, s.sent = s.messages+received, s.sent+sent
}

func (s *seen) take() (messages, sent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages, s.messages = s.messages, 0
	sent, s.sent = s.sent, 0
	return messages, sent
}

// echo is a stream handler that answers with what it has received.
func (s *seen) echo(_ any, stream grpc.ServerStream) error {
	last := ""
	for {
		in := &wrapperspb.StringValue{}
		switch err := stream.RecvMsg(in); err {
		case nil:
			s.count(1, 0)
			last = in.GetValue()
			continue
		case io.EOF:
		default:
			return err
		}
		if err := stream.SendMsg(wrapperspb.String(last)); err != nil {
			return err
		}
		s.count(0, 1)
		return nil
	}
}

// kindsOf describes a service that has a method of each kind. If handler is not
// nil, it serves the streams.
func kindsOf(name string, s *seen, handler grpc.StreamHandler) *grpc.ServiceDesc {
	if handler == nil {
		handler = s.echo
	}
	desc := &grpc.ServiceDesc{
		ServiceName: name, HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Unary",
			Handler: func(srv any, ctx context.Context, dec func(any) error, by grpc.UnaryServerInterceptor) (any, error) {
				in := &wrapperspb.StringValue{}
				if err := dec(in); err != nil {
					return nil, err
				}
				return by(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + name + "/Unary"},
					func(_ context.Context, in any) (any, error) {
						s.count(1, 1)
						return in, nil
					})
			},
		}},
	}
	for _, kind := range streamKinds {
		kind.Handler = handler
		desc.Streams = append(desc.Streams, kind)
	}
	return desc
}

// serving starts a real server of the services and returns a connection to it.
func serving(t testing.TB, auth *grpcmw.Interceptor, services ...*grpc.ServiceDesc) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer(auth.ServerOptions()...)
	for _, service := range services {
		server.RegisterService(service, nil)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()), scanning(t))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, conn.Close())
		server.Stop()
		assert.NoError(t, <-done)
	})
	return conn
}

// reply is what a client gets.
type reply struct {
	messages []string
	header   metadata.MD
	trailer  metadata.MD
	err      error // io.EOF if it ended well
}

// invoke makes a call of any kind, with these messages.
func invoke(ctx context.Context, conn *grpc.ClientConn, service, method string, messages ...string) (r reply) {
	full := "/" + service + "/" + method
	if method == "Unary" {
		out := &wrapperspb.StringValue{}
		r.err = conn.Invoke(ctx, full, wrapperspb.String(messages[0]), out, grpc.Header(&r.header), grpc.Trailer(&r.trailer))
		if r.err == nil {
			r.err, r.messages = io.EOF, []string{out.GetValue()}
		}
		return r
	}
	for _, kind := range streamKinds {
		if kind.StreamName != method {
			continue
		}
		stream, err := conn.NewStream(ctx, &kind, full)
		if err != nil {
			return reply{err: err}
		}
		for _, message := range messages {
			if stream.SendMsg(wrapperspb.String(message)) != nil { // RecvMsg tells why
				break
			}
		}
		_ = stream.CloseSend()
		for r.err == nil {
			out := &wrapperspb.StringValue{}
			if r.err = stream.RecvMsg(out); r.err == nil {
				r.messages = append(r.messages, out.GetValue())
				if !kind.ServerStreams {
					r.err = io.EOF
				}
			}
		}
		r.header, _ = stream.Header()
		r.trailer = stream.Trailer()
	}
	return r
}

// ledger keeps decisions by operation.
type ledger struct {
	mu   sync.Mutex
	made map[string][]claims.Decision
}

func (l *ledger) observe(_ context.Context, d claims.Decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		l.made = map[string][]claims.Decision{}
	}
	l.made[d.Operation] = append(l.made[d.Operation], d)
}

// take returns the decisions of an operation since it was called last: of the
// whole, and of parts.
func (l *ledger) take(operation string) (whole, parts []claims.Decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.made[operation] {
		if d.Part {
			parts = append(parts, d)
		} else {
			whole = append(whole, d)
		}
	}
	delete(l.made, operation)
	return whole, parts
}

// granter is a claims.PermissionSource.
type granter func(claims.Principal) (claims.Grants, error)

func (g granter) Permissions(_ context.Context, who claims.Principal) (claims.Grants, error) {
	return g(who)
}
