package mtls_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/mtls"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

type m = map[string]any

const host = "api.example"

// call is a request of a client.
type call struct {
	certificate *tls.Certificate // that it shows, nil for none
	from        string           // its address, empty for 127.0.0.1
	scheme      string           // empty for Bearer
	token       string
	header      http.Header
	public      bool // to an operation that is
}

// outcome is what came of it.
type outcome struct {
	code string   // "OK", "Unauthorized"
	seen []string // of the field that proxies set, by the handler
}

// wire is a way to a server that guards an operation, and has a public one.
type wire struct {
	name, method, url string
	send              func(t testing.TB, c call) outcome
}

func clientTLS(c call) *tls.Config {
	cfg := &tls.Config{InsecureSkipVerify: true}
	if c.certificate != nil {
		cfg.Certificates = []tls.Certificate{*c.certificate}
	}
	return cfg
}

func dialer(c call) *net.Dialer {
	d := &net.Dialer{}
	if c.from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(c.from)}
	}
	return d
}

func (c call) fields() http.Header {
	fields := c.header.Clone()
	if fields == nil {
		fields = http.Header{}
	}
	scheme := c.scheme
	if scheme == "" {
		scheme = "Bearer"
	}
	if !c.public {
		fields.Set("Authorization", scheme+" "+c.token)
	}
	return fields
}

// wires returns an HTTP and a gRPC server that ask clients for certificates.
func wires(t testing.TB, auth claims.Authenticator, by *mtls.Forwarded) []wire {
	t.Helper()
	return []wire{httpWire(t, auth, by), grpcWire(t, auth, by)}
}

func httpWire(t testing.TB, auth claims.Authenticator, by *mtls.Forwarded) wire {
	mux := httpmw.NewServeMux(httpmw.New(auth, httpmw.Config{Certificates: by}))
	serve := func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Client-Cert", "Client-Cert-Chain"} {
			w.Header()["Seen"] = append(w.Header()["Seen"], r.Header[name]...)
		}
	}
	mux.HandleFunc("GET /orders", claims.Authenticated(), serve)
	mux.HandleFunc("GET /public", claims.Public(), serve)
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	return wire{
		name: "HTTP", method: "GET", url: "https://" + host + "/orders",
		send: func(t testing.TB, c call) outcome {
			path := "/orders"
			if c.public {
				path = "/public"
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
			require.NoError(t, err)
			r.Header, r.Host = c.fields(), host
			transport := &http.Transport{TLSClientConfig: clientTLS(c), DialContext: dialer(c).DialContext}
			defer transport.CloseIdleConnections()
			response, err := transport.RoundTrip(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			return outcome{http.StatusText(response.StatusCode), response.Header["Seen"]}
		},
	}
}

// healthServer answers with what it has seen of the fields of proxies.
type healthServer struct {
	healthgrpc.UnimplementedHealthServer
}

func seenBy(ctx context.Context) (seen []string) {
	for _, name := range []string{"client-cert", "client-cert-chain"} {
		seen = append(seen, metadata.ValueFromIncomingContext(ctx, name)...)
	}
	return seen
}

func (healthServer) Check(ctx context.Context, _ *healthgrpc.HealthCheckRequest) (*healthgrpc.HealthCheckResponse, error) {
	return &healthgrpc.HealthCheckResponse{}, grpc.SetHeader(ctx, metadata.MD{"seen": seenBy(ctx)})
}

// Watch is public.
func (healthServer) Watch(_ *healthgrpc.HealthCheckRequest, stream healthgrpc.Health_WatchServer) error {
	return stream.SetHeader(metadata.MD{"seen": seenBy(stream.Context())})
}

func grpcWire(t testing.TB, auth claims.Authenticator, by *mtls.Forwarded) wire {
	guard, err := grpcmw.New(auth, grpcmw.Config{Certificates: by, Policy: grpcmw.Policy{
		healthgrpc.Health_Check_FullMethodName: claims.Authenticated(),
		healthgrpc.Health_Watch_FullMethodName: claims.Public(),
	}})
	require.NoError(t, err)
	server := grpc.NewServer(append(guard.ServerOptions(), grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{claimstest.NewCertificate(host)}, ClientAuth: tls.RequestClientCert,
	})))...)
	healthgrpc.RegisterHealthServer(server, healthServer{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return wire{
		name: "gRPC", method: "POST", url: "https://" + host + healthgrpc.Health_Check_FullMethodName,
		send: func(t testing.TB, c call) outcome {
			conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithAuthority(host),
				grpc.WithTransportCredentials(credentials.NewTLS(clientTLS(c))),
				grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
					return dialer(c).DialContext(ctx, "tcp", address)
				}))
			require.NoError(t, err)
			defer conn.Close()
			md := metadata.MD{}
			for name, values := range c.fields() {
				md.Append(name, values...)
			}
			ctx := metadata.NewOutgoingContext(t.Context(), md)
			client, header := healthgrpc.NewHealthClient(conn), metadata.MD{}
			if c.public {
				stream, err := client.Watch(ctx, nil)
				require.NoError(t, err)
				_, _ = stream.Recv()
				header, err = stream.Header()
				require.NoError(t, err)
				return outcome{"OK", header["seen"]}
			}
			_, err = client.Check(ctx, nil, grpc.Header(&header))
			code := status.Code(err).String()
			if code == "Unauthenticated" {
				code = "Unauthorized"
			}
			return outcome{code, header["seen"]}
		},
	}
}

func certifiedBy(certificate tls.Certificate) []*x509.Certificate {
	return []*x509.Certificate{certificate.Leaf}
}
