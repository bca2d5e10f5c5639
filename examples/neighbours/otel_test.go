package neighbours_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

func newTracing() (*tracetest.SpanRecorder, trace.TracerProvider) {
	spans := tracetest.NewSpanRecorder()
	return spans, sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
}

// attributes returns those of the one span that has ended.
func attributes(t *testing.T, spans *tracetest.SpanRecorder) map[string]string {
	t.Helper()
	require.Eventually(t, func() bool { return len(spans.Ended()) > 0 }, timeout, tick)
	require.Len(t, spans.Ended(), 1)
	found := map[string]string{"name": spans.Ended()[0].Name()}
	for _, a := range spans.Ended()[0].Attributes() {
		found[string(a.Key)] = a.Value.String()
	}
	spans.Reset()
	return found
}

// Outside the guard, tracing sees refusals with their status, and the route of
// what is let through and of what is refused.
func TestOTelHTTP_outside(t *testing.T) {
	t.Parallel()
	issuer, verifier := newVerifier(t)
	spans, provider := newTracing()
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{}))
	var inside trace.SpanContext
	mux.HandleFunc("GET /orders/{id}", claims.Scopes("a"), func(_ http.ResponseWriter, r *http.Request) {
		inside = trace.SpanContextFromContext(r.Context())
	})
	server := httptest.NewServer(otelhttp.NewHandler(mux, "server", otelhttp.WithTracerProvider(provider)))
	defer server.Close()
	assert.Equal(t, 401, send(t, server.Client(), "GET", server.URL+"/orders/7", "").status)
	refused := attributes(t, spans)
	assert.Equal(t, "401", refused["http.response.status_code"])
	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a"})
	assert.Equal(t, 200, send(t, server.Client(), "GET", server.URL+"/orders/7", token).status)
	admitted := attributes(t, spans)
	assert.Equal(t, "200", admitted["http.response.status_code"])
	assert.Equal(t, "GET /orders/{id}", admitted["name"])
	assert.Equal(t, admitted["name"], refused["name"])
	assert.True(t, inside.IsValid(), "the handler is in the span")
	for _, all := range []map[string]string{refused, admitted} {
		for key, value := range all {
			assert.NotContains(t, value, token, key)
		}
	}
}

// Inside the guard, only what is let through is traced.
func TestOTelHTTP_inside(t *testing.T) {
	t.Parallel()
	issuer, verifier := newVerifier(t)
	spans, provider := newTracing()
	auth := httpmw.New(verifier, httpmw.Config{})
	subject := ""
	traced := otelhttp.NewHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		caller, _ := claims.FromContext(r.Context())
		subject = caller.Subject()
	}), "handler", otelhttp.WithTracerProvider(provider))
	server := httptest.NewServer(auth.Wrap(traced))
	defer server.Close()
	assert.Equal(t, 401, send(t, server.Client(), "GET", server.URL, "").status)
	assert.Empty(t, spans.Ended())
	assert.Equal(t, 200, send(t, server.Client(), "GET", server.URL, issuer.Mint(claimstest.Token{Subject: "alice"})).status)
	assert.Equal(t, "200", attributes(t, spans)["http.response.status_code"])
	assert.Equal(t, "alice", subject, "the context goes through it")
}

// A stats handler stands outside every interceptor: it sees refusals, of calls
// and of streams, by their code.
func TestOTelGRPC(t *testing.T) {
	t.Parallel()
	issuer, verifier := newVerifier(t)
	spans, provider := newTracing()
	auth := newInterceptor(t, verifier, grpcmw.Policy{unary: claims.Authenticated(), output: claims.Authenticated()})
	server := grpc.NewServer(append(auth.ServerOptions(),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(provider))))...)
	testpb.RegisterTestServiceServer(server, &service{})
	client := testpb.NewTestServiceClient(dial(t, serveGRPC(t, server), nil))
	for token, want := range map[string]codes.Code{"": codes.Unauthenticated, issuer.Mint(claimstest.Token{}): codes.OK} {
		_, err := client.UnaryCall(with(t, token), &testpb.SimpleRequest{})
		assert.Equal(t, want, status.Code(err))
		assert.Equal(t, rpcStatus[want], attributes(t, spans)["rpc.response.status_code"])
		stream, err := client.StreamingOutputCall(with(t, token), &testpb.StreamingOutputCallRequest{})
		require.NoError(t, err)
		for err == nil {
			_, err = stream.Recv()
		}
		assert.Equal(t, rpcStatus[want], attributes(t, spans)["rpc.response.status_code"])
	}
}

var rpcStatus = map[codes.Code]string{codes.OK: "OK", codes.Unauthenticated: "UNAUTHENTICATED"}
