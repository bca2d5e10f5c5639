package dpop_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

const host = "api.example"

// wire is a way to a server that guards one operation, by real requests.
type wire struct {
	name   string
	method string // as a proof has it
	url    string // the same
	send   func(t testing.TB, fields ...field) answer
}

// field is one of a request, with its name as it is sent.
type field struct{ name, value string }

// answer is what a client is told.
type answer struct {
	ok         bool
	code       string // "200", "Unauthenticated"
	challenges []string
	nonce      string
	fields     http.Header // of HTTP
}

// wires returns an HTTP and a gRPC server, both with TLS, that ask auth.
func wires(t testing.TB, auth claims.Authenticator) []wire {
	t.Helper()
	return []wire{httpWire(t, auth), unaryWire(t, auth), streamWire(t, auth)}
}

func httpWire(t testing.TB, auth claims.Authenticator) wire {
	mux := httpmw.NewServeMux(httpmw.New(auth, httpmw.Config{}))
	mux.HandleFunc("GET /orders/{id}", claims.Authenticated(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("served"))
	})
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 100
	return wire{
		name: "HTTP", method: "GET", url: "https://" + host + "/orders/1%2F2",
		send: func(t testing.TB, fields ...field) answer {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/orders/1%2F2?page=2", nil)
			require.NoError(t, err)
			r.Host = host
			for _, f := range fields {
				r.Header[f.name] = append(r.Header[f.name], f.value) // not in the usual case
			}
			response, err := server.Client().Do(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			return answer{
				ok: response.StatusCode == http.StatusOK, code: http.StatusText(response.StatusCode),
				challenges: response.Header["Www-Authenticate"], nonce: response.Header.Get("DPoP-Nonce"),
				fields: response.Header,
			}
		},
	}
}

// healthServer is a service whose methods anybody may call who is let through.
type healthServer struct {
	healthgrpc.UnimplementedHealthServer
}

func (healthServer) Check(context.Context, *healthgrpc.HealthCheckRequest) (*healthgrpc.HealthCheckResponse, error) {
	return &healthgrpc.HealthCheckResponse{}, nil
}

func (healthServer) Watch(_ *healthgrpc.HealthCheckRequest, stream healthgrpc.Health_WatchServer) error {
	for range 3 {
		if err := claims.Recheck(stream.Context()); err != nil {
			return err
		}
		if err := stream.Send(&healthgrpc.HealthCheckResponse{}); err != nil {
			return err
		}
	}
	return nil
}

func dialHealth(t testing.TB, auth claims.Authenticator) healthgrpc.HealthClient {
	t.Helper()
	guard, err := grpcmw.New(auth, grpcmw.Config{Policy: grpcmw.Policy{
		healthgrpc.Health_Check_FullMethodName: claims.Authenticated(),
		healthgrpc.Health_Watch_FullMethodName: claims.Authenticated(),
	}})
	require.NoError(t, err)
	certificate := claimstest.NewCertificate(host)
	server := grpc.NewServer(append(guard.ServerOptions(), grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
	})))...)
	healthgrpc.RegisterHealthServer(server, healthServer{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithAuthority(host),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return healthgrpc.NewHealthClient(conn)
}

func outgoing(t testing.TB, fields []field) context.Context {
	md := metadata.MD{}
	for _, f := range fields {
		md.Append(f.name, f.value)
	}
	return metadata.NewOutgoingContext(t.Context(), md)
}

func answerOf(header metadata.MD, err error) answer {
	a := answer{ok: err == nil, code: status.Code(err).String(), challenges: header["www-authenticate"]}
	if nonce := header["dpop-nonce"]; len(nonce) == 1 {
		a.nonce = nonce[0]
	}
	return a
}

func unaryWire(t testing.TB, auth claims.Authenticator) wire {
	client := dialHealth(t, auth)
	return wire{
		name: "gRPC unary", method: "POST", url: "https://" + host + healthgrpc.Health_Check_FullMethodName,
		send: func(t testing.TB, fields ...field) answer {
			var header metadata.MD
			_, err := client.Check(outgoing(t, fields), nil, grpc.Header(&header))
			return answerOf(header, err)
		},
	}
}

// streamWire is a stream that is proven when it is opened, and not again.
func streamWire(t testing.TB, auth claims.Authenticator) wire {
	client := dialHealth(t, auth)
	return wire{
		name: "gRPC stream", method: "POST", url: "https://" + host + healthgrpc.Health_Watch_FullMethodName,
		send: func(t testing.TB, fields ...field) answer {
			ctx, cancel := context.WithCancel(outgoing(t, fields))
			defer cancel()
			stream, err := client.Watch(ctx, nil)
			require.NoError(t, err)
			for i := 0; err == nil; i++ {
				if _, err = stream.Recv(); err != nil && i == 3 {
					err = nil
					break
				}
			}
			header, _ := stream.Header()
			return answerOf(header, err)
		},
	}
}

// schemeOf returns the scheme of a challenge, and its error code.
func schemeOf(challenge string) (scheme, code string) {
	scheme, rest, _ := strings.Cut(challenge, " ")
	if _, after, found := strings.Cut(rest, `error="`); found {
		code, _, _ = strings.Cut(after, `"`)
	}
	return scheme, code
}

// schemesIn returns the schemes of challenges, in alphabetical order.
func schemesIn(challenges []string) []string {
	var schemes []string
	for _, challenge := range challenges {
		scheme, _ := schemeOf(challenge)
		schemes = append(schemes, scheme)
	}
	slices.Sort(schemes)
	return schemes
}
