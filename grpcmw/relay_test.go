package grpcmw_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/relay"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// A handler of one server asks another in the name of its caller, over TLS, by
// calls of each kind.
func TestRelayCredentials(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	trusting := func(policy grpcmw.Policy, keep bool) *grpcmw.Interceptor {
		verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
		require.NoError(t, err)
		auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: policy, KeepToken: keep})
		require.NoError(t, err)
		return auth
	}
	back := trusting(policyOf("back", claims.Scopes("read")), false)
	certificate := claimstest.NewCertificate("localhost")
	serveOn := func(options ...grpc.ServerOption) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		server := grpc.NewServer(append(back.ServerOptions(), options...)...)
		server.RegisterService(kindsOf("back", &seen{}, nil), nil)
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(server.Stop)
		return listener.Addr().String()
	}
	secure, plain := serveOn(grpc.Creds(credentials.NewServerTLSFromCert(&certificate))), serveOn()
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	require.NoError(t, err)
	roots.AddCert(leaf)
	overTLS := credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: "localhost"})

	for name, tt := range map[string]struct {
		target      string
		transport   credentials.TransportCredentials
		cfg         relay.Config
		keep        bool
		want        string // of the error, empty for none
		dialRefused bool
	}{
		"over TLS":       {secure, overTLS, relay.Config{Hosts: []string{"localhost"}}, true, "", false},
		"not kept":       {secure, overTLS, relay.Config{Hosts: []string{"localhost"}}, false, "the context has no token", false},
		"another host":   {secure, overTLS, relay.Config{Hosts: []string{"a.example"}}, true, "is none of Config.Hosts", false},
		"without TLS":    {plain, insecure.NewCredentials(), relay.Config{Hosts: []string{plain}}, true, "", true},
		"by its name":    {plain, insecure.NewCredentials(), relay.Config{Hosts: []string{plain}, InsecureHTTPHosts: []string{plain}}, true, "", false},
		"by another's":   {plain, insecure.NewCredentials(), relay.Config{Hosts: []string{plain}, InsecureHTTPHosts: []string{"localhost"}}, true, "may not be sent a token without TLS", false},
		"TLS, by a name": {secure, overTLS, relay.Config{Hosts: []string{"localhost"}, InsecureHTTPHosts: []string{plain}}, true, "", false},
	} {
		to, err := relay.New(tt.cfg)
		require.NoError(t, err, name)
		conn, err := grpc.NewClient(tt.target, grpc.WithTransportCredentials(tt.transport),
			grpc.WithPerRPCCredentials(grpcmw.RelayCredentials(to)))
		if tt.dialRefused {
			require.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		for _, kind := range kinds {
			var got reply
			front := serving(t, trusting(policyOf("front", claims.Authenticated()), tt.keep), kindsOf("front", &seen{},
				func(_ any, stream grpc.ServerStream) error {
					got = invoke(stream.Context(), conn, "back", kind, "hello")
					return nil
				}))
			ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{Subject: "alice", Scope: "read"})})
			_ = invoke(ctx, front, "front", "Bidi", "hello")
			if tt.want == "" {
				assert.Equal(t, io.EOF, got.err, "%s %s", name, kind)
				assert.Equal(t, []string{"hello"}, got.messages, name)
				continue
			}
			assert.ErrorContains(t, got.err, tt.want, name)
			assert.NotContains(t, status.Convert(got.err).Message(), "eyJ")
		}
		require.NoError(t, conn.Close())
	}
	_, err = grpcmw.RelayCredentials(nil).GetRequestMetadata(context.Background())
	assert.Error(t, err)
	_, err = grpcmw.RelayCredentials(nil).GetRequestMetadata(context.Background(), "https://a.example")
	assert.Error(t, err)
}

// policyOf is a policy for a service of kindsOf.
func policyOf(name string, needs claims.Requirement) grpcmw.Policy {
	policy := grpcmw.Policy{}
	for _, kind := range kinds {
		policy["/"+name+"/"+kind] = needs
	}
	return policy
}
