package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

// handled runs a handler as a unary method, a stream, a stream that waits for
// its first message, and as public methods, and returns what each call returns.
func handled(t *testing.T, handler func(context.Context, *grpcmw.Interceptor) error) map[string]struct {
	err error
	met *metadataOf
} {

	t.Helper()
	issuer, verifier := offline(t)
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{
		"/s.S/M": claims.Authenticated(), "/s.S/Pending": overGRPC.ofAcme, "/s.S/Public": claims.Public(),
	}})
	require.NoError(t, err)
	results := map[string]struct {
		err error
		met *metadataOf
	}{}
	for _, name := range []string{"M", "Pending", "Public"} {
		for _, streams := range []bool{false, true} {
			met := &metadataOf{}
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+mint(issuer)))
			ctx = grpc.NewContextWithServerTransportStream(ctx, met)
			var err error
			if streams {
				p := &pipe{ctx: ctx, message: "acme"}
				err = auth.Stream(t, p, &grpc.StreamServerInfo{FullMethod: "/s.S/" + name},
					func(_ any, stream grpc.ServerStream) error { return handler(stream.Context(), auth) })
			} else {
				_, err = auth.Unary(ctx, wrapperspb.String("acme"), &grpc.UnaryServerInfo{FullMethod: "/s.S/" + name},
					func(ctx context.Context, _ any) (any, error) { return nil, handler(ctx, auth) })
			}
			results[fmt.Sprintf("%s streams=%v", name, streams)] = struct {
				err error
				met *metadataOf
			}{err, met}
		}
	}
	return results
}

// A refusal that a handler returns becomes its status, however it is wrapped.
func TestInterceptor_handlerRefuses(t *testing.T) {
	t.Parallel()
	write := claims.Scopes("orders:write")
	allowed := func(ctx context.Context) error {
		err := claims.Allowed(claims.NewContext(ctx, &claims.Claims{}), write)
		return fmt.Errorf("secret-text: %w", err)
	}
	for name, tt := range map[string]struct {
		handler func(context.Context, *grpcmw.Interceptor) error
		code    codes.Code
		reason  string
		asks    string // in the challenge
	}{
		"of Allowed": {
			handler: func(ctx context.Context, _ *grpcmw.Interceptor) error { return errors.Unwrap(allowed(ctx)) },
			code:    codes.PermissionDenied, reason: "SCOPE", asks: `scope="orders:write"`,
		},
		"wrapped": {
			handler: func(ctx context.Context, _ *grpcmw.Interceptor) error { return allowed(ctx) },
			code:    codes.PermissionDenied, reason: "SCOPE", asks: `scope="orders:write"`,
		},
		"joined with a status": {
			handler: func(ctx context.Context, _ *grpcmw.Interceptor) error {
				return errors.Join(status.Error(codes.Internal, "secret-text"), allowed(ctx))
			},
			code: codes.PermissionDenied, reason: "SCOPE", asks: `scope="orders:write"`,
		},
		"refused by hand": {
			handler: func(ctx context.Context, auth *grpcmw.Interceptor) error { return auth.Refuse(ctx, allowed(ctx)) },
			code:    codes.PermissionDenied, reason: "SCOPE", asks: `scope="orders:write"`,
		},
		"refused by hand, wrapped": {
			handler: func(ctx context.Context, auth *grpcmw.Interceptor) error {
				return fmt.Errorf("secret-text: %w", auth.Refuse(ctx, allowed(ctx)))
			},
			code: codes.PermissionDenied, reason: "SCOPE", asks: `scope="orders:write"`,
		},
		"a sentinel": {
			handler: func(context.Context, *grpcmw.Interceptor) error { return claims.ErrForbidden },
			code:    codes.PermissionDenied, reason: "PERMISSION",
		},
		"a token of its own": {
			handler: func(context.Context, *grpcmw.Interceptor) error {
				return claims.NewError(claims.ErrInvalidToken, "own", errors.New("secret-text"))
			},
			code: codes.Unauthenticated, reason: "OWN", asks: `error="invalid_token"`,
		},
		"cannot decide": {
			handler: func(context.Context, *grpcmw.Interceptor) error {
				return claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, errors.New("secret-text"))
			},
			code: codes.Unavailable, reason: "UNDECIDED",
		},
		"cannot decide, and says so often": {
			handler: func(ctx context.Context, auth *grpcmw.Interceptor) error {
				_ = auth.Refuse(ctx, claims.ErrUnavailable)
				return auth.Refuse(ctx, auth.Refuse(ctx, claims.ErrUnavailable))
			},
			code: codes.Unavailable, reason: "UNDECIDED",
		},
		"nil": {
			handler: func(context.Context, *grpcmw.Interceptor) error { return (*claims.Error)(nil) },
			code:    codes.Unavailable, reason: "UNDECIDED",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for method, got := range handled(t, tt.handler) {
				st, ok := status.FromError(got.err)
				require.True(t, ok, method)
				assert.Equal(t, tt.code, st.Code(), method)
				info, retry := details(t, st)
				assert.Equal(t, tt.reason, info.GetReason(), method)
				assert.NotContains(t, st.String()+got.err.Error(), "secret-text", method)
				header := strings.Join(got.met.header.Get("www-authenticate"), "|")
				assert.Equal(t, info.GetMetadata()["www-authenticate"], header, method)
				assert.Contains(t, header, tt.asks, method)
				assert.Equal(t, tt.asks == "", header == "", method)
				pushback := got.met.trailer.Get("grpc-retry-pushback-ms")
				if tt.code == codes.Unavailable {
					assert.Equal(t, []string{"1000"}, pushback, method)
					assert.NotNil(t, retry, method)
				} else {
					assert.Empty(t, got.met.trailer, method)
				}
			}
		})
	}
}

// What a handler returns of its own accord stays as it is.
func TestInterceptor_handlerFails(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]error{
		"a status":          status.Error(codes.NotFound, "x"),
		"a wrapped status":  fmt.Errorf("x: %w", status.Error(codes.Internal, "x")),
		"any other":         errOwn,
		"its context's end": context.DeadlineExceeded,
		"nothing":           nil,
	} {
		for method, got := range handled(t, func(context.Context, *grpcmw.Interceptor) error { return want }) {
			if method == "Pending streams=true" { // what is not for everybody
				continue
			}
			assert.Equal(t, want, got.err, "%s: %s", name, method)
			assert.Empty(t, got.met.header, "%s: %s", name, method)
			assert.Empty(t, got.met.trailer, "%s: %s", name, method)
		}
	}
}

// Interceptors outside find the refusal and its cause, for operators.
func TestInterceptor_refusalOutside(t *testing.T) {
	t.Parallel()
	for method, got := range handled(t, func(context.Context, *grpcmw.Interceptor) error {
		return claims.NewError(claims.ErrForbidden, claims.ReasonPermission, errOwn)
	}) {
		var refusal *claims.Error
		require.ErrorAs(t, got.err, &refusal, method)
		assert.Equal(t, claims.ReasonPermission, refusal.Reason(), method)
		assert.ErrorIs(t, got.err, errOwn, method)
		assert.NotContains(t, status.Convert(got.err).String(), errOwn.Error())
	}
}

// Two guards tell a client once when to try again: it takes two for never.
func TestInterceptor_refusalThroughTwoGuards(t *testing.T) {
	t.Parallel()
	issuer, verifier := offline(t)
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{pendingMethod: claims.Authenticated()}})
	require.NoError(t, err)
	met := &metadataOf{}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+mint(issuer)))
	ctx = grpc.NewContextWithServerTransportStream(ctx, met)
	unary, streams := &grpc.UnaryServerInfo{FullMethod: pendingMethod}, &grpc.StreamServerInfo{FullMethod: pendingMethod}
	_, err = auth.Unary(ctx, nil, unary, func(ctx context.Context, req any) (any, error) {
		return auth.Unary(ctx, req, unary, func(context.Context, any) (any, error) { return nil, claims.ErrUnavailable })
	})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, []string{"1000"}, met.trailer.Get("grpc-retry-pushback-ms"))
	met.trailer = nil
	err = auth.Stream(nil, &pipe{ctx: ctx}, streams, func(srv any, stream grpc.ServerStream) error {
		return auth.Stream(srv, stream, streams, func(any, grpc.ServerStream) error { return claims.ErrUnavailable })
	})
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, []string{"1000"}, met.trailer.Get("grpc-retry-pushback-ms"))
}
