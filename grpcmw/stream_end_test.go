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
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

func mint(issuer *claimstest.Issuer) string {
	return issuer.Mint(claimstest.Token{Subject: "alice", Scope: "read"})
}

func minted(issuer *claimstest.Issuer, lifetime time.Duration) string {
	return issuer.Mint(claimstest.Token{Subject: "alice", Lifetime: lifetime})
}

// Whatever a handler returns when its token has expired, that is what the client is
// told, and what is recorded, once.
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

// A client that calls what nobody has registered does not choose what stands in the
// record, nor a label of a metric.
func TestUnlisted_unknownService(t *testing.T) {
	t.Parallel()
	_, verifier := matrixVerifier(t)
	decisions := &ledger{}
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{pendingMethod: claims.Authenticated()}, Observer: decisions.observe,
	})
	require.NoError(t, err)
	info := &grpc.StreamServerInfo{FullMethod: "/made.Up/Name"}
	err = auth.Stream(nil, &pipe{ctx: t.Context()}, info, nil)
	assert.Equal(t, codes.PermissionDenied, status.Code(err))
	whole, _ := decisions.take("unknown")
	require.Len(t, whole, 1)
	assert.Equal(t, claims.ReasonUnlisted, whole[0].Err.Reason())
	err = auth.Stream(struct{}{}, &pipe{ctx: t.Context()}, info, nil)
	assert.Equal(t, codes.PermissionDenied, status.Code(err))
	whole, _ = decisions.take("/made.Up/Name")
	assert.Len(t, whole, 1, "one that somebody has registered has its name")
}

// Two interceptors of which the inner one asks for nothing: the outer one decides.
func TestInterceptors_innerPublic(t *testing.T) {
	t.Parallel()
	issuer, verifier := matrixVerifier(t)
	inner, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{pendingMethod: claims.Public()}})
	require.NoError(t, err)
	outer, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{pendingMethod: inAcme}, Permissions: grants,
	})
	require.NoError(t, err)
	for workspace, code := range map[string]codes.Code{"acme": codes.OK, "other": codes.PermissionDenied} {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+mint(issuer)))
		p := &pipe{ctx: ctx, message: workspace}
		info := &grpc.StreamServerInfo{FullMethod: pendingMethod}
		err := outer.Stream(nil, p, info, func(srv any, stream grpc.ServerStream) error {
			return inner.Stream(srv, stream, info, func(_ any, stream grpc.ServerStream) error {
				if _, err := receive(stream); err != nil {
					return err
				}
				return stream.SendMsg(wrapperspb.String("answer"))
			})
		})
		assert.Equal(t, code, status.Code(err), workspace)
	}
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
