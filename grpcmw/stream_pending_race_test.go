package grpcmw_test

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
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

// A token that expires before the first message arrives has let nobody in.
func TestPending_expires(t *testing.T) {
	t.Parallel()
	for name, lateBy := range map[string]time.Duration{
		"just in time": -time.Nanosecond, "at the moment": 0, "late": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, decisions := &conduit{}, &ledger{}
				err := onConduit(t, c, decisions.observe, func(stream grpc.ServerStream) error {
					time.AfterFunc(90*time.Second+lateBy, func() { close(c.arrive) })
					_, err := receive(stream)
					if lateBy < 0 {
						assert.NoError(t, err)
						assert.NoError(t, stream.SendMsg(nil))
						return nil
					}
					assert.Equal(t, codes.Unauthenticated, status.Code(err))
					<-stream.Context().Done()
					assert.Equal(t, claims.ReasonExpired, claims.AsError(context.Cause(stream.Context())).Reason())
					assert.Error(t, stream.SendMsg(nil))
					return nil
				})
				whole, parts := decisions.take("/s.S/M")
				assert.Len(t, whole, 1)
				if lateBy < 0 {
					assert.NoError(t, err)
					assert.Empty(t, parts)
					return
				}
				assert.Equal(t, codes.Unauthenticated, status.Code(err))
				assert.Zero(t, c.sent.Load())
				for _, d := range append(whole, parts...) {
					if assert.NotNil(t, d.Err, "it is recorded as allowed, and was not") {
						assert.Equal(t, claims.ReasonExpired, d.Err.Reason())
					}
				}
			})
		})
	}
}

// What it takes to decide does not include waiting for the client.
func TestPending_duration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, decisions := &conduit{}, &ledger{}
		require.NoError(t, onConduit(t, c, decisions.observe, func(stream grpc.ServerStream) error {
			time.AfterFunc(30*time.Second, func() { close(c.arrive) })
			_, err := receive(stream)
			return err
		}))
		whole, _ := decisions.take("/s.S/M")
		require.Len(t, whole, 1)
		assert.Less(t, whole[0].Duration, time.Second)
	})
}

// Whatever sends and receives at the same time, nothing is sent before the
// first message has been received and found good.
func TestPending_race(t *testing.T) {
	t.Parallel()
	for range 200 {
		c := &conduit{}
		var received atomic.Bool
		_ = onConduit(t, c, nil, func(stream grpc.ServerStream) error {
			var both sync.WaitGroup
			both.Go(func() {
				close(c.arrive)
				if _, err := receive(stream); err == nil {
					received.Store(true)
				}
			})
			both.Go(func() {
				for range 10 {
					if stream.SendMsg(nil) == nil {
						assert.NotErrorIs(t, stream.Context().Err(), context.Canceled)
					}
				}
			})
			both.Go(func() {
				for range 10 {
					_ = claims.Allowed(stream.Context(), overGRPC.ofAcme)
				}
			})
			both.Wait()
			if !received.Load() {
				assert.Zero(t, c.sent.Load(), "sent to a client that has been let see nothing")
			}
			return io.EOF
		})
	}
}
