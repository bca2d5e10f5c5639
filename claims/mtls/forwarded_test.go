package mtls_test

import (
	"encoding/base64"
	"encoding/pem"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/mtls"
)

// rfc9440 is the field of RFC 9440 figure 3, whose certificate is of figure 1.
const rfc9440 = ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzN" +
	"aFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aE" +
	"AEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQY" +
	"DVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydB" +
	"VoU4hBVZ1yhk=:"

// Each field has one certificate in its own form, and nothing besides.
func TestForwarded_Certificate(t *testing.T) {
	t.Parallel()
	own, another := claimstest.NewCertificate("client"), claimstest.NewCertificate("another")
	inPEM := func(der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	escape := func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
	der := own.Certificate[0]
	sequence, escaped := byteSequence(own), escape(inPEM(der))
	private := escape(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	xfcc := `By=spiffe://a/server;Hash=0123;Cert="` + escaped + `"`
	for _, tt := range []struct {
		name   string
		field  mtls.Field
		value  string
		accept bool
	}{
		{name: "RFC 9440", field: mtls.ClientCert(), value: sequence, accept: true},
		{name: "RFC 9440, spaces around", field: mtls.ClientCert(), value: " " + sequence + " ", accept: true},
		{name: "no colons", field: mtls.ClientCert(), value: strings.Trim(sequence, ":")},
		{name: "one colon", field: mtls.ClientCert(), value: ":"},
		{name: "nothing between colons", field: mtls.ClientCert(), value: "::"},
		{name: "base64url", field: mtls.ClientCert(), value: ":" + base64.URLEncoding.EncodeToString(der) + "__:"},
		{name: "a parameter", field: mtls.ClientCert(), value: sequence + ";a=b"},
		{name: "PEM", field: mtls.ClientCert(), value: escaped},
		{name: "a certificate and more", field: mtls.ClientCert(), value: ":" + base64.StdEncoding.EncodeToString(append(der[:len(der):len(der)], 0)) + ":"},
		{name: "too long", field: mtls.ClientCert(), value: ":" + strings.Repeat("A", 64<<10) + ":"},

		{name: "nginx", field: mtls.EscapedPEM("X-SSL-Client-Cert"), value: escaped, accept: true},
		{name: "nginx, plus as it is", field: mtls.EscapedPEM("x-cert"), value: strings.ReplaceAll(escaped, "%2B", "+"), accept: true},
		{name: "not escaped, on one line", field: mtls.EscapedPEM("x-cert"), value: strings.ReplaceAll(inPEM(der), "\n", " ")},
		{name: "two certificates", field: mtls.EscapedPEM("x-cert"), value: escaped + escape(inPEM(another.Certificate[0]))},
		{name: "text before", field: mtls.EscapedPEM("x-cert"), value: "subject" + escaped},
		{name: "a key", field: mtls.EscapedPEM("x-cert"), value: private},
		{name: "half an escape", field: mtls.EscapedPEM("x-cert"), value: escaped + "%"},

		{name: "Envoy", field: mtls.EnvoyXFCC(), value: xfcc, accept: true},
		{name: "Envoy, in another order", field: mtls.EnvoyXFCC(), value: `Cert="` + escaped + `";Subject="CN=\"a;b, c\"";URI=`, accept: true},
		{name: "Envoy, in another case", field: mtls.EnvoyXFCC(), value: `cert=` + escaped, accept: true},
		{name: "two elements", field: mtls.EnvoyXFCC(), value: xfcc + "," + xfcc},
		{name: "an element without Cert before", field: mtls.EnvoyXFCC(), value: "Hash=0123," + xfcc},
		{name: "no Cert", field: mtls.EnvoyXFCC(), value: `By=spiffe://a/server;Hash=0123;Subject="Cert=x"`},
		{name: "two Certs", field: mtls.EnvoyXFCC(), value: xfcc + `;Cert="` + escaped + `"`},
		{name: "Cert inside of a subject", field: mtls.EnvoyXFCC(), value: `Subject="\";Cert=` + escaped + `"`},
		{name: "no end of a quote", field: mtls.EnvoyXFCC(), value: `Cert="` + escaped},
		{name: "text after a quote", field: mtls.EnvoyXFCC(), value: `Cert="` + escaped + `"x`},
		{name: "no value", field: mtls.EnvoyXFCC(), value: "Cert"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := mtls.NewForwarded(mtls.ForwardedConfig{
				Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Field: tt.field,
			})
			require.NoError(t, err)
			certificate, err := f.Certificate([]string{tt.value})
			if tt.accept {
				require.NoError(t, err)
				assert.True(t, certificate.Equal(own.Leaf))
			} else {
				assert.Error(t, err)
				assert.Nil(t, certificate)
			}
			_, err = f.Certificate([]string{tt.value, tt.value})
			assert.Error(t, err, "twice")
		})
	}
	f, err := mtls.NewForwarded(mtls.ForwardedConfig{
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Field: mtls.ClientCert(),
	})
	require.NoError(t, err)
	certificate, err := f.Certificate([]string{rfc9440})
	require.NoError(t, err)
	assert.Equal(t, "CN=BC", certificate.Subject.String())
	certificate, err = f.Certificate(nil)
	assert.NoError(t, err)
	assert.Nil(t, certificate)
}

// A proxy is one of the prefixes, however its address is written.
func TestForwarded_Trusts(t *testing.T) {
	t.Parallel()
	f, err := mtls.NewForwarded(mtls.ForwardedConfig{Field: mtls.ClientCert(), Proxies: []netip.Prefix{
		netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8"),
	}})
	require.NoError(t, err)
	for address, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "fd00::1": true, "fd12::1%eth0": true,
		"10.2.0.1": false, "::1": false, "127.0.0.1": false, "fe80::1": false, "0.0.0.0": false,
	} {
		assert.Equal(t, want, f.Trusts(netip.MustParseAddr(address)), address)
	}
	assert.False(t, f.Trusts(netip.Addr{}), "as on a Unix socket")
}

func TestNewForwarded_mistakes(t *testing.T) {
	t.Parallel()
	_, err := mtls.NewForwarded(mtls.ForwardedConfig{})
	assert.ErrorContains(t, err, "mtls: NewForwarded: ForwardedConfig.Proxies names no proxy")
	assert.ErrorContains(t, err, "ForwardedConfig.Field is none")
	_, err = mtls.NewForwarded(mtls.ForwardedConfig{Field: mtls.EscapedPEM("a b"), Proxies: []netip.Prefix{
		{}, netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), netip.MustParsePrefix("::ffff:10.0.0.0/104"),
	}})
	for _, wrong := range []string{
		"Proxies[0] is not valid", "Proxies[1] of 0.0.0.0/0 is everybody", "Proxies[2] of ::/0 is everybody",
		"Proxies[3] of ::ffff:10.0.0.0/104 must be written as IPv4", `Field of "a b" is no name`,
	} {
		assert.ErrorContains(t, err, wrong)
	}
	for _, name := range []string{"", "authorization", "DPoP"} {
		_, err := mtls.NewForwarded(mtls.ForwardedConfig{
			Field: mtls.EscapedPEM(name), Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		})
		assert.ErrorContains(t, err, "is no name for such a field", name)
	}
}

// FuzzForwarded shows any text as a field: it is read or it is not.
func FuzzForwarded(f *testing.F) {
	f.Add(rfc9440)
	f.Add(`By=a;Cert="-----BEGIN%20CERTIFICATE-----"`)
	f.Add(`Subject="\"\\";Cert=x,`)
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
	var all []*mtls.Forwarded
	for _, field := range []mtls.Field{mtls.ClientCert(), mtls.EnvoyXFCC(), mtls.EscapedPEM("x-cert")} {
		by, err := mtls.NewForwarded(mtls.ForwardedConfig{
			Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Field: field,
		})
		require.NoError(f, err)
		all = append(all, by)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, by := range all {
			certificate, err := by.Certificate([]string{value})
			if value != "" {
				assert.Equal(t, err == nil, certificate != nil, "%q", value)
			}
		}
	})
}
