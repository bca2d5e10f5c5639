package boundclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/claims/mtls"
	"github.com/sallyport-go/sallyport/examples/boundclient"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

// world is an issuer, and servers of an HTTP and a gRPC API that trust it.
type world struct {
	issuer *claimstest.Issuer
	url    string // of the HTTP API
	target string // of the gRPC API
	roots  *x509.CertPool
	asked  atomic.Int32 // how many requests there were, of either kind
}

// tokens returns a source of a token that is bound to a key.
func (w *world) tokens(member, value string) oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{
		AccessToken: w.issuer.Mint(claimstest.Token{Claims: map[string]any{"cnf": map[string]any{member: value}}}),
	})
}

func start(t *testing.T, proofs dpop.Config) *world {
	t.Helper()
	w := &world{issuer: claimstest.Start(t, claimstest.Config{}), roots: x509.NewCertPool()}
	confirmer, err := dpop.New(proofs)
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: w.issuer.URL(), Audiences: []string{claimstest.Audience},
		Confirmers: []claims.Confirmer{confirmer, mtls.New()},
	})
	require.NoError(t, err)
	w.startHTTP(t, verifier)
	w.startGRPC(t, verifier)
	return w
}

func (w *world) startHTTP(t *testing.T, verifier *claims.Verifier) {
	echo := httpmw.New(verifier, httpmw.Config{}).Wrap(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(out, r.Body)
	}))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		echo.ServeHTTP(out, r)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	w.url = server.URL
	w.roots.AddCert(server.Certificate())
}

// health is a service that lets a call and a stream through.
type health struct {
	healthpb.UnimplementedHealthServer
}

func (health) Check(context.Context, *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	return &healthpb.HealthCheckResponse{}, nil
}

func (health) Watch(_ *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	return stream.Send(&healthpb.HealthCheckResponse{})
}

func (w *world) startGRPC(t *testing.T, verifier *claims.Verifier) {
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{
		healthpb.Health_Check_FullMethodName: claims.Authenticated(),
		healthpb.Health_Watch_FullMethodName: claims.Authenticated(),
	}})
	require.NoError(t, err)
	certificate := claimstest.NewCertificate("localhost")
	w.roots.AddCert(certificate.Leaf)
	count := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		w.asked.Add(1)
		return next(ctx, request)
	}
	server := grpc.NewServer(append([]grpc.ServerOption{
		grpc.ChainUnaryInterceptor(count),
		grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequestClientCert,
		})),
	}, auth.ServerOptions()...)...)
	healthpb.RegisterHealthServer(server, health{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	w.target = listener.Addr().String()
}

func (w *world) dial(t *testing.T, opts ...grpc.DialOption) healthpb.HealthClient {
	t.Helper()
	conn, err := grpc.NewClient(w.target, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return healthpb.NewHealthClient(conn)
}

// base is what sends requests to the servers.
func (w *world) base() http.RoundTripper {
	return boundclient.Certified{Roots: w.roots}.Client().Transport
}

func newKey(t *testing.T) *boundclient.Key {
	t.Helper()
	key, err := boundclient.NewKey()
	require.NoError(t, err)
	return key
}
