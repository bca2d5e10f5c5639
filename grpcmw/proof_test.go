package grpcmw_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// confirmer takes note of the proofs that it is shown.
type confirmer struct {
	mu     sync.Mutex
	proofs []claims.Proof
}

func (*confirmer) Confirms() (member, scheme string) { return "jkt", "DPoP" }

func (c *confirmer) Confirm(ctx context.Context, value string, credentials claims.Credentials) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proofs = append(c.proofs, credentials.Proof.Prove(ctx))
	if value != "key" {
		return errors.New("another key")
	}
	return nil
}

func (c *confirmer) take() []claims.Proof {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.proofs = nil }()
	return c.proofs
}

// What a call proves reaches whoever confirms it, of each kind, on each way.
func TestInterceptor_boundToken(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	by := &confirmer{}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Confirmers: []claims.Confirmer{by},
	})
	require.NoError(t, err)
	policy := grpcmw.Policy{"/bound.Service/Unary": claims.Authenticated(), "/bound.Service/Bidi": overGRPC.ofAcme}
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: policy})
	require.NoError(t, err)

	// A certificate of the standard library's, for both sides.
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS()
	certificate := borrowed.TLS.Certificates[0]
	borrowed.Close()
	parsed, err := x509.ParseCertificate(certificate.Certificate[0])
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	overTLS := grpc.Creds(grpccredentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAnyClientCert,
	}))
	for _, secure := range []bool{false, true} {
		options, scheme := auth.ServerOptions(), "http"
		var dialing []grpc.DialOption
		if secure {
			options, scheme = append(options, overTLS), "https"
			dialing = []grpc.DialOption{grpc.WithTransportCredentials(grpccredentials.NewTLS(&tls.Config{
				RootCAs: pool, ServerName: "example.com", Certificates: []tls.Certificate{certificate},
			}))}
		}
		server := grpc.NewServer(options...)
		server.RegisterService(kindsOf("bound.Service", &seen{}, nil), nil)
		address, _ := native(t, server)
		conn := dial(t, address, dialing...)
		for _, method := range []string{"Unary", "Bidi"} {
			for key, code := range map[string]codes.Code{"key": codes.OK, "other": codes.Unauthenticated} {
				by.take()
				ctx := metadata.AppendToOutgoingContext(t.Context(), "dpop", "a.proof", "authorization",
					"DPoP "+issuer.Mint(claimstest.Token{Claims: map[string]any{"cnf": map[string]string{"jkt": key}}}))
				got := invoke(ctx, conn, "bound.Service", method, "acme")
				assert.Equal(t, code, status.Code(eofIsFine(got.err)), "%v", got.err)
				proofs := by.take()
				require.Len(t, proofs, 1)
				proof := proofs[0]
				assert.Equal(t, "POST", proof.Method)
				authority := address
				if secure {
					authority = "example.com"
				}
				assert.Equal(t, scheme+"://"+authority+"/bound.Service/"+method, proof.URL)
				assert.Equal(t, []string{"a.proof"}, proof.DPoP)
				assert.Equal(t, netip.MustParseAddr("127.0.0.1"), proof.Peer)
				if secure {
					assert.True(t, parsed.Equal(proof.Certificate))
				} else {
					assert.Nil(t, proof.Certificate)
				}
			}
		}
	}
}
