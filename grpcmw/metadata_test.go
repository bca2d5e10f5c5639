package grpcmw_test

import (
	"context"
	"errors"
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
	"github.com/sallyport-go/sallyport/grpcmw"
)

// What a handler says in headers and trailers, before the decision and after it, by the
// stream and by the context, reaches a client who may.
func TestPending_metadataArrives(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(*testing.T, grpc.ServerStream) error{
		"with the first message": func(*testing.T, grpc.ServerStream) error { return nil },
		"by SendHeader": func(_ *testing.T, stream grpc.ServerStream) error {
			return stream.SendHeader(metadata.Pairs("sent", "1"))
		},
		"by the context": func(_ *testing.T, stream grpc.ServerStream) error {
			return grpc.SendHeader(stream.Context(), metadata.Pairs("sent", "1"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servePending(t, inAcme, func(_ any, stream grpc.ServerStream) error {
				say := func(when string) {
					assert.NoError(t, stream.SetHeader(metadata.Pairs("h-stream", when)))
					assert.NoError(t, grpc.SetHeader(stream.Context(), metadata.Pairs("h-context", when)))
					stream.SetTrailer(metadata.Pairs("t-stream", when))
					assert.NoError(t, grpc.SetTrailer(stream.Context(), metadata.Pairs("t-context", when)))
				}
				say("before")
				if _, err := receive(stream); err != nil {
					return err
				}
				say("after")
				assert.NoError(t, send(t, stream))
				if name != "with the first message" {
					assert.Error(t, stream.SetHeader(metadata.Pairs("late", "1")), "headers were sent")
				}
				return stream.SendMsg(wrapperspb.String("answer"))
			})
			got := s.call("acme")
			require.Equal(t, io.EOF, got.err)
			for _, key := range []string{"stream", "context"} {
				assert.Equal(t, []string{"before", "after"}, got.header.Get("h-"+key))
				assert.Equal(t, []string{"before", "after"}, got.trailer.Get("t-"+key))
			}
			assert.Equal(t, name != "with the first message", len(got.header.Get("sent")) == 1)
		})
	}
}

// What only one side says arrives without the other.
func TestPending_trailerAlone(t *testing.T) {
	t.Parallel()
	s := servePending(t, inAcme, func(_ any, stream grpc.ServerStream) error {
		stream.SetTrailer(metadata.Pairs("t", "1"))
		_, err := receive(stream)
		return err
	})
	got := s.call("acme")
	assert.Equal(t, []string{"1"}, got.trailer.Get("t"))
}

// faulty is a stream on which nothing can be sent.
type faulty struct{ pipe }

var errBroken = errors.New("broken pipe")

func (*faulty) SendMsg(any) error              { return errBroken }
func (*faulty) SetHeader(metadata.MD) error    { return errBroken }
func (*faulty) SendHeader(metadata.MD) error   { return errBroken }
func (*faulty) SetTrailer(trailer metadata.MD) {}
func (f *faulty) RecvMsg(m any) error          { return f.pipe.RecvMsg(m) }
func (f *faulty) Context() context.Context     { return f.ctx }

// pendingOn runs a handler on a stream that is not decided yet.
func pendingOn(
	t *testing.T, needs claims.Requirement, stream func(context.Context) grpc.ServerStream, handler func(grpc.ServerStream) error,
) ([]claims.Decision, error) {
	t.Helper()
	issuer, verifier := offline(t)
	decisions := &ledger{}
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{pendingMethod: needs}, Permissions: grants, Observer: decisions.observe,
	})
	require.NoError(t, err)
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+mint(issuer)))
	err = auth.Stream(nil, stream(ctx), &grpc.StreamServerInfo{FullMethod: pendingMethod},
		func(_ any, stream grpc.ServerStream) error { return handler(stream) })
	whole, _ := decisions.take(pendingMethod)
	return whole, err
}

// What the transport can not do is told, as it is without a guard.
func TestPending_transportFails(t *testing.T) {
	t.Parallel()
	broken := func(ctx context.Context) grpc.ServerStream {
		return &faulty{pipe{ctx: grpc.NewContextWithServerTransportStream(ctx, &trailers{}), message: "acme"}}
	}
	_, err := pendingOn(t, inAcme, broken, func(stream grpc.ServerStream) error {
		assert.NoError(t, stream.SetHeader(metadata.Pairs("h", "1")))
		_, err := receive(stream)
		assert.Equal(t, errBroken, err, "what was held back")
		return err
	})
	assert.Equal(t, errBroken, err)
	_, err = pendingOn(t, inAcme, broken, func(stream grpc.ServerStream) error {
		_, err := receive(stream)
		require.NoError(t, err)
		assert.Equal(t, errBroken, stream.SetHeader(metadata.Pairs("h", "1")))
		assert.Equal(t, errBroken, grpc.SetHeader(stream.Context(), metadata.Pairs("h", "1")))
		assert.Equal(t, errBroken, stream.SendHeader(metadata.Pairs("h", "1")))
		assert.ErrorContains(t, grpc.SendHeader(stream.Context(), metadata.Pairs("h", "1")), errBroken.Error())
		assert.Equal(t, errBroken, stream.SendMsg(nil))
		return nil
	})
	assert.NoError(t, err)
	// Where there is no transport, none is made up.
	_, err = pendingOn(t, inAcme, func(ctx context.Context) grpc.ServerStream {
		return &pipe{ctx: ctx, message: "acme"}
	}, func(stream grpc.ServerStream) error {
		assert.Nil(t, grpc.ServerTransportStreamFromContext(stream.Context()))
		_, err := receive(stream)
		return err
	})
	assert.NoError(t, err)
}

// A first message that can not be received is no decision by the message.
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

// Where there is no first message, nothing stands in for it: not the empty one that the
// handler wanted to receive.
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

// A token that expires before the first message allows nothing, and that is the one
// decision.
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

// said is a stream that notes its trailers.
type said struct {
	pipe
	trailer metadata.MD
}

func (s *said) SetTrailer(trailer metadata.MD) { s.trailer = metadata.Join(s.trailer, trailer) }

// Once a stream has been refused, its handler adds nothing to what the client is told.
func TestStream_trailerAfterItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &said{}
		whole, err := pendingOn(t, claims.Authenticated(), func(ctx context.Context) grpc.ServerStream {
			s.ctx = ctx
			return s
		}, func(stream grpc.ServerStream) error {
			stream.SetTrailer(metadata.Pairs("t", "before"))
			time.Sleep(24 * time.Hour)
			assert.Error(t, stream.SendMsg(nil))
			stream.SetTrailer(metadata.Pairs("t", "after"))
			return nil
		})
		assert.Equal(t, codes.Unauthenticated, status.Code(err))
		assert.Equal(t, []string{"before"}, s.trailer.Get("t"))
		assert.Len(t, whole, 1)
	})
}

// accepting is an Authenticator that takes every token for the same caller's.
type accepting struct{ caller *claims.Claims }

func (a accepting) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return a.caller, nil
}

// A token that has no end ends no stream.
func TestStream_withoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		caller, err := claims.FromJSON([]byte(`{"sub":"alice"}`), claims.Config{})
		require.NoError(t, err)
		auth, err := grpcmw.New(accepting{caller}, grpcmw.Config{Policy: grpcmw.Policy{pendingMethod: claims.Authenticated()}})
		require.NoError(t, err)
		p := &pipe{ctx: metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer abc"))}
		err = auth.Stream(nil, p, &grpc.StreamServerInfo{FullMethod: pendingMethod}, func(_ any, stream grpc.ServerStream) error {
			time.Sleep(1000 * time.Hour)
			assert.NoError(t, stream.Context().Err())
			assert.NoError(t, stream.RecvMsg(nil))
			return stream.SendMsg(nil)
		})
		assert.NoError(t, err)
	})
}
