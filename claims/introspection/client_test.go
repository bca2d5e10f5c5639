package introspection_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/jwks"
)

// recorder is an endpoint that finds every token active and keeps requests.
type recorder struct {
	mu       sync.Mutex
	requests []*http.Request
}

func (e *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	e.mu.Lock()
	e.requests = append(e.requests, r)
	e.mu.Unlock()
	write(w, good(nil))
}

// ask has tokens introspected by a client, and returns the requests.
func ask(t *testing.T, client introspection.Client, tokens ...string) []*http.Request {
	t.Helper()
	e := &recorder{}
	server := httptest.NewServer(e)
	defer server.Close()
	in := newIntrospector(t, server.URL, func(cfg *introspection.Config) { cfg.Client = client })
	for _, token := range tokens {
		_, err := in.Authenticate(t.Context(), bearer(token))
		require.NoError(t, err)
	}
	require.Len(t, e.requests, len(tokens))
	return e.requests
}

func TestClient_secret(t *testing.T) {
	t.Parallel()
	r := ask(t, introspection.Basic("a:b c", secret), "opaque")[0]
	id, password, ok := r.BasicAuth()
	assert.True(t, ok)
	assert.Equal(t, []string{"a%3Ab+c", "s3cr%3At%2F%26%3D"}, []string{id, password}, "RFC 6749 section 2.3.1")
	assert.False(t, r.PostForm.Has("client_secret"))
	assert.Empty(t, r.URL.RawQuery)

	r = ask(t, introspection.Post("a:b c", secret), "opaque")[0]
	assert.Equal(t, "a:b c", r.PostForm.Get("client_id"))
	assert.Equal(t, secret, r.PostForm.Get("client_secret"))
	assert.Empty(t, r.Header.Get("Authorization"))
	assert.Empty(t, r.URL.RawQuery)
	for _, c := range []introspection.Client{introspection.Basic("id", secret), introspection.Post("id", secret)} {
		shown := fmt.Sprintf("%v %+v %#v %s %q %x %d", c, c, c, c, c, c, c)
		assert.NotContains(t, shown, secret)
		assert.Contains(t, shown, "introspection.Client{id}")
	}
}

// An assertion is one that a verifier takes, for this issuer, once.
func TestClient_privateKeyJWT(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	curve := func(c elliptic.Curve) crypto.Signer {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		require.NoError(t, err)
		return key
	}
	for _, tt := range []struct {
		key       crypto.Signer
		algorithm string
		want      string
	}{
		{key: rsaKey, want: "RS256"},
		{key: rsaKey, algorithm: "PS256", want: "PS256"},
		{key: curve(elliptic.P256()), want: "ES256"},
		{key: curve(elliptic.P384()), want: "ES384"},
		{key: curve(elliptic.P521()), want: "ES512"},
		{key: edKey, want: "EdDSA"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			keys, err := jwks.NewSet(tt.key.Public())
			require.NoError(t, err)
			verifier, err := claims.NewVerifier(claims.Config{
				Issuer: "orders", Audiences: []string{issuer}, Keys: keys, Algorithms: []string{tt.want},
				RequiredClaims: []string{"jti", "iat"}, MaxLifetime: time.Minute,
			})
			require.NoError(t, err)
			ids := map[string]bool{}
			for _, r := range ask(t, introspection.PrivateKeyJWT("orders", tt.key, "", tt.algorithm), "a", "b", "c") {
				assert.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", r.PostForm.Get("client_assertion_type"))
				assert.Equal(t, "orders", r.PostForm.Get("client_id"))
				caller, err := verifier.Authenticate(t.Context(), bearer(r.PostForm.Get("client_assertion")))
				require.NoError(t, err)
				assert.Equal(t, "orders", caller.Subject())
				ids[caller.ID()] = true
			}
			assert.Len(t, ids, 3, "each is for one use")
		})
	}
	p224 := curve(elliptic.P224())
	for name, c := range map[string]introspection.Client{
		"no ID":             introspection.PrivateKeyJWT("", edKey, "", ""),
		"no key":            introspection.PrivateKeyJWT("id", nil, "", ""),
		"another algorithm": introspection.PrivateKeyJWT("id", edKey, "", "RS256"),
		"HMAC":              introspection.PrivateKeyJWT("id", rsaKey, "", "HS256"),
		"another curve":     introspection.PrivateKeyJWT("id", p224, "", ""),
		"no ID for TLS":     introspection.MutualTLS(""),
		"no function":       introspection.BearerToken(nil),
		"none":              {},
	} {
		_, err := introspection.New(introspection.Config{
			Endpoint: "https://issuer.example", Client: c, Accept: claims.Config{Issuer: issuer, InsecureSkipAudience: true},
		})
		require.ErrorContains(t, err, "introspection: New: Config.Client ", name)
	}
}

// A client is known by its certificate.
func TestClient_mutualTLS(t *testing.T) {
	t.Parallel()
	certificate := claimstest.NewCertificate("orders")
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	require.NoError(t, err)
	e := &recorder{}
	server := httptest.NewUnstartedServer(e)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()
	for name, client := range map[string]*http.Client{"with it": server.Client(), "without": server.Client()} {
		transport := server.Client().Transport.(*http.Transport).Clone()
		if name == "with it" {
			transport.TLSClientConfig.Certificates = []tls.Certificate{certificate}
		}
		client = &http.Client{Transport: transport}
		in := newIntrospector(t, server.URL, func(cfg *introspection.Config) {
			cfg.Client, cfg.HTTP = introspection.MutualTLS("orders"), client
		})
		_, err = in.Authenticate(t.Context(), bearer("opaque"))
		if name == "without" {
			require.ErrorIs(t, err, claims.ErrUnavailable)
			continue
		}
		require.NoError(t, err)
	}
	require.Len(t, e.requests, 1)
	assert.Equal(t, "orders", e.requests[0].PostForm.Get("client_id"))
	assert.True(t, leaf.Equal(e.requests[0].TLS.PeerCertificates[0]))
}

// A token of the client's own is asked for each time.
func TestClient_bearerToken(t *testing.T) {
	t.Parallel()
	n := 0
	requests := ask(t, introspection.BearerToken(func(context.Context) (string, error) {
		n++
		return fmt.Sprint("own-", n), nil
	}), "a", "b")
	assert.Equal(t, "Bearer own-1", requests[0].Header.Get("Authorization"))
	assert.Equal(t, "Bearer own-2", requests[1].Header.Get("Authorization"))

	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte("in-a-file\n"), 0o600))
	assert.Equal(t, "Bearer in-a-file", ask(t, introspection.BearerTokenFile(path), "a")[0].Header.Get("Authorization"))

	a := &authority{}
	for name, client := range map[string]introspection.Client{
		"an error":      introspection.BearerToken(func(context.Context) (string, error) { return "", errors.New("none") }),
		"a panic":       introspection.BearerToken(func(context.Context) (string, error) { panic("none") }),
		"no token":      introspection.BearerToken(func(context.Context) (string, error) { return "", nil }),
		"another field": introspection.BearerToken(func(context.Context) (string, error) { return "a\r\nX: y", nil }),
		"no file":       introspection.BearerTokenFile(path + "x"),
		"another's":     introspection.Basic("orders", "wrong"),
	} {
		_, err := a.start(t, func(cfg *introspection.Config) { cfg.Client = client }).Authenticate(t.Context(), bearer("opaque"))
		require.ErrorIs(t, err, claims.ErrUnavailable, name)
	}
	assert.EqualValues(t, 1, a.asked.Load(), "the last alone")
}
