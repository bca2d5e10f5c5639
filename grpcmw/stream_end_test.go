package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
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

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// The context of a stream ends by its token, which is no deadline of it, as
// claims.Renew may move it.
func TestStream_contextAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := onStream(t, &pipe{}, func(stream grpc.ServerStream) {
			ctx := stream.Context()
			_, limited := ctx.Deadline()
			assert.False(t, limited)
			<-ctx.Done()
			assert.Equal(t, context.Canceled, ctx.Err())
			assert.Equal(t, claims.ReasonExpired, claims.AsError(context.Cause(ctx)).Reason())
		})
		assert.Equal(t, codes.Unauthenticated, status.Code(err))
	})
}

// Whatever a handler returns when its token has expired, that is what the
// client is told, and what is recorded, once.
func TestStream_endsByTheContext(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.Context) error{
		"its error":   context.Context.Err,
		"its cause":   context.Cause,
		"nothing":     func(context.Context) error { return nil },
		"end of file": func(context.Context) error { return io.EOF },
		"as a status": func(ctx context.Context) error { return status.FromContextError(ctx.Err()).Err() },
		"wrapped":     func(ctx context.Context) error { return errors.Join(errors.New("query"), ctx.Err()) },
		"its own":     func(context.Context) error { return fmt.Errorf("query: %w", context.Canceled) },
		"cancelled":   func(context.Context) error { return status.Error(codes.Canceled, "query") },
		"internal":    func(ctx context.Context) error { return status.Error(codes.Internal, ctx.Err().Error()) },
		"unknown":     func(ctx context.Context) error { return errors.New(ctx.Err().Error()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				decisions := &ledger{}
				for range 20 { // the handler may return before its end is noticed, or after
					_, err := pendingOn(t, claims.Authenticated(), func(ctx context.Context) grpc.ServerStream {
						return &pipe{ctx: ctx}
					}, func(stream grpc.ServerStream) error {
						<-stream.Context().Done()
						return end(stream.Context())
					}, decisions)
					assert.Equal(t, codes.Unauthenticated, status.Code(err))
					_, parts := decisions.take(pendingMethod)
					if assert.Len(t, parts, 1) && assert.NotNil(t, parts[0].Err) {
						assert.Equal(t, claims.ReasonExpired, parts[0].Err.Reason())
					}
				}
			})
		})
	}
}

// What a handler cancels by itself is not the end of the token.
func TestStream_cancelsByItself(t *testing.T) {
	t.Parallel()
	p := &pipe{}
	want := status.Error(codes.Canceled, "the handler has enough")
	assert.Equal(t, want, onStream(t, p, func(grpc.ServerStream) {}, func() error { return want }))
	assert.Zero(t, p.headers.set.Load())
}

// A stream goes on while a permission lasts, and asks for itself.
func TestStream_recheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		granted := claims.Grants{Permissions: []string{"p"}}
		cache, err := claims.NewPermissionCache(granter(func(claims.Principal) (claims.Grants, error) {
			return granted, nil
		}), claims.PermissionCacheConfig{})
		require.NoError(t, err)
		issuer, verifier := offline(t)
		auth, err := grpcmw.New(verifier, grpcmw.Config{
			Policy: grpcmw.Policy{pendingMethod: claims.Permissions("p")}, Permissions: cache,
		})
		require.NoError(t, err)
		p := &pipe{ctx: metadata.NewIncomingContext(t.Context(),
			metadata.Pairs("authorization", "Bearer "+mint(issuer)))}
		err = auth.Stream(nil, p, &grpc.StreamServerInfo{FullMethod: pendingMethod},
			func(_ any, stream grpc.ServerStream) error {
				assert.NoError(t, claims.Recheck(stream.Context()))
				granted = claims.Grants{}
				time.Sleep(30 * time.Second)
				return auth.Refuse(stream.Context(), claims.Recheck(stream.Context()))
			})
		assert.Equal(t, codes.PermissionDenied, status.Code(err))
	})
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
