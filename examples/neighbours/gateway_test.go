package neighbours_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/neighbours"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// register does what generated code of the gateway does.
func register(t *testing.T, mux *runtime.ServeMux, client testpb.TestServiceClient) {
	t.Helper()
	require.NoError(t, mux.HandlePath("GET", "/unary", func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
		_, marshaler := runtime.MarshalerForRequest(mux, r)
		ctx, err := runtime.AnnotateContext(r.Context(), mux, r, unary)
		if err != nil {
			runtime.HTTPError(r.Context(), mux, marshaler, w, r, err)
			return
		}
		var md runtime.ServerMetadata
		resp, err := client.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.Header(&md.HeaderMD), grpc.Trailer(&md.TrailerMD))
		ctx = runtime.NewServerMetadataContext(ctx, md)
		if err != nil {
			runtime.HTTPError(ctx, mux, marshaler, w, r, err)
			return
		}
		runtime.ForwardResponseMessage(ctx, mux, marshaler, w, r, resp)
	}))
	require.NoError(t, mux.HandlePath("GET", "/stream", func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
		_, marshaler := runtime.MarshalerForRequest(mux, r)
		ctx, err := runtime.AnnotateContext(r.Context(), mux, r, output)
		if err != nil {
			runtime.HTTPError(r.Context(), mux, marshaler, w, r, err)
			return
		}
		stream, err := client.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{})
		if err != nil {
			runtime.HTTPError(ctx, mux, marshaler, w, r, err)
			return
		}
		header, err := stream.Header()
		if err != nil {
			runtime.HTTPError(ctx, mux, marshaler, w, r, err)
			return
		}
		ctx = runtime.NewServerMetadataContext(ctx, runtime.ServerMetadata{HeaderMD: header})
		runtime.ForwardResponseStream(ctx, mux, marshaler, w, r, func() (proto.Message, error) {
			message, err := stream.Recv()
			if err == io.EOF {
				return nil, io.EOF
			}
			return message, err
		})
	}))
}

// HTTP clients of a gateway get the status and the challenge that gRPC clients
// get, and the server behind knows the caller.
func TestGateway(t *testing.T) {
	t.Parallel()
	issuer, verifier := newVerifier(t)
	for name, row := range map[string]struct {
		auth      claims.Authenticator
		token     string
		fields    []string
		status    int
		challenge string
		retry     string
	}{
		"admitted": {verifier, issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a"}), nil, 200, "", ""},
		"no token": {verifier, "", nil, 401, `Bearer realm="api", scope="a"`, ""},
		"bad token": {verifier, "junk", nil, 401,
			`Bearer realm="api", error="invalid_token", error_description="The access token is malformed.", scope="a"`, ""},
		"lacking": {verifier, issuer.Mint(claimstest.Token{}), nil, 403,
			`Bearer realm="api", error="insufficient_scope", error_description="The access token lacks a scope that this operation needs.", scope="a"`, ""},
		"cannot decide": {outage{}, "x", nil, 503, "", "1"},
		"under another name": {verifier, "", []string{
			"Grpc-Metadata-Authorization", "Bearer " + issuer.Mint(claimstest.Token{Scope: "a"}),
		}, 401, `Bearer realm="api", scope="a"`, ""},
	} {
		auth := newInterceptor(t, row.auth, grpcmw.Policy{unary: claims.Scopes("a"), output: claims.Scopes("a")})
		spy := &service{}
		server := grpc.NewServer(auth.ServerOptions()...)
		testpb.RegisterTestServiceServer(server, spy)
		mux := neighbours.NewGatewayMux()
		register(t, mux, testpb.NewTestServiceClient(dial(t, serveGRPC(t, server), nil)))
		front := httptest.NewServer(mux)
		defer front.Close()
		for _, path := range []string{"/unary", "/stream"} {
			got := send(t, front.Client(), "GET", front.URL+path, row.token, row.fields...)
			assert.Equal(t, row.status, got.status, name+path)
			assert.Equal(t, row.challenge, got.header.Get("WWW-Authenticate"), name+path)
			if path == "/unary" { // the gateway lets nobody say it of a stream
				assert.Equal(t, row.retry, got.header.Get("Retry-After"), name+path)
			}
			if row.status == 200 {
				assert.Contains(t, got.body, "YWxpY2U", "alice, in base64")
			}
		}
		assert.Equal(t, row.status == 200, spy.reached.Load() > 0, name)
	}
}
