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
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
)

// A stream ends with its token: no message passes once it has expired.
func TestStream_endsWithItsToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, start := &pipe{}, time.Now()
		done := make(chan struct{})
		err := onStream(t, p, func(stream grpc.ServerStream) {
			defer close(done)
			assert.NoError(t, stream.SendMsg(nil))
			time.Sleep(90*time.Second - time.Nanosecond)
			assert.NoError(t, stream.SendMsg(nil))
			assert.NoError(t, stream.RecvMsg(nil))
			time.Sleep(time.Nanosecond)
			p.end = io.EOF
			for _, err := range []error{
				stream.SendMsg(nil), stream.RecvMsg(nil), stream.SetHeader(nil), stream.SendHeader(nil),
			} {
				assert.Equal(t, codes.Unauthenticated, status.Code(err))
				assert.Equal(t, "The access token has expired.", status.Convert(err).Message())
			}
			stream.SetTrailer(nil)
		})
		assert.Equal(t, 90*time.Second, time.Since(start))
		<-done
		assert.Equal(t, 2, p.sent)
		assert.Equal(t, 1, p.received)
		assert.EqualValues(t, 1, p.headers.set.Load(), "a handler that goes on does not make it longer")
		assert.Equal(t, codes.Unauthenticated, status.Code(err), "the client is told, whatever the handler makes of it")
	})
}

// A handler that waits for something else learns of the end by its context.
func TestStream_endsWhileItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		err := onStream(t, &pipe{}, func(stream grpc.ServerStream) {
			defer close(done)
			start := time.Now()
			<-stream.Context().Done()
			assert.Equal(t, 90*time.Second, time.Since(start))
			assert.Equal(t, claims.ReasonExpired, claims.AsError(context.Cause(stream.Context())).Reason())
		})
		<-done
		assert.Equal(t, codes.Unauthenticated, status.Code(err), "it is no clean end")
	})
}

func TestStream_messageAllocations(t *testing.T) {
	err := onStream(t, &pipe{}, func(stream grpc.ServerStream) {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			_ = stream.SendMsg(nil)
			_ = stream.RecvMsg(nil)
		}))
	})
	require.NoError(t, err)
}
