package grpcmw_test

import (
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

// What a handler says in headers and trailers, before the decision and after
// it, by the stream and by the context, reaches a client who may.
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

// What the transport cannot do is told, as it is without a guard.
func TestPending_transportFails(t *testing.T) {
	t.Parallel()
	broken := func(ctx context.Context) grpc.ServerStream {
		return &faulty{pipe{ctx: grpc.NewContextWithServerTransportStream(ctx, &headers{}), message: "acme"}}
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

// Once a stream has been refused, its handler adds nothing to what the client
// is told.
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
