package neighbours_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/neighbours"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

const (
	timeout = 20 * time.Second // for what takes no time unless it fails
	tick    = time.Millisecond
)

// echo answers with the caller and the protocol.
func echo(w http.ResponseWriter, r *http.Request) {
	caller, _ := claims.FromContext(r.Context())
	w.Header().Set("Subject", caller.Subject())
	w.Header().Set("Protocol", r.Proto)
	w.Header().Set("Authorization-Seen", r.Header.Get("Authorization"))
}

// The guard is the same over each version of HTTP, with TLS and without.
func TestProtocols(t *testing.T) {
	t.Parallel()
	issuer, verifier := newVerifier(t)
	auth := httpmw.New(verifier, httpmw.Config{})
	token := issuer.Mint(claimstest.Token{Subject: "alice"})
	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	for name, row := range map[string]struct {
		proto string
		start func(s *httptest.Server) *http.Client
	}{
		"HTTP/1.1": {"HTTP/1.1", func(s *httptest.Server) *http.Client { s.Start(); return s.Client() }},
		"h2c": {"HTTP/2.0", func(s *httptest.Server) *http.Client {
			s.Config.Protocols = h2c
			s.Start()
			return &http.Client{Transport: &http.Transport{Protocols: h2c}}
		}},
		"TLS, HTTP/1.1": {"HTTP/1.1", func(s *httptest.Server) *http.Client { s.StartTLS(); return s.Client() }},
		"TLS, HTTP/2": {"HTTP/2.0", func(s *httptest.Server) *http.Client {
			s.EnableHTTP2 = true
			s.StartTLS()
			return s.Client()
		}},
	} {
		server := httptest.NewUnstartedServer(auth.Wrap(http.HandlerFunc(echo)))
		client := row.start(server)
		got := send(t, client, "GET", server.URL, token)
		assert.Equal(t, 200, got.status, name)
		assert.Equal(t, []string{"alice", row.proto}, []string{got.header.Get("Subject"), got.header.Get("Protocol")}, name)
		got = send(t, client, "GET", server.URL, "junk")
		assert.Equal(t, 401, got.status, name)
		assert.True(t, strings.HasPrefix(got.header.Get("WWW-Authenticate"), `Bearer realm="api", error="invalid_token"`), name)
		assert.Contains(t, got.body, `"reason":"malformed"`, name)
		server.Close()
	}
}

// Before a proxy, the guard keeps the caller's token to itself; what the server
// behind says of its own comes through.
func TestProxy_behind(t *testing.T) {
	t.Parallel()
	issuer, verifier := newVerifier(t)
	auth := httpmw.New(verifier, httpmw.Config{})
	reached := 0
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		echo(w, r)
		w.Header().Set("ETag", `"1"`)
	}))
	defer behind.Close()
	to, err := url.Parse(behind.URL)
	require.NoError(t, err)
	server := httptest.NewServer(auth.Wrap(neighbours.NewProxy(to)))
	defer server.Close()
	assert.Equal(t, 401, send(t, server.Client(), "GET", server.URL+"/x", "").status)
	assert.Zero(t, reached)
	got := send(t, server.Client(), "GET", server.URL+"/x", issuer.Mint(claimstest.Token{}))
	assert.Equal(t, 200, got.status)
	assert.Empty(t, got.header.Get("Authorization-Seen"))
	assert.Equal(t, `"1"`, got.header.Get("ETag"))
}

// Behind a proxy, the guard gets the token and the proxy passes its refusals on
// whole. The resource is what clients call it, not what the proxy does.
func TestProxy_before(t *testing.T) {
	t.Parallel()
	issuer, verifier := newVerifier(t)
	auth := httpmw.New(verifier, httpmw.Config{Resource: "https://api.example/orders"})
	mux := httpmw.NewServeMux(auth)
	mux.HandleFunc("GET /orders", claims.Scopes("a"), echo)
	mux.HandleMetadata(httpmw.MetadataConfig{})
	behind := httptest.NewServer(mux)
	defer behind.Close()
	to, err := url.Parse(behind.URL)
	require.NoError(t, err)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	defer proxy.Close()
	direct := send(t, behind.Client(), "GET", behind.URL+"/orders", "")
	got := send(t, proxy.Client(), "GET", proxy.URL+"/orders", "")
	assert.Equal(t, direct.body, got.body)
	for _, field := range []string{"Www-Authenticate", "Content-Type", "Cache-Control"} {
		assert.Equal(t, direct.header[field], got.header[field], field)
	}
	assert.Contains(t, got.header.Get("WWW-Authenticate"), `"https://api.example/.well-known/oauth-protected-resource/orders"`)
	got = send(t, proxy.Client(), "GET", proxy.URL+"/orders", issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a"}))
	assert.Equal(t, "alice", got.header.Get("Subject"))
	got = send(t, proxy.Client(), "GET", proxy.URL+"/.well-known/oauth-protected-resource/orders", "")
	assert.Contains(t, got.body, `"resource":"https://api.example/orders"`)
}

// One port for HTTP and gRPC: the gRPC server stands behind net/http, and each
// has its own guard.
func TestServeHTTP(t *testing.T) {
	t.Parallel()
	issuer, verifier := newVerifier(t)
	interceptor := newInterceptor(t, verifier, grpcmw.Policy{unary: claims.Scopes("a"), output: claims.Scopes("a")})
	rpc := grpc.NewServer(interceptor.ServerOptions()...)
	testpb.RegisterTestServiceServer(rpc, &service{})
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{}))
	mux.HandleFunc("GET /orders", claims.Scopes("a"), echo)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client := testpb.NewTestServiceClient(dial(t, server.Listener.Addr().String(),
		credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: "example.com"})))
	good := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a"})
	for token, want := range map[string]codes.Code{
		"": codes.Unauthenticated, issuer.Mint(claimstest.Token{}): codes.PermissionDenied, good: codes.OK,
	} {
		var header metadata.MD
		_, err := client.UnaryCall(with(t, token), &testpb.SimpleRequest{}, grpc.Header(&header))
		assert.Equal(t, want, status.Code(err))
		assert.Equal(t, want != codes.OK, len(header.Get("www-authenticate")) == 1)
		stream, err := client.StreamingOutputCall(with(t, token), &testpb.StreamingOutputCallRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		assert.Equal(t, want, status.Code(err))
	}
	assert.Equal(t, 401, send(t, server.Client(), "GET", server.URL+"/orders", "").status)
	assert.Equal(t, "alice", send(t, server.Client(), "GET", server.URL+"/orders", good).header.Get("Subject"))
	// A gRPC request over HTTP/1 is an HTTP request, and guarded as one.
	r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+unary, nil)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/grpc")
	old := server.Client().Transport.(*http.Transport).Clone()
	old.Protocols, old.TLSClientConfig.NextProtos = nil, []string{"http/1.1"}
	old.ForceAttemptHTTP2 = false
	resp, err := (&http.Client{Transport: old}).Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
}
