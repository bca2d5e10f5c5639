package jwks_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// pair is a key with both of its halves.
type pair struct {
	name    string
	private crypto.Signer
	fits    []string
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var pairs = sync.OnceValue(func() []pair {
	rsaAlgorithms := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	_, edward, _ := ed25519.GenerateKey(rand.Reader)
	return []pair{
		{"RSA", must(rsa.GenerateKey(rand.Reader, 2048)), rsaAlgorithms},
		{"P-256", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), []string{"ES256"}},
		{"P-384", must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), []string{"ES384"}},
		{"P-521", must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)), []string{"ES512"}},
		{"Ed25519", edward, []string{"EdDSA", "Ed25519"}},
	}
})

func (p pair) pkix() []byte { return must(x509.MarshalPKIXPublicKey(p.private.Public())) }

// certificate is one of the key, signed by another's or, if that is nil,
// itself.
func (p pair) certificate(by *pair) []byte {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: p.name},
		NotAfter: time.Now().Add(-time.Hour), // that it has expired does not matter
	}
	parent, signer := template, p.private
	if by != nil {
		parent, signer = &x509.Certificate{Subject: pkix.Name{CommonName: by.name}}, by.private
	}
	return must(x509.CreateCertificate(rand.Reader, template, parent, p.private.Public(), signer))
}

func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func (p pair) jwk(t *testing.T, extra map[string]any) []byte {
	t.Helper()
	m := map[string]any{}
	encode := base64.RawURLEncoding.EncodeToString
	switch key := p.private.Public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", encode(key.N.Bytes()), "AQAB"
	case *ecdsa.PublicKey:
		size := (key.Params().BitSize + 7) / 8
		point := must(key.Bytes())[1:]
		m["kty"], m["crv"], m["x"], m["y"] = "EC", p.name, encode(point[:size]), encode(point[size:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", encode(key)
	}
	for name, value := range extra {
		m[name] = value
	}
	return must(json.Marshal(m))
}

// x5c is a JWK of the key's certificate alone.
func (p pair) x5c(extra map[string]any) []byte {
	m := map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(p.certificate(nil))}}
	for name, value := range extra {
		m[name] = value
	}
	return must(json.Marshal(m))
}

// members are those of a JSON Web Key; omit as a value leaves one out.
type members map[string]any

var omit any = claimstest.Omit

// testKey returns the one key of an algorithm that the tests of this package
// share: RSA keys take long to make.
var testKey = func() func(algorithm string) *claimstest.Key {
	keys := map[string]func() *claimstest.Key{}
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"} {
		keys[alg] = sync.OnceValue(func() *claimstest.Key {
			key := claimstest.MustKey(alg)
			key.ID = "the " + alg + " key"
			return key
		})
	}
	return func(algorithm string) *claimstest.Key { return keys[algorithm]() }
}()

// jwkOf returns the JSON Web Key of testKey(algorithm), changed.
func jwkOf(algorithm string, change members) string {
	jwk := testKey(algorithm).JWK()
	for name, value := range change {
		if value == omit {
			delete(jwk, name)
			continue
		}
		jwk[name] = value
	}
	encoded, err := json.Marshal(jwk)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func keySet(jwk ...string) []byte {
	return []byte(`{"keys":[` + strings.Join(jwk, ",") + `]}`)
}

// source is a [*jwks.Set] or a [*jwks.Cache].
type source interface {
	Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error)
}

// requireKey asserts that a signature by key is good by the one that is found
// for it.
func requireKey(t *testing.T, from source, key *claimstest.Key) {
	t.Helper()
	found, err := from.Lookup(t.Context(), key.ID, key.Algorithm)
	require.NoError(t, err)
	require.Len(t, found, 1)
	requireVerifies(t, found[0], key)
}

func requireVerifies(t *testing.T, found *jwks.Key, key *claimstest.Key) {
	t.Helper()
	token := key.Sign(fmt.Appendf(nil, `{"alg":%q}`, key.Algorithm), []byte(`{}`))
	_, err := jws.Verify([]byte(token),
		jws.WithKey(jwa.SignatureAlgorithm(key.Algorithm), found.Public()))
	require.NoError(t, err)
}

func manyKeys(n int) []byte {
	return keySet(slices.Repeat([]string{jwkOf("ES256", nil)}, n)...)
}

// document is a key set of these keys.
func document(keys ...*claimstest.Key) []byte {
	var documents []string
	for _, key := range keys {
		encoded, err := json.Marshal(key.JWK())
		if err != nil {
			panic(err)
		}
		documents = append(documents, string(encoded))
	}
	return keySet(documents...)
}
