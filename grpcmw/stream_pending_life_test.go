package grpcmw_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
)

// A stream that ends before there is a first message has been decided about,
// too.
func TestPending_clientGoesAway(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	s := servePending(t, inAcme, func(_ any, stream grpc.ServerStream) error {
		close(entered)
		_, err := receive(stream)
		assert.Error(t, err)
		return err
	})
	ctx, cancel := context.WithCancel(s.ctx)
	stream, err := s.conn.NewStream(ctx, &streamKinds[2], pendingMethod)
	require.NoError(t, err)
	<-entered
	cancel()
	assert.Error(t, stream.RecvMsg(&wrapperspb.StringValue{}))
	assert.NotNil(t, s.oneDecision(t).Err)
}

// Items of a list are filtered by what is known of the stream.
func TestPending_Filter(t *testing.T) {
	t.Parallel()
	see := func(item string) claims.Requirement {
		return map[string]claims.Requirement{
			"all see": claims.Public(), "of acme": inAcme, "of a fixed workspace": claims.InWorkspace("acme", claims.Permissions("in-acme")),
			"of nobody": claims.Permissions("none"), "everywhere": claims.Permissions("by-source"), "of another": claims.Scopes("write"),
		}[item]
	}
	items := []string{"of nobody", "all see", "of acme", "of another", "everywhere", "of a fixed workspace"}
	s := servePending(t, inAcme, func(_ any, stream grpc.ServerStream) error {
		kept, err := claims.Filter(stream.Context(), items, see)
		assert.NoError(t, err)
		assert.Equal(t, []string{"all see", "everywhere", "of a fixed workspace"}, kept, "before the message")
		if _, err := receive(stream); err != nil {
			return err
		}
		kept, err = claims.Filter(stream.Context(), items, see)
		assert.NoError(t, err)
		for _, item := range kept {
			if err := stream.SendMsg(wrapperspb.String(item)); err != nil {
				return err
			}
		}
		return nil
	})
	got := s.call("acme")
	assert.Equal(t, io.EOF, got.err)
	assert.Equal(t, []string{"all see", "of acme", "everywhere", "of a fixed workspace"}, got.messages)
	assert.Nil(t, s.oneDecision(t).Err)
}

// Sender and receiver may be two goroutines.
func TestPending_concurrent(t *testing.T) {
	t.Parallel()
	s := servePending(t, inAcme, func(_ any, stream grpc.ServerStream) error {
		first, err := receive(stream)
		if err != nil {
			return err
		}
		assert.Equal(t, "acme", first)
		var both sync.WaitGroup
		both.Go(func() {
			for err == nil {
				_, err = receive(stream)
			}
		})
		both.Go(func() {
			for range 20 {
				assert.NoError(t, stream.SendMsg(wrapperspb.String("x")))
				assert.NoError(t, claims.Allowed(stream.Context(), inAcme))
			}
		})
		both.Wait()
		assert.True(t, errors.Is(err, io.EOF))
		return nil
	})
	got := s.call("acme", "a", "b", "c")
	assert.Equal(t, io.EOF, got.err)
	assert.Len(t, got.messages, 20)
	assert.Nil(t, s.oneDecision(t).Err)
}
