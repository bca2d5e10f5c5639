package grpcmw_test

import (
	"cmp"
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// pendingServer serves streams whose requirement looks at the first message.
type pendingServer struct {
	conn      *grpc.ClientConn
	issuer    *claimstest.Issuer
	decisions *ledger
	ctx       context.Context // of somebody who may, in workspace acme
}

const pendingMethod = "/pending.Service/Bidi"

func servePending(t *testing.T, needs claims.Requirement, handler grpc.StreamHandler) *pendingServer {
	t.Helper()
	issuer, verifier := matrixVerifier(t)
	s := &pendingServer{issuer: issuer, decisions: &ledger{}}
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{pendingMethod: needs}, Permissions: grants, Observer: s.decisions.observe,
	})
	require.NoError(t, err)
	s.conn = serving(t, auth, kindsOf("pending.Service", &seen{}, handler))
	s.ctx = withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{
		Subject: "alice", Scope: "read", Claims: map[string]any{"permissions": []string{}},
	})})
	return s
}

// call makes a call with these messages.
func (s *pendingServer) call(messages ...string) reply {
	return invoke(s.ctx, s.conn, "pending.Service", "Bidi", messages...)
}

// assertRefused checks that the client learns that it may not, or that this can not be
// decided, and nothing else.
func (s *pendingServer) assertRefused(t *testing.T, got reply, class error) {
	t.Helper()
	code := codes.PermissionDenied
	if class == claims.ErrUnavailable {
		code = codes.Unavailable
	}
	assert.Equal(t, code, status.Code(got.err), "%v", got.err)
	assert.NotContains(t, got.err.Error(), "secret")
	assert.Empty(t, got.messages)
	assert.Empty(t, got.trailer.Get("www-authenticate"), "no other token would help")
	assert.Empty(t, got.header.Get("x-secret"), "a header of the handler's")
	assert.Empty(t, got.trailer.Get("x-secret"), "a trailer of the handler's")
}

// oneDecision returns what was decided about the operation, once.
func (s *pendingServer) oneDecision(t *testing.T) claims.Decision {
	t.Helper()
	var whole []claims.Decision
	// The client may learn of the end before the server's side has ended.
	require.Eventually(t, func() bool {
		more, _ := s.decisions.take(pendingMethod)
		whole = append(whole, more...)
		return len(whole) > 0
	}, 2*time.Second, time.Millisecond, "no decision about the operation")
	require.Len(t, whole, 1)
	assert.Equal(t, "alice", whole[0].Subject)
	return whole[0]
}

var inAcme = overGRPC.workspace(claims.Permissions("in-acme"))

func receive(stream grpc.ServerStream) (string, error) {
	in := &wrapperspb.StringValue{}
	err := stream.RecvMsg(in)
	return in.GetValue(), err
}

// Until it has received the first message, and that may be, a handler can do nothing
// that the client sees.
func TestPending_handlers(t *testing.T) {
	t.Parallel()
	secret := wrapperspb.String("secret-answer")
	header := metadata.Pairs("x-secret", "1")
	for _, tt := range []struct {
		name     string
		handler  func(t *testing.T, stream grpc.ServerStream) error
		messages []string
		allowed  bool
		class    error // of the refusal; ErrForbidden if nil
	}{
		{
			name: "it sends first", messages: []string{"acme"}, class: claims.ErrUnavailable,
			handler: func(t *testing.T, stream grpc.ServerStream) error {
				assert.Equal(t, codes.Unavailable, status.Code(stream.SendMsg(secret)))
				return nil
			},
		},
		{
			name: "it sends a header first", messages: []string{"acme"}, class: claims.ErrUnavailable,
			handler: func(t *testing.T, stream grpc.ServerStream) error {
				assert.Equal(t, codes.Unavailable, status.Code(stream.SendHeader(header)))
				return nil
			},
		},
		{
			name: "it sets headers and trailers first", messages: []string{"other"},
			handler: func(t *testing.T, stream grpc.ServerStream) error {
				assert.NoError(t, stream.SetHeader(header))
				assert.NoError(t, grpc.SetHeader(stream.Context(), header))
				stream.SetTrailer(header)
				assert.NoError(t, grpc.SetTrailer(stream.Context(), header))
				_, err := receive(stream)
				stream.SetTrailer(header)
				assert.NoError(t, grpc.SetTrailer(stream.Context(), header))
				return err
			},
		},
		{
			name: "it sends a header by the context", messages: []string{"other"}, class: claims.ErrUnavailable,
			handler: func(t *testing.T, stream grpc.ServerStream) error {
				assert.Error(t, grpc.SendHeader(stream.Context(), header))
				_, err := receive(stream)
				return err
			},
		},
		{
			name: "it sends first, and goes on", messages: []string{"acme"}, class: claims.ErrUnavailable,
			handler: func(t *testing.T, stream grpc.ServerStream) error {
				for range 3 {
					assert.Error(t, stream.SendMsg(secret))
					_, err := receive(stream)
					assert.Error(t, err)
				}
				return nil
			},
		},
		{
			name: "it never receives, for who may not", messages: []string{"other"},
			handler: func(*testing.T, grpc.ServerStream) error { return nil },
		},
		{
			name: "it never receives", messages: []string{"acme"},
			handler: func(*testing.T, grpc.ServerStream) error { return nil },
		},
		{
			name: "it never receives, and fails", messages: []string{"other"}, class: claims.ErrUnavailable,
			handler: func(*testing.T, grpc.ServerStream) error {
				return status.Error(codes.NotFound, "secret-answer")
			},
		},
		{
			name:    "the client half-closes without a message",
			handler: func(_ *testing.T, stream grpc.ServerStream) error { _, err := receive(stream); return err },
		},
		{
			name: "that, ignored",
			handler: func(t *testing.T, stream grpc.ServerStream) error {
				_, err := receive(stream)
				assert.Equal(t, codes.PermissionDenied, status.Code(err), "no end of messages: there is no decision")
				assert.Error(t, stream.SendMsg(secret))
				return nil
			},
		},
		{
			name: "the first message refused, and all errors ignored", messages: []string{"other", "acme", "acme"},
			handler: func(t *testing.T, stream grpc.ServerStream) error {
				for range 5 {
					_, err := receive(stream)
					assert.Equal(t, codes.PermissionDenied, status.Code(err))
					assert.Equal(t, codes.PermissionDenied, status.Code(stream.SendMsg(secret)))
					assert.Error(t, stream.SendHeader(header))
				}
				return nil
			},
		},
		{
			name: "that, and it says so in its own words", messages: []string{"other"},
			handler: func(_ *testing.T, stream grpc.ServerStream) error {
				_, _ = receive(stream)
				return status.Error(codes.NotFound, "secret-answer")
			},
		},
		{
			name: "first allowed, later of another workspace", messages: []string{"acme", "other"}, allowed: true,
			handler: func(t *testing.T, stream grpc.ServerStream) error {
				first, err := receive(stream)
				assert.NoError(t, err)
				assert.Equal(t, "acme", first)
				assert.NoError(t, claims.Allowed(stream.Context(), inAcme), "the request is the first message")
				second, err := receive(stream)
				assert.NoError(t, err)
				assert.Equal(t, "other", second)
				assert.NoError(t, claims.Allowed(stream.Context(), inAcme))
				assert.Error(t, claims.Allowed(stream.Context(), claims.InWorkspace(second, claims.Permissions("in-acme"))))
				return stream.SendMsg(wrapperspb.String("answer"))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			done := make(chan struct{})
			s := servePending(t, claims.All(claims.Scopes("read"), inAcme), func(_ any, stream grpc.ServerStream) error {
				defer close(done)
				caller, ok := claims.FromContext(stream.Context())
				assert.True(t, ok && caller.Subject() == "alice")
				assert.Error(t, claims.Allowed(stream.Context(), inAcme), "before the first message")
				return tt.handler(t, stream)
			})
			got := s.call(tt.messages...)
			<-done
			if tt.allowed {
				assert.Equal(t, io.EOF, got.err)
				assert.Equal(t, []string{"answer"}, got.messages)
				assert.Nil(t, s.oneDecision(t).Err)
				return
			}
			class := cmp.Or(tt.class, claims.ErrForbidden)
			s.assertRefused(t, got, class)
			d := s.oneDecision(t)
			if assert.NotNil(t, d.Err) {
				assert.Equal(t, class, d.Err.Class())
			}
		})
	}
}

// What is decided at once is not put off, and the handler is not called for who is
// refused.
func TestPending_decidedAtOnce(t *testing.T) {
	t.Parallel()
	for name, needs := range map[string]claims.Requirement{
		"a scope":      claims.All(inAcme, claims.Scopes("write")),
		"a permission": claims.All(inAcme, claims.Permissions("none")),
		"an acr":       claims.All(overGRPC.ofAcme, claims.ACR("gold")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servePending(t, needs, func(any, grpc.ServerStream) error {
				t.Error("the handler is called")
				return nil
			})
			got := s.call("acme")
			assert.Contains(t, []codes.Code{codes.PermissionDenied, codes.Unauthenticated}, status.Code(got.err))
			assert.NotNil(t, s.oneDecision(t).Err)
		})
	}
	t.Run("allowed", func(t *testing.T) {
		t.Parallel()
		s := servePending(t, claims.AnyOf(overGRPC.ofAcme, claims.Scopes("read")), func(_ any, stream grpc.ServerStream) error {
			return stream.SendMsg(wrapperspb.String("hello"))
		})
		got := s.call()
		assert.Equal(t, []string{"hello"}, got.messages)
		assert.Nil(t, s.oneDecision(t).Err)
	})
}
