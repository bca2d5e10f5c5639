package grpcmw_test

import (
	"cmp"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
)

// Until it has received the first message, and that may be, a handler can do
// nothing that the client sees.
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

// What is decided at once is not put off, and the handler is not called for who
// is refused.
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

// A first message that cannot be received is no decision by the message.
func TestPending_receiveFails(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{
		codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Unimplemented, codes.Internal,
	} {
		end := status.Error(code, "secret-text")
		whole, err := pendingOn(t, inAcme, func(ctx context.Context) grpc.ServerStream {
			return &pipe{ctx: ctx, message: "acme", end: end}
		}, func(stream grpc.ServerStream) error {
			_, err := receive(stream)
			assert.Equal(t, end, err)
			return err
		})
		want := code
		if code == codes.Internal {
			want = codes.Unavailable
		}
		assert.Equal(t, want, status.Code(err))
		assert.NotContains(t, err.Error(), "secret")
		require.Len(t, whole, 1)
		assert.Equal(t, claims.ErrUnavailable, whole[0].Err.Class())
	}
}

// Where there is no first message, nothing stands in for it: not the empty one
// that the handler wanted to receive.
func TestPending_noMessage(t *testing.T) {
	t.Parallel()
	anyMessage := claims.RequestFunc("any", func(context.Context, *claims.Claims, *wrapperspb.StringValue) (bool, error) {
		return true, nil
	})
	atOnce := func(ctx context.Context) grpc.ServerStream { return &pipe{ctx: ctx, end: io.EOF} }
	whole, err := pendingOn(t, anyMessage, atOnce, func(stream grpc.ServerStream) error {
		_, err := receive(stream)
		assert.Equal(t, codes.PermissionDenied, status.Code(err))
		return nil
	})
	assert.Equal(t, codes.PermissionDenied, status.Code(err))
	require.Len(t, whole, 1)
	assert.Equal(t, claims.ErrForbidden, whole[0].Err.Class())

	// Who may all the same learns that there is none.
	other := claims.Func("other", func(context.Context, *claims.Claims) (bool, error) { return true, nil })
	_, err = pendingOn(t, claims.AnyOf(anyMessage, other), atOnce, func(stream grpc.ServerStream) error {
		_, err := receive(stream)
		assert.Equal(t, io.EOF, err)
		return nil
	})
	assert.NoError(t, err)
}

// A token that expires before the first message allows nothing, and that is the
// one decision.
func TestPending_expiresOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		whole, err := pendingOn(t, inAcme, func(ctx context.Context) grpc.ServerStream {
			return &pipe{ctx: ctx, message: "acme"}
		}, func(stream grpc.ServerStream) error {
			time.Sleep(24 * time.Hour)
			for range 2 {
				_, err := receive(stream)
				assert.Equal(t, codes.Unauthenticated, status.Code(err))
			}
			return nil
		})
		assert.Equal(t, codes.Unauthenticated, status.Code(err))
		require.Len(t, whole, 1)
		assert.Equal(t, claims.ReasonExpired, whole[0].Err.Reason())
	})
}
