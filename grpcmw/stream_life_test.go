package grpcmw_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
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

// What a handler panics with reaches interceptors outside, on their goroutine,
// with where it was.
func TestStream_panic(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"error": errOwn, "text": "of the handler's own", "wrapped": fmt.Errorf("x: %w", errOwn),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var recovered any
			func() {
				defer func() { recovered = recover() }()
				_ = onStream(t, &pipe{}, func(grpc.ServerStream) { panicsDeepInside(value) })
			}()
			err, ok := recovered.(error)
			require.True(t, ok, "%T", recovered)
			assert.ErrorContains(t, err, "of the handler's own")
			assert.ErrorContains(t, err, "panicsDeepInside")
			assert.Equal(t, name != "text", errors.Is(err, errOwn))
		})
	}
}

// Of two guards the inner one's panic goes through the outer one as it is.
func TestStream_panicThroughTwoGuards(t *testing.T) {
	t.Parallel()
	issuer, verifier := offline(t)
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{pendingMethod: claims.Authenticated()}})
	require.NoError(t, err)
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+mint(issuer)))
	info := &grpc.StreamServerInfo{FullMethod: pendingMethod}
	var recovered any
	func() {
		defer func() { recovered = recover() }()
		_ = auth.Stream(nil, &pipe{ctx: ctx}, info, func(srv any, stream grpc.ServerStream) error {
			return auth.Stream(srv, stream, info, func(any, grpc.ServerStream) error {
				panicsDeepInside(errOwn)
				return nil
			})
		})
	}()
	err, _ = recovered.(error)
	require.ErrorIs(t, err, errOwn)
	assert.Equal(t, 1, strings.Count(err.Error(), "debug.Stack("), "where it was, and not where it passed")
}

// A handler that leaves by runtime.Goexit, as a failed test does, ends its call
// so too.
func TestStream_goexit(t *testing.T) {
	t.Parallel()
	returned, done := false, make(chan struct{})
	go func() {
		defer close(done)
		_ = onStream(t, &pipe{}, func(grpc.ServerStream) { runtime.Goexit() })
		returned = true
	}()
	<-done
	assert.False(t, returned)
}

// Nobody is there any more for what a handler panics with after the end of its
// stream: it is logged, and ends nothing else.
func TestStream_panicAfterItsEnd(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		err := onStream(t, &pipe{}, func(stream grpc.ServerStream) {
			time.Sleep(24 * time.Hour)
			panicsDeepInside(errOwn)
		})
		assert.Equal(t, codes.Unauthenticated, status.Code(err))
		time.Sleep(25 * time.Hour)
	})
	assert.Equal(t, 1, strings.Count(logged.String(), "level=ERROR"))
	assert.Contains(t, logged.String(), errOwn.Error())
	assert.Contains(t, logged.String(), "panicsDeepInside")
}

// A handler whose client has gone keeps its call, as without a guard, but no
// longer than its token lasts.
func TestStream_clientGoes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		goesOn, ends time.Duration // after it was called
		code         codes.Code
	}{
		"it returns":      {goesOn: 20 * time.Second, ends: 20 * time.Second, code: codes.DataLoss},
		"it does not":     {goesOn: time.Hour, ends: 90 * time.Second, code: codes.Unauthenticated},
		"it does at once": {goesOn: 10 * time.Second, ends: 10 * time.Second, code: codes.DataLoss},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuer, verifier := offline(t)
				auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{pendingMethod: claims.Authenticated()}})
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(10*time.Second, cancel)
				p := &pipe{ctx: metadata.NewIncomingContext(ctx,
					metadata.Pairs("authorization", "Bearer "+minted(issuer, time.Minute)))}
				start := time.Now()
				err = auth.Stream(nil, p, &grpc.StreamServerInfo{FullMethod: pendingMethod},
					func(any, grpc.ServerStream) error {
						time.Sleep(tt.goesOn)
						return status.Error(codes.DataLoss, "x")
					})
				assert.Equal(t, tt.code, status.Code(err))
				assert.Equal(t, tt.ends, time.Since(start))
				time.Sleep(time.Hour)
			})
		})
	}
}

// Where nothing ends, nothing is paid for it.
func TestStream_goroutines(t *testing.T) {
	t.Parallel()
	caller, err := claims.FromJSON([]byte(`{"sub":"alice"}`), claims.Config{})
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		auth  claims.Authenticator
		needs claims.Requirement
		same  bool
	}{
		"public":             {auth: accepting{caller}, needs: claims.Public(), same: true},
		"token without end":  {auth: accepting{caller}, needs: claims.Authenticated(), same: true},
		"token with its end": {needs: claims.Authenticated()},
	} {
		issuer, verifier := offline(t)
		if tt.auth == nil {
			tt.auth = verifier
		}
		auth, err := grpcmw.New(tt.auth, grpcmw.Config{Policy: grpcmw.Policy{pendingMethod: tt.needs}})
		require.NoError(t, err)
		p := &pipe{ctx: metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+mint(issuer)))}
		var stack string
		require.NoError(t, auth.Stream(nil, p, &grpc.StreamServerInfo{FullMethod: pendingMethod},
			func(_ any, stream grpc.ServerStream) error {
				stack = string(debug.Stack())
				assert.Equal(t, name == "public", stream == grpc.ServerStream(p), name)
				return nil
			}))
		assert.Equal(t, tt.same, strings.Contains(stack, "TestStream_goroutines("), name)
	}
}

// What was blocked below when the stream ended touches nothing once it comes
// back: not even what waited to be sent with the first message.
func TestStream_comesBackAfterItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &conduit{}
		err := onConduit(t, c, nil, func(stream grpc.ServerStream) error {
			assert.NoError(t, stream.SetHeader(metadata.Pairs("h", "1"))) // conduit has none
			stream.SetTrailer(metadata.Pairs("t", "1"))
			time.AfterFunc(time.Hour, func() { close(c.arrive) })
			in := &wrapperspb.StringValue{}
			assert.Equal(t, codes.Unauthenticated, status.Code(stream.RecvMsg(in)))
			assert.Equal(t, "acme", in.GetValue(), "it was the handler's to fill")
			assert.Error(t, stream.SetHeader(metadata.Pairs("h", "2")))
			stream.SetTrailer(metadata.Pairs("t", "2"))
			return nil
		})
		assert.Equal(t, codes.Unauthenticated, status.Code(err))
		assert.Zero(t, c.sent.Load())
	})
}

// What is decided about the first message too late lets nothing pass.
func TestStream_decidedAfterItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := claims.RequestFunc("slow", func(context.Context, *claims.Claims, *wrapperspb.StringValue) (bool, error) {
			time.Sleep(24 * time.Hour)
			return true, nil
		})
		s, decisions := &said{}, &ledger{}
		_, err := pendingOn(t, slow, func(ctx context.Context) grpc.ServerStream {
			s.ctx = ctx
			return s
		}, func(stream grpc.ServerStream) error {
			stream.SetTrailer(metadata.Pairs("t", "1"))
			_, err := receive(stream)
			assert.Equal(t, codes.Unauthenticated, status.Code(err))
			return nil
		}, decisions)
		assert.Equal(t, codes.Unauthenticated, status.Code(err))
		assert.Empty(t, s.trailer)
		_, parts := decisions.take(pendingMethod)
		require.Len(t, parts, 1)
		assert.Equal(t, claims.ReasonExpired, parts[0].Err.Reason())
	})
}
