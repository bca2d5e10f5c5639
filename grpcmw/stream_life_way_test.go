package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
)

// places are where handlers are when the token ends. Each blocks until the
// stream has ended, or longer.
var places = map[string]func(stream grpc.ServerStream, released <-chan struct{}) error{
	"Recv": func(stream grpc.ServerStream, _ <-chan struct{}) error {
		for {
			in := &wrapperspb.StringValue{}
			err := stream.RecvMsg(in)
			in.Value = "the buffer is the handler's"
			if err == io.EOF { // of a client that says no more
				<-stream.Context().Done()
			}
			if err != nil {
				return err
			}
		}
	},
	"Recv beside": func(stream grpc.ServerStream, _ <-chan struct{}) error {
		var beside sync.WaitGroup
		defer beside.Wait()
		beside.Go(func() { _ = stream.RecvMsg(&wrapperspb.StringValue{}) })
		<-stream.Context().Done()
		return nil
	},
	"Send": func(stream grpc.ServerStream, _ <-chan struct{}) error {
		out := wrapperspb.String(strings.Repeat("x", 64<<10))
		for {
			if err := stream.SendMsg(out); err != nil {
				return fmt.Errorf("send: %w", err)
			}
		}
	},
	"its context": func(stream grpc.ServerStream, _ <-chan struct{}) error {
		<-stream.Context().Done()
		return status.Error(codes.Internal, stream.Context().Err().Error())
	},
	"something else": func(stream grpc.ServerStream, released <-chan struct{}) error {
		<-released
		if err := stream.SetHeader(metadata.Pairs("late", "1")); err == nil {
			return errLate
		}
		stream.SetTrailer(metadata.Pairs("late", "1"))
		_ = grpc.SetTrailer(stream.Context(), metadata.Pairs("late", "1"))
		if stream.SendMsg(wrapperspb.String("late")) == nil || stream.RecvMsg(&wrapperspb.StringValue{}) == nil {
			return errLate
		}
		return nil
	},
}

var errLate = errors.New("something passed after the end")

// Wherever its handler is, a stream of each kind ends with its token, on each
// way, with what that means; others before and after the guard notice nothing
// else.
func TestStream_endsWhereverItsHandlerIs(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"native", "ServeHTTP"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			var all sync.WaitGroup
			defer all.Wait()
			for place, handler := range places { // at once, as each takes seconds
				l := newLives(t, claims.Authenticated())
				released := make(chan struct{})
				server := l.server(func(_ any, stream grpc.ServerStream) error { return handler(stream, released) })
				address, logged := ways[way](t, server)
				conn := dial(t, address)
				all.Go(func() {
					streams := l.endAllKinds(t, conn, place)
					if way == "native" {
						server.GracefulStop() // does not wait for a handler that goes on
					}
					close(released)
					l.waitForHandlers(t)
					assert.Zero(t, l.late.Load(), "%s: what a handler could say after the end", place)
					assert.EqualValues(t, streams, l.decisions.Load(), place)
					assert.EqualValues(t, streams, l.outside.expired.Load(), place)
					assert.Empty(t, logged.String(), place)
				})
			}
		})
	}
}

// endAllKinds opens a stream of each kind that can have its handler in that
// place, and waits until they have ended as they should. It returns how many
// they were.
func (l *lives) endAllKinds(t *testing.T, conn *grpc.ClientConn, place string) (streams int) {
	timeout, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	ctx, end := l.until(timeout, 3*time.Second)
	reads := time.Time{}
	if place == "Send" { // nothing is read before, so that nothing can be sent
		reads = end.Add(100 * time.Millisecond)
	}
	var clients sync.WaitGroup
	for _, kind := range streamKinds {
		if place == "Send" && !kind.ServerStreams { // sends once, without waiting
			continue
		}
		streams++
		clients.Go(func() {
			at, err := streamUntilItEnds(ctx, conn, kind, reads)
			assert.Equal(t, codes.Unauthenticated, status.Code(err), "%s, %s: %v", place, kind.StreamName, err)
			assert.Equal(t, "The access token has expired.", status.Convert(err).Message())
			assert.False(t, at.Before(end), "before its time")
		})
	}
	clients.Wait()
	return streams
}

// However many they are, streams of silent clients all end, and leave nothing
// behind.
func TestStream_thousandsEnd(t *testing.T) {
	count := 2000
	if underRace {
		count = 200
	}
	l := newLives(t, claims.Authenticated())
	var reached atomic.Int32
	server := l.server(func(_ any, stream grpc.ServerStream) error {
		reached.Add(1)
		return stream.RecvMsg(&wrapperspb.StringValue{})
	})
	address, _ := native(t, server)
	conn := dial(t, address)
	timeout, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	ctx, _ := l.until(timeout, 6*time.Second)
	var clients sync.WaitGroup
	var ended atomic.Int32
	for range count {
		clients.Go(func() {
			_, err := streamUntilItEnds(ctx, conn, streamKinds[2], time.Time{})
			if status.Code(err) == codes.Unauthenticated {
				ended.Add(1)
			}
		})
	}
	clients.Wait()
	server.GracefulStop()
	l.waitForHandlers(t)
	assert.EqualValues(t, count, reached.Load(), "handlers")
	assert.EqualValues(t, count, ended.Load(), "clients that were told")
	assert.EqualValues(t, count, l.decisions.Load(), "records")
	assert.Eventually(t, func() bool { return handlers() == 0 }, 5*time.Second, 10*time.Millisecond)
}

// What waits for its first message ends with its token too, and that is the
// decision.
func TestStream_pendingEnds(t *testing.T) {
	t.Parallel()
	l := newLives(t, overGRPC.ofAcme)
	server := l.server(func(_ any, stream grpc.ServerStream) error {
		return stream.RecvMsg(&wrapperspb.StringValue{})
	})
	address, _ := native(t, server)
	timeout, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	ctx, _ := l.until(timeout, 2*time.Second)
	_, err := streamUntilItEnds(ctx, dial(t, address), streamKinds[2], time.Time{})
	assert.Equal(t, codes.Unauthenticated, status.Code(err))
	l.waitForHandlers(t)
	assert.EqualValues(t, 1, l.decisions.Load())
}
