package jwks_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

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
