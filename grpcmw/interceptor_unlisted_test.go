package grpcmw_test

import (
	"testing"

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

// A client that calls what nobody has registered does not choose what stands in
// the record, nor a label of a metric.
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

// Two interceptors of which the inner one asks for nothing: the outer one
// decides.
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
