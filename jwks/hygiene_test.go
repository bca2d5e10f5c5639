package jwks_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A key whose point is not on its curve is left out, on every curve: a
// signature check with it says nothing (RFC 8725 section 3.4).
func TestParse_pointsOfEveryCurve(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"ES256", "ES384", "ES512"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			public := testKey(algorithm).Public().(*ecdsa.PublicKey)
			point, err := public.Bytes()
			require.NoError(t, err)
			size := (len(point) - 1) / 2
			x, y := new(big.Int).SetBytes(point[1:1+size]), new(big.Int).SetBytes(point[1+size:])
			p := public.Params().P
			add := func(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
			tests := []struct {
				name string
				x, y *big.Int
				good bool
			}{
				{name: "the point", x: x, y: y, good: true},
				{name: "its negation", x: x, y: new(big.Int).Sub(p, y), good: true},
				{name: "another y", x: x, y: add(y, big.NewInt(1))},
				{name: "another x", x: add(x, big.NewInt(1)), y: y},
				{name: "coordinates exchanged", x: y, y: x},
				{name: "infinity", x: new(big.Int), y: new(big.Int)},
				{name: "x not reduced", x: add(x, p), y: y},
				{name: "y not reduced", x: x, y: add(y, p)},
			}
			for _, tt := range tests {
				encode := func(n *big.Int) string {
					return base64.RawURLEncoding.EncodeToString(
						n.FillBytes(make([]byte, max(size, (n.BitLen()+7)/8))))
				}
				change := members{"x": encode(tt.x), "y": encode(tt.y)}
				set, err := jwks.Parse(keySet(jwkOf(algorithm, change), jwkOf("EdDSA", nil)))
				require.NoError(t, err, tt.name)
				if tt.good {
					assert.Empty(t, set.Skipped(), tt.name)
					continue
				}
				require.Len(t, set.Skipped(), 1, tt.name)
				assert.Equal(t, "malformed", set.Skipped()[0].Reason, tt.name)
			}
		})
	}
}

// An "alg" that fits the type of a key and not its curve, or the other way
// round, never binds the key to it.
func TestParse_algorithmFitsTypeAndCurve(t *testing.T) {
	t.Parallel()
	fitting := map[string][]string{
		"RS256": {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
		"ES256": {"ES256"}, "ES384": {"ES384"}, "ES512": {"ES512"},
		"EdDSA": {"EdDSA", "Ed25519"},
	}
	for key, fits := range fitting {
		for _, algorithm := range everyAlgorithm {
			_, err := jwks.Parse(keySet(jwkOf(key, members{"alg": algorithm})))
			assert.Equal(t, slices.Contains(fits, algorithm), err == nil, "%q on the %s key", algorithm, key)
		}
	}
}

// A set is known by the thumbprints of its keys, so by what makes up a key (RFC
// 7638 section 3.2) and not by how it is written.
func TestSet_Thumbprint_followsRFC7638(t *testing.T) {
	t.Parallel()
	jwk := jwkOf("ES256", nil)
	of := func(jwk string) string {
		set, err := jwks.Parse(keySet(jwk))
		require.NoError(t, err)
		return set.Thumbprint()
	}
	further := fmt.Sprintf(`{"x5t":"AA","exp":1,%s`, jwk[1:])
	assert.Equal(t, of(jwk), of(further))
	assert.NotEqual(t, of(jwk), of(jwkOf("ES384", members{"kid": testKey("ES256").ID})))
}

// A signature of R = A and S = 0 is right for half of all messages or more
// under a key of small order, so such a key is none.
func TestParse_smallOrder(t *testing.T) {
	t.Parallel()
	points := map[string]string{
		"order 4":                   "0000000000000000000000000000000000000000000000000000000000000000",
		"the neutral one":           "0100000000000000000000000000000000000000000000000000000000000000",
		"order 8":                   "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"the other of order 8":      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"order 2":                   "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"order 4, unreduced":        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"the neutral one, likewise": "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	}
	for name, text := range points {
		for _, sign := range []byte{0, 0x80} {
			point, err := hex.DecodeString(text)
			require.NoError(t, err)
			point[31] |= sign
			jwk := fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":"x","x":%q}`,
				base64.RawURLEncoding.EncodeToString(point))
			set, err := jwks.Parse(keySet(jwk, jwkOf("ES256", nil)))
			require.NoError(t, err)
			assert.Equal(t, []jwks.Skipped{{KeyID: "x", Reason: "malformed"}}, set.Skipped(), name)
		}
	}
}

func TestParse_evenModulus(t *testing.T) {
	t.Parallel()
	modulus := new(big.Int).Lsh(big.NewInt(1), 2047)
	jwk := func() string {
		return fmt.Sprintf(`{"kty":"RSA","kid":"x","e":"AQAB","n":%q}`,
			base64.RawURLEncoding.EncodeToString(modulus.Bytes()))
	}
	set, err := jwks.Parse(keySet(jwk(), jwkOf("ES256", nil)))
	require.NoError(t, err)
	assert.Equal(t, []jwks.Skipped{{KeyID: "x", Reason: "malformed"}}, set.Skipped())
	modulus.SetBit(modulus, 0, 1)
	_, err = jwks.Parse(keySet(jwk()))
	assert.NoError(t, err)
}

// All keys are held to the same, whatever they are read from.
func TestNewSet_hygiene(t *testing.T) {
	t.Parallel()
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	x25519 := must(ecdh.X25519().GenerateKey(rand.Reader))
	good := pairs()[0].private.Public().(*rsa.PublicKey)
	var none *rsa.PublicKey
	for name, row := range map[string]struct {
		key    crypto.PublicKey
		reason string
	}{
		"small RSA":          {small.Public(), "key_size"},
		"exponent 1":         {&rsa.PublicKey{N: good.N, E: 1}, "malformed"},
		"exponent 0":         {&rsa.PublicKey{N: good.N}, "malformed"},
		"even modulus":       {&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}, "malformed"},
		"negative modulus":   {&rsa.PublicKey{N: new(big.Int).Neg(good.N), E: 65537}, "malformed"},
		"no modulus":         {&rsa.PublicKey{E: 65537}, "malformed"},
		"nil pointer":        {none, "malformed"},
		"nil":                {nil, "malformed"},
		"P-224":              {p224.Public(), "unsupported_curve"},
		"not on the curve":   {&ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}, "malformed"},
		"no point":           {&ecdsa.PublicKey{Curve: elliptic.P256()}, "malformed"},
		"no curve":           {&ecdsa.PublicKey{X: big.NewInt(1), Y: big.NewInt(1)}, "malformed"},
		"small order":        {ed25519.PublicKey(make([]byte, 32)), "malformed"},
		"short Ed25519":      {ed25519.PublicKey(make([]byte, 31)), "malformed"},
		"X25519":             {x25519.PublicKey(), "unsupported_type"},
		"a secret":           {[]byte("secret-word"), "unsupported_type"},
		"RSA, not a pointer": {*good, "unsupported_type"},
	} {
		_, err := jwks.NewSet(good, row.key)
		require.ErrorContains(t, err, "jwks: NewSet: key 1 of type ", name)
		assert.ErrorContains(t, err, row.reason, name)
		assert.NotContains(t, err.Error(), "secret-word")
		if row.reason != "malformed" && !strings.Contains(name, "secret") && name != "RSA, not a pointer" {
			_, err = jwks.Parse(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(row.key))))
			assert.ErrorContains(t, err, row.reason, name)
		}
	}
	_, err := jwks.NewSet()
	assert.EqualError(t, err, "jwks: NewSet: no key")
	_, err = jwks.Parse(asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(ed25519.PublicKey(make([]byte, 32))))))
	assert.ErrorContains(t, err, "malformed", "small order")
}
