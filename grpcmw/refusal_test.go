package grpcmw_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

func TestInterceptor_Refuse(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t, everything(claims.Authenticated()))
	spy := &service{refuse: func(ctx context.Context) error {
		return auth.Refuse(ctx, claims.Allowed(ctx, claims.Scopes("orders:write")))
	}}
	client := serve(t, auth, spy)
	ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
	var header, trailer metadata.MD
	_, err := client.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.Header(&header), grpc.Trailer(&trailer))
	assert.Equal(t, codes.PermissionDenied, status.Code(err))
	require.Len(t, header.Get("www-authenticate"), 1)
	assert.Contains(t, header.Get("www-authenticate")[0], `scope="orders:write"`)
	assert.Empty(t, trailer.Get("www-authenticate"))
	assert.EqualValues(t, 1, spy.reached.Load())
}

// A reason of the user's own is told, and when to try again as far as it is
// known.
func TestInterceptor_Refuse_particulars(t *testing.T) {
	t.Parallel()
	auth, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: everything(claims.Authenticated())})
	require.NoError(t, err)
	refused := status.Convert(auth.Refuse(t.Context(), claims.NewError(claims.ErrForbidden, "own_reason", nil)))
	assert.Equal(t, codes.PermissionDenied, refused.Code())
	info, retry := details(t, refused)
	assert.Equal(t, "OWN_REASON", info.GetReason())
	assert.Empty(t, info.GetMetadata())
	assert.Nil(t, retry)
	issuer, _ := offline(t)
	down, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: outOfOrder{},
	})
	require.NoError(t, err)
	_, err = down.Authenticate(t.Context(), claims.Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{})})
	refused = status.Convert(auth.Refuse(t.Context(), err))
	assert.Equal(t, codes.Unavailable, refused.Code())
	_, retry = details(t, refused)
	assert.Equal(t, time.Minute, retry.GetRetryDelay().AsDuration())
}
