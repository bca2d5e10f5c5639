package main_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

// startBound starts a service that trusts an issuer.
func startBound(t *testing.T, flags ...string) (demo, *claimstest.Issuer) {
	t.Helper()
	issuer := startIssuer(t)
	return start(t, append([]string{"-issuer", issuer.URL()}, flags...)...), issuer
}

func boundTo(issuer *claimstest.Issuer, member, value string) string {
	return issuer.Mint(claimstest.Token{
		Subject: "alice", Scope: "orders:read", Claims: map[string]any{"cnf": map[string]any{member: value}},
	})
}

// prove sends a request with a proof for a URL that clients see.
func (d demo) prove(t *testing.T, key *claimstest.Key, seen, token, nonce string) demotest.Answer {
	t.Helper()
	r := d.request(t, "GET", "/orders", "", "")
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header.Set("DPoP", key.Prove(claimstest.Proof{Method: "GET", URL: seen + "/orders", Token: token, Nonce: nonce}))
	return demotest.Send(t, http.DefaultClient, r)
}

// With -dpop a bound token passes with its proof, over both APIs, and the
// challenges say so.
func TestDPoP(t *testing.T) {
	t.Parallel()
	d, issuer := startBound(t, "-dpop")
	key := claimstest.MustKey("ES256")
	token := boundTo(issuer, "jkt", key.Thumbprint())
	assert.Equal(t, 200, d.prove(t, key, d.URL, token, "").Status)
	assert.Equal(t, 401, d.prove(t, key, "https://elsewhere.example", token, "").Status)
	got := d.call(t, "GET", "/orders", token, "")
	assert.Equal(t, 401, got.Status, "as Bearer")
	challenges := got.Header["Www-Authenticate"]
	require.Len(t, challenges, 2)
	assert.Contains(t, challenges[0], `Bearer realm="orders"`)
	assert.Contains(t, challenges[0], `error="invalid_token"`)
	assert.Contains(t, challenges[1], `DPoP realm="orders"`)
	assert.Contains(t, challenges[1], `algs="ES256 `)
	assert.Equal(t, 200, d.call(t, "GET", "/orders", mintRead(issuer), "").Status, "plain tokens pass")

	orders, method := d.orders(t), "http://"+d.Target+orderspb.Orders_GetOrder_FullMethodName
	for range 2 {
		proof := key.Prove(claimstest.Proof{Method: "POST", URL: method, Token: token})
		ctx := metadata.AppendToOutgoingContext(demotest.Bounded(t), "authorization", "DPoP "+token, "dpop", proof)
		_, err := orders.GetOrder(ctx, &orderspb.GetOrderRequest{Id: "1"})
		require.NoError(t, err)
		_, err = orders.GetOrder(ctx, &orderspb.GetOrderRequest{Id: "1"})
		assert.Equal(t, codes.Unauthenticated, status.Code(err), "the proof again")
	}
}

func mintRead(issuer *claimstest.Issuer) string {
	return issuer.Mint(claimstest.Token{Subject: "bob", Scope: "orders:read"})
}

// With -dpop-nonce a proof has the server's nonce, which comes with the
// refusal; with -base-url clients see another URL than reaches the service.
func TestDPoP_nonce(t *testing.T) {
	t.Parallel()
	const seen = "https://orders.example/v1"
	d, issuer := startBound(t, "-dpop", "-dpop-nonce", "-base-url", seen)
	key := claimstest.MustKey("ES256")
	token := boundTo(issuer, "jkt", key.Thumbprint())
	first := d.prove(t, key, seen, token, "")
	assert.Equal(t, 401, first.Status)
	assert.Contains(t, first.Header.Get("WWW-Authenticate"), `error="use_dpop_nonce"`)
	nonce := first.Header.Get("DPoP-Nonce")
	require.NotEmpty(t, nonce)
	assert.Equal(t, 200, d.prove(t, key, seen, token, nonce).Status)
	assert.Equal(t, 401, d.prove(t, key, d.URL, token, nonce).Status, "not as it is reached")
	described := d.call(t, "GET", "/.well-known/oauth-protected-resource/v1", "", "")
	assert.Contains(t, described.Body, `"`+seen+`"`)
}

// Without the flags no bound token passes.
func TestBound_withoutFlags(t *testing.T) {
	t.Parallel()
	d, issuer := startBound(t)
	key := claimstest.MustKey("ES256")
	token := boundTo(issuer, "jkt", key.Thumbprint())
	assert.Equal(t, 401, d.prove(t, key, d.URL, token, "").Status)
	assert.Equal(t, 401, d.call(t, "GET", "/orders", token, "").Status)
}

// writeTLS writes a certificate of this machine and its key, and returns their
// files.
func writeTLS(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	certificate := claimstest.NewCertificate("orders.example")
	private, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	write := func(name, kind string, der []byte) {
		require.NoError(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	write(certFile, "CERTIFICATE", certificate.Certificate[0])
	write(keyFile, "PRIVATE KEY", private)
	roots = x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	return certFile, keyFile, roots
}

// With -tls-cert and -tls-key both APIs speak TLS; with -mtls a token that is
// bound to a certificate passes with that alone.
func TestMTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile, roots := writeTLS(t)
	d, issuer := startBound(t, "-tls-cert", certFile, "-tls-key", keyFile, "-mtls")
	assert.Contains(t, d.Greeting, "https://")
	assert.Contains(t, d.Greeting, "--cacert '"+certFile+"'")
	d.URL = strings.Replace(d.URL, "http://", "https://", 1)
	own, another := claimstest.NewCertificate("client"), claimstest.NewCertificate("another")
	bound := boundTo(issuer, "x5t#S256", claimstest.CertificateThumbprint(own.Leaf))
	for _, tt := range []struct {
		name   string
		shown  []tls.Certificate
		token  string
		accept bool
	}{
		{name: "its certificate", shown: []tls.Certificate{own}, token: bound, accept: true},
		{name: "another", shown: []tls.Certificate{another}, token: bound},
		{name: "none", token: bound},
		{name: "none, and a plain token", token: mintRead(issuer), accept: true},
	} {
		cfg := &tls.Config{RootCAs: roots, Certificates: tt.shown}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg}}
		got := demotest.Send(t, client, d.request(t, "GET", "/orders", tt.token, ""))
		client.CloseIdleConnections()
		conn, err := grpc.NewClient(d.Target, grpc.WithTransportCredentials(credentials.NewTLS(cfg)))
		require.NoError(t, err)
		ctx := metadata.AppendToOutgoingContext(demotest.Bounded(t), "authorization", "Bearer "+tt.token)
		_, err = orderspb.NewOrdersClient(conn).GetOrder(ctx, &orderspb.GetOrderRequest{Id: "1"})
		require.NoError(t, conn.Close())
		if tt.accept {
			assert.Equal(t, 200, got.Status, tt.name)
			assert.NoError(t, err, tt.name)
		} else {
			assert.Equal(t, 401, got.Status, tt.name)
			assert.Equal(t, codes.Unauthenticated, status.Code(err), tt.name)
		}
	}
}
