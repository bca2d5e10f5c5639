package jwks_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
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
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// certificate is one of the key, signed by another's or, if that is nil, itself.
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

// A key is the same whichever form it is read from, and a file may be any.
func TestParse_everyForm(t *testing.T) {
	t.Parallel()
	for _, p := range pairs() {
		pkix, certificate := p.pkix(), p.certificate(nil)
		forms := map[string][]byte{
			"key set":          keySet(string(p.jwk(t, nil))),
			"JWK":              p.jwk(t, nil),
			"JWK in lines":     append([]byte("\n "), p.jwk(t, nil)...),
			"PEM":              asPEM("PUBLIC KEY", pkix),
			"PEM, CRLF":        bytes.ReplaceAll(asPEM("PUBLIC KEY", pkix), []byte("\n"), []byte("\r\n")),
			"PEM after text":   append([]byte("# the key of a\n\n"), asPEM("PUBLIC KEY", pkix)...),
			"PEM, no newline":  bytes.TrimSpace(asPEM("PUBLIC KEY", pkix)),
			"certificate":      asPEM("CERTIFICATE", certificate),
			"DER":              pkix,
			"DER, certificate": certificate,
			"x5c alone":        p.x5c(nil),
			"x5c in a set":     keySet(string(p.x5c(nil))),
		}
		if key, ok := p.private.Public().(*rsa.PublicKey); ok {
			forms["PKCS#1"] = asPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(key))
			forms["PKCS#1, DER"] = x509.MarshalPKCS1PublicKey(key)
			forms["x5c, kty"] = p.x5c(map[string]any{"kty": "RSA"})
		}
		want, err := jwks.NewSet(p.private.Public())
		require.NoError(t, err)
		for name, data := range forms {
			t.Run(p.name+" "+name, func(t *testing.T) {
				t.Parallel()
				set, err := jwks.Parse(data)
				require.NoError(t, err)
				require.Len(t, set.Keys(), 1)
				key := set.Keys()[0]
				assert.True(t, key.Equal(want.Keys()[0]), "the same, without ID, for the same algorithms")
				assert.Equal(t, p.private.Public(), key.Public())
				assert.Equal(t, p.fits, key.Algorithms())
				assert.Equal(t, want.Thumbprint(), set.Thumbprint())
				assert.Empty(t, set.Skipped())

				path := filepath.Join(t.TempDir(), "key")
				require.NoError(t, os.WriteFile(path, data, 0o600))
				cache := newCache(t, jwks.Config{Sources: []jwks.Source{jwks.File(path)}})
				found, err := cache.Lookup(t.Context(), "whatever the token says", p.fits[0])
				require.NoError(t, err)
				assert.True(t, key.Equal(found[0]))
			})
		}
	}
}

// The one key of a set has any ID if it has none; of several, or with an ID, it has
// not.
func TestSet_Lookup_oneKeyWithoutID(t *testing.T) {
	t.Parallel()
	one, other := pairs()[1], pairs()[2]
	for name, row := range map[string]struct {
		document []byte
		want     error
	}{
		"alone":                     {one.jwk(t, nil), nil},
		"alone, an ID that is null": {one.jwk(t, map[string]any{"kid": nil}), nil},
		"beside one that is unusable": {
			keySet(string(one.jwk(t, nil)), `{"kty":"oct","kid":"a"}`), nil,
		},
		"with another ID":       {one.jwk(t, map[string]any{"kid": "b"}), jwks.ErrUnknownKey},
		"beside another":        {keySet(string(one.jwk(t, nil)), string(other.jwk(t, nil))), jwks.ErrUnknownKey},
		"beside one with an ID": {keySet(string(one.jwk(t, nil)), string(other.jwk(t, map[string]any{"kid": "b"}))), jwks.ErrUnknownKey},
	} {
		set, err := jwks.Parse(row.document)
		require.NoError(t, err, name)
		found, err := set.Lookup(t.Context(), "a", "ES256")
		assert.ErrorIs(t, err, row.want, name)
		assert.Equal(t, row.want == nil, len(found) == 1, name)
		_, err = set.Lookup(t.Context(), "a", "RS256")
		assert.ErrorIs(t, err, jwks.ErrUnknownKey, name+": of another algorithm")
	}
}

func TestParse_severalBlocks(t *testing.T) {
	t.Parallel()
	all := pairs()
	var data []byte
	for i, p := range all {
		if i%2 == 0 {
			data = append(data, asPEM("PUBLIC KEY", p.pkix())...)
		} else {
			data = append(data, asPEM("CERTIFICATE", p.certificate(nil))...)
		}
	}
	data = append(data, asPEM("CERTIFICATE REQUEST", []byte("x"))...)
	data = append(data, asPEM("PUBLIC KEY", []byte("x"))...)
	data = append(data, asPEM("EC PARAMETERS", []byte("x"))...)
	set, err := jwks.Parse(data)
	require.NoError(t, err)
	assert.Len(t, set.Keys(), len(all))
	assert.Equal(t, []jwks.Skipped{
		{Index: 5, Reason: "unsupported_type"}, {Index: 6, Reason: "malformed"}, {Index: 7, Reason: "unsupported_type"},
	}, set.Skipped())
	for i, key := range set.Keys() {
		assert.Equal(t, all[i].private.Public(), key.Public())
	}
}

// The certificates that prove the first one sign no tokens.
func TestParse_certificateChain(t *testing.T) {
	t.Parallel()
	leaf, middle, root := pairs()[0], pairs()[1], pairs()[2]
	chain := slices.Concat(asPEM("CERTIFICATE", leaf.certificate(&middle)),
		asPEM("CERTIFICATE", middle.certificate(&root)), asPEM("CERTIFICATE", root.certificate(nil)))
	set, err := jwks.Parse(chain)
	require.NoError(t, err)
	require.Len(t, set.Keys(), 1)
	assert.Equal(t, leaf.private.Public(), set.Keys()[0].Public())
	assert.Equal(t, []jwks.Skipped{{Index: 1, Reason: "chain"}, {Index: 2, Reason: "chain"}}, set.Skipped())

	byID := must(json.Marshal(map[string]string{"a": string(chain)}))
	set, err = jwks.Parse(byID)
	require.NoError(t, err)
	require.Len(t, set.Keys(), 1)
	assert.Equal(t, leaf.private.Public(), set.Keys()[0].Public())
}

// Google and Firebase publish certificates by key ID.
func TestParse_byID(t *testing.T) {
	t.Parallel()
	all := pairs()
	document := map[string]string{
		"b": string(asPEM("CERTIFICATE", all[0].certificate(nil))),
		"a": string(asPEM("PUBLIC KEY", all[1].pkix())),
		"c": "-----BEGIN CERTIFICATE-----\nMII",
	}
	set, err := jwks.Parse(must(json.Marshal(document)))
	require.NoError(t, err)
	assert.Equal(t, []jwks.Skipped{{Index: 2, KeyID: "c", Reason: "malformed"}}, set.Skipped())
	for id, p := range map[string]pair{"b": all[0], "a": all[1]} {
		found, err := set.Lookup(t.Context(), id, p.fits[0])
		require.NoError(t, err)
		assert.Equal(t, p.private.Public(), found[0].Public())
	}
	_, err = set.Lookup(t.Context(), "c", "RS256")
	assert.ErrorIs(t, err, jwks.ErrUnknownKey)
	for _, bad := range []string{
		`{"a":"-----BEGIN CERTIFICATE-----","b":7}`, `{"a":"MII"}`, `{"a":{}}`,
		`{"error":"-----BEGIN nothing","message":"secret"}`,
	} {
		_, err := jwks.Parse([]byte(bad))
		assert.ErrorContains(t, err, "jwks: neither", bad)
	}
}

// Of a JWK with a certificate alone, what it says of itself must be so.
func TestParse_x5cAlone(t *testing.T) {
	t.Parallel()
	rsaPair, ec := pairs()[0], pairs()[1]
	for _, tt := range []struct {
		name   string
		jwk    []byte
		fits   []string
		reason string
	}{
		{"all of it", ec.x5c(map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k"}), []string{"ES256"}, ""},
		{"one algorithm", rsaPair.x5c(map[string]any{"kty": "RSA", "alg": "PS256", "kid": "k"}), []string{"PS256"}, ""},
		{"without curve", ec.x5c(map[string]any{"kty": "EC", "kid": "k"}), []string{"ES256"}, ""},
		{"another type", ec.x5c(map[string]any{"kty": "RSA", "kid": "k"}), nil, "malformed"},
		{"another curve", ec.x5c(map[string]any{"kty": "EC", "crv": "P-384", "kid": "k"}), nil, "malformed"},
		{"another algorithm", ec.x5c(map[string]any{"alg": "RS256", "kid": "k"}), nil, "unsupported_algorithm"},
		{"symmetric", ec.x5c(map[string]any{"kty": "oct", "kid": "k"}), nil, "unsupported_type"},
		{"for encryption", ec.x5c(map[string]any{"use": "enc", "kid": "k"}), nil, "use"},
		{"blank use", ec.x5c(map[string]any{"use": "", "kid": "k"}), nil, "use"},
		{"private", ec.x5c(map[string]any{"d": "AA", "kid": "k"}), nil, "private"},
		{"empty", []byte(`{"x5c":[],"kid":"k"}`), nil, "malformed"},
		{"not a list", []byte(`{"x5c":"MII","kid":"k"}`), nil, "malformed"},
		{"not base64", []byte(`{"x5c":["-"],"kid":"k"}`), nil, "malformed"},
		{"not a certificate", []byte(`{"x5c":["MIIB"],"kid":"k"}`), nil, "malformed"},
	} {
		set, err := jwks.Parse(keySet(string(tt.jwk), string(pairs()[2].jwk(t, nil))))
		require.NoError(t, err)
		if tt.reason != "" {
			assert.Equal(t, []jwks.Skipped{{KeyID: "k", Reason: tt.reason}}, set.Skipped(), tt.name)
			continue
		}
		require.Len(t, set.Keys(), 2, tt.name)
		assert.Equal(t, tt.fits, set.Keys()[0].Algorithms(), tt.name)
		assert.Equal(t, "k", set.Keys()[0].ID())
	}
}

// A private key is refused in whatever form, and nothing of it is told.
func TestParse_privateKeys(t *testing.T) {
	t.Parallel()
	for _, p := range pairs() {
		der := must(x509.MarshalPKCS8PrivateKey(p.private))
		forms := map[string][]byte{
			"PKCS#8":            asPEM("PRIVATE KEY", der),
			"PKCS#8, DER":       der,
			"after its public":  append(asPEM("PUBLIC KEY", p.pkix()), asPEM("PRIVATE KEY", der)...),
			"before its public": append(asPEM("PRIVATE KEY", der), asPEM("CERTIFICATE", p.certificate(nil))...),
			"encrypted":         asPEM("ENCRYPTED PRIVATE KEY", der),
			"of OpenSSH":        asPEM("OPENSSH PRIVATE KEY", der),
			"by ID":             must(json.Marshal(map[string]string{"a": string(asPEM("PRIVATE KEY", der))})),
			"JWK":               p.jwk(t, map[string]any{"d": base64.RawURLEncoding.EncodeToString(der)}),
		}
		switch key := p.private.(type) {
		case *rsa.PrivateKey:
			forms["PKCS#1"] = asPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
			forms["PKCS#1, DER"] = x509.MarshalPKCS1PrivateKey(key)
		case *ecdsa.PrivateKey:
			sec1 := must(x509.MarshalECPrivateKey(key))
			forms["SEC 1"] = append(asPEM("EC PARAMETERS", []byte("x")), asPEM("EC PRIVATE KEY", sec1)...)
			forms["SEC 1, DER"] = sec1
		}
		for name, data := range forms {
			set, err := jwks.Parse(data)
			assert.Nil(t, set)
			require.ErrorContains(t, err, "private", p.name+" "+name)
			assert.Less(t, len(err.Error()), 120)
			assert.NotContains(t, err.Error(), base64.StdEncoding.EncodeToString(der)[:20])
		}
		_, err := jwks.NewSet(p.private)
		assert.ErrorContains(t, err, "private")
		assert.Less(t, len(err.Error()), 120)
	}
}

// What is not in order is not read half: a file may be half written.
func TestParse_refusesForms(t *testing.T) {
	t.Parallel()
	good := asPEM("PUBLIC KEY", pairs()[0].pkix())
	for _, tt := range []struct {
		name string
		data []byte
		says string
	}{
		{"cut off", good[:len(good)/2], "cut off"},
		{"the second cut off", append(slices.Clone(good), good[:len(good)/2]...), "cut off"},
		{"not base64", bytes.Replace(good, []byte("M"), []byte("!"), 1), "cut off"},
		{"in HTML", slices.Concat([]byte("<html><pre>\n"), good, []byte("</pre>")), "neither"},
		{"in an array", must(json.Marshal([]string{string(good)})), "neither"},
		{"as a string", must(json.Marshal(string(good))), "neither"},
		{"DER cut off", pairs()[0].pkix()[:100], "neither"},
		{"DER with more after it", append(pairs()[0].pkix(), 0), "neither"},
		{"ssh", []byte("ssh-rsa AAAAB3NzaC1yc2EAAA secret"), "neither"},
		{"byte order mark, key set", append([]byte("\xef\xbb\xbf"), keySet(jwkOf("ES256", nil))...), "byte order mark"},
		{"byte order mark, PEM", append([]byte("\xef\xbb\xbf"), good...), "byte order mark"},
		{"UTF-16", []byte("\xff\xfe{\x00"), "byte order mark"},
	} {
		set, err := jwks.Parse(tt.data)
		assert.Nil(t, set, tt.name)
		require.ErrorContains(t, err, tt.says, tt.name)
		assert.Equal(t, jwks.FaultMalformed, jwks.FaultOf(err), tt.name)
		assert.NotContains(t, err.Error(), "secret")
	}
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

// A Set stands behind an issuer, for an outage.
func TestSet_isASource(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, _ := example(t, nil)
		issuer.Fail(503)
		set, err := jwks.NewSet(pairs()[1].private.Public())
		require.NoError(t, err)
		remote, err := jwks.NewRemote(jwks.RemoteConfig{Issuer: issuer.URL(), Client: issuer.Client()})
		require.NoError(t, err)
		a := newCache(t, jwks.Config{Sources: []jwks.Source{remote, set}})
		_, err = a.Lookup(t.Context(), "any", "ES256")
		require.NoError(t, err)
		assert.Same(t, set, a.Set())
		same, err := jwks.NewSet(pairs()[1].private.Public())
		require.NoError(t, err)
		assert.True(t, a.SameConfig(newCache(t, jwks.Config{Sources: []jwks.Source{remote, same}})))
	})
}
