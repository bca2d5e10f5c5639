package grpcmw_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// What is not there is refused in the words of who left it out; a client would
// not learn of it, and nothing is let through.
func TestInterceptor_misuse(t *testing.T) {
	t.Parallel()
	made, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: grpcmw.Policy{"/s.S/M": claims.Public()}})
	require.NoError(t, err)
	unary := func(context.Context, any) (any, error) { t.Error("the handler is called"); return nil, nil }
	stream := func(any, grpc.ServerStream) error { t.Error("the handler is called"); return nil }
	unaryInfo, streamInfo := &grpc.UnaryServerInfo{FullMethod: "/s.S/M"}, &grpc.StreamServerInfo{FullMethod: "/s.S/M"}
	p := &pipe{ctx: t.Context()}
	for want, call := range map[string]func() error{
		"Unary: the Interceptor was not made by New": func() error {
			_, err := (&grpcmw.Interceptor{}).Unary(t.Context(), nil, unaryInfo, unary)
			return err
		},
		"Stream: the Interceptor was not made by New": func() error {
			return (*grpcmw.Interceptor)(nil).Stream(nil, p, streamInfo, stream)
		},
		"Refuse: the Interceptor was not made by New": func() error {
			return (&grpcmw.Interceptor{}).Refuse(t.Context(), claims.ErrForbidden)
		},
		"Unary: ctx is nil": func() error {
			var ctx context.Context // nil
			_, err := made.Unary(ctx, nil, unaryInfo, unary)
			return err
		},
		"Unary: info is nil":     func() error { _, err := made.Unary(t.Context(), nil, nil, unary); return err },
		"Unary: handler is nil":  func() error { _, err := made.Unary(t.Context(), nil, unaryInfo, nil); return err },
		"Stream: stream is nil":  func() error { return made.Stream(nil, nil, streamInfo, stream) },
		"Stream: info is nil":    func() error { return made.Stream(nil, p, nil, stream) },
		"Stream: handler is nil": func() error { return made.Stream(nil, p, streamInfo, nil) },
	} {
		err := call()
		assert.EqualError(t, err, "grpcmw: Interceptor."+want)
		assert.Equal(t, codes.Unavailable, status.Code(err), want)
		assert.NotContains(t, status.Convert(err).String(), "nil", want)
		assert.NotContains(t, status.Convert(err).String(), "New", want)
	}
	for _, zero := range []*grpcmw.Interceptor{nil, {}} {
		assert.PanicsWithValue(t, "grpcmw: Interceptor.ServerOptions: the Interceptor was not made by New",
			func() { zero.ServerOptions() })
		assert.EqualError(t, zero.Audit(grpc.NewServer()), "grpcmw: Interceptor.Audit: the Interceptor was not made by New")
	}
	assert.EqualError(t, made.Audit(nil), "grpcmw: Interceptor.Audit: server is nil")
	assert.EqualError(t, made.Audit((*grpc.Server)(nil)), "grpcmw: Interceptor.Audit: server is nil")
}

// An error that was ignored is told of by what the caller has typed.
func TestNew_nil(t *testing.T) {
	t.Parallel()
	policy := grpcmw.Policy{"/s.S/M": claims.Public()}
	for _, auth := range []claims.Authenticator{nil, (*claims.Verifier)(nil), (*claims.Issuers)(nil), &claims.Verifier{}} {
		_, err := grpcmw.New(auth, grpcmw.Config{Policy: policy})
		require.Error(t, err)
		assert.Contains(t, []string{
			"grpcmw: New: auth is nil",
			"grpcmw: New: auth is a nil pointer, as a constructor returns beside an error",
			"grpcmw: New: auth was not made by its constructor",
		}, err.Error())
	}
	_, err := grpcmw.New(nil, grpcmw.Config{Permissions: (*claims.PermissionCache)(nil)})
	assert.EqualError(t, err, "grpcmw: Config.Policy is empty: every call would be refused\n"+
		"grpcmw: New: auth is nil\ngrpcmw: New: Config.Permissions is a nil pointer")
	_, err = grpcmw.New(verifier(t), grpcmw.Config{Policy: policy, Permissions: &claims.PermissionCache{}})
	assert.EqualError(t, err, "grpcmw: New: Config.Permissions was not made by NewPermissionCache")
}
