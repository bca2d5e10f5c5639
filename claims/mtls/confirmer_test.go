package mtls_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/claims/mtls"
)

// byteSequence is a certificate as RFC 9440 has it in a field.
func byteSequence(certificate tls.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(certificate.Certificate[0]) + ":"
}

// A token that is bound to a certificate passes with that, from whoever shows
// it, and in a field from a trusted proxy alone.
func TestConfirmer(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Confirmers: []claims.Confirmer{mtls.New()},
	})
	require.NoError(t, err)
	own, another := claimstest.NewCertificate("client"), claimstest.NewCertificate("another")
	proxy := claimstest.NewCertificate("proxy")
	boundTo := func(certificate tls.Certificate) string {
		return issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"x5t#S256": claimstest.CertificateThumbprint(certificate.Leaf)}}})
	}
	bound, plain := boundTo(own), issuer.Mint(claimstest.Token{})
	const elsewhere = "127.0.0.2" // no proxy is there
	in := func(values ...string) http.Header { return http.Header{"Client-Cert": values} }
	const ok, refused = "OK", "Unauthorized"
	for _, tt := range []struct {
		name   string
		behind bool // whether the server trusts the proxy at 127.0.0.1
		call   call
		code   string
		seen   []string
	}{
		{name: "its certificate", call: call{certificate: &own, token: bound}, code: ok},
		{name: "another certificate", call: call{certificate: &another, token: bound}, code: refused},
		{name: "no certificate", call: call{token: bound}, code: refused},
		{name: "its certificate, under DPoP", call: call{certificate: &own, token: bound, scheme: "DPoP"}, code: refused},
		{name: "a token that is not bound", call: call{token: plain}, code: ok},
		{name: "not bound, with a certificate", call: call{certificate: &another, token: plain}, code: ok},
		{name: "a field where no proxy is", call: call{token: bound, header: in(byteSequence(own))}, code: refused},
		{name: "a field beside another certificate", call: call{certificate: &another, token: bound, header: in(byteSequence(own))}, code: refused},

		{name: "by the proxy", behind: true, call: call{token: bound, header: in(byteSequence(own))}, code: ok, seen: []string{byteSequence(own)}},
		{name: "by the proxy, with its own", behind: true, call: call{certificate: &proxy, token: bound, header: in(byteSequence(own))}, code: ok, seen: []string{byteSequence(own)}},
		{name: "another by the proxy", behind: true, call: call{token: bound, header: in(byteSequence(another))}, code: refused},
		{name: "none by the proxy", behind: true, call: call{token: bound}, code: refused},
		{name: "an empty field by the proxy", behind: true, call: call{token: bound, header: in("")}, code: refused},
		{name: "none by the proxy, whose own it is", behind: true, call: call{certificate: &own, token: bound}, code: refused},
		{name: "two by the proxy", behind: true, call: call{token: bound, header: in(byteSequence(own), byteSequence(own))}, code: refused},
		{name: "two in one field", behind: true, call: call{token: bound, header: in(byteSequence(own) + ", " + byteSequence(own))}, code: refused},
		{name: "garbage by the proxy", behind: true, call: call{token: bound, header: in(":AAAA:")}, code: refused},
		{name: "garbage, and not bound", behind: true, call: call{token: plain, header: in(":AAAA:")}, code: ok, seen: []string{":AAAA:"}},

		{name: "past the proxy", behind: true, call: call{from: elsewhere, token: bound, header: in(byteSequence(own))}, code: refused},
		{name: "past the proxy, with another", behind: true, call: call{from: elsewhere, certificate: &another, token: bound, header: in(byteSequence(own))}, code: refused},
		{name: "past the proxy, with its own", behind: true, call: call{from: elsewhere, certificate: &own, token: bound, header: in(byteSequence(another))}, code: ok},
		{name: "past the proxy, not bound", behind: true, call: call{from: elsewhere, token: plain, header: in(byteSequence(another))}, code: ok},
		{name: "past the proxy, public", behind: true, call: call{from: elsewhere, public: true, header: http.Header{
			"Client-Cert": {byteSequence(own)}, "Client-Cert-Chain": {byteSequence(another)},
		}}, code: ok},
		{name: "by the proxy, public", behind: true, call: call{public: true, header: in(byteSequence(own))}, code: ok, seen: []string{byteSequence(own)}},
	} {
		var by *mtls.Forwarded
		if tt.behind {
			by, err = mtls.NewForwarded(mtls.ForwardedConfig{
				Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Field: mtls.ClientCert(),
			})
			require.NoError(t, err)
		}
		for _, wire := range wires(t, verifier, by) {
			t.Run(tt.name+"/"+wire.name, func(t *testing.T) {
				t.Parallel()
				for range 2 { // remembered, the second time
					got := wire.send(t, tt.call)
					assert.Equal(t, tt.code, got.code)
					if tt.behind && tt.code == ok {
						assert.Equal(t, tt.seen, got.seen)
					}
				}
			})
		}
	}
}

// A token that is bound to a key and to a certificate needs both.
func TestConfirmer_besideDPoP(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	proofs, err := dpop.New(dpop.Config{})
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Confirmers: []claims.Confirmer{proofs, mtls.New()},
	})
	require.NoError(t, err)
	own, another := claimstest.NewCertificate("client"), claimstest.NewCertificate("another")
	key, thief := claimstest.MustKey("ES256"), claimstest.MustKey("ES256")
	cnf := m{"jkt": key.Thumbprint(), "x5t#S256": claimstest.CertificateThumbprint(own.Leaf)}
	more := m{"jkt": key.Thumbprint(), "x5t#S256": claimstest.CertificateThumbprint(own.Leaf), "kid": "x"}
	both, three := issuer.Mint(claimstest.Token{Claims: m{"cnf": cnf}}), issuer.Mint(claimstest.Token{Claims: m{"cnf": more}})
	for _, wire := range wires(t, verifier, nil) {
		try := func(by *claimstest.Key, certificate *tls.Certificate, token, scheme, jti string) string {
			proof := by.Prove(claimstest.Proof{Method: wire.method, URL: wire.url, Token: token, Claims: m{"jti": jti}})
			return wire.send(t, call{
				certificate: certificate, scheme: scheme, token: token, header: http.Header{"Dpop": {proof}},
			}).code
		}
		jti := wire.name
		assert.Equal(t, "Unauthorized", try(key, nil, both, "DPoP", jti), "no certificate")
		assert.Equal(t, "Unauthorized", try(key, &another, both, "DPoP", jti), "another certificate")
		assert.Equal(t, "Unauthorized", try(thief, &own, both, "DPoP", jti), "another key")
		assert.Equal(t, "Unauthorized", try(key, &own, both, "Bearer", jti), "as Bearer")
		assert.Equal(t, "Unauthorized", try(key, &own, three, "DPoP", jti), "a member that nobody proves")
		assert.Equal(t, "OK", try(key, &own, both, "DPoP", jti), "nothing before has used up the proof")
		assert.Equal(t, "Unauthorized", try(key, &own, both, "DPoP", jti), "again")
	}
}

// shown is what a request shows.
type shown claims.Proof

func (s shown) Prove(context.Context) claims.Proof { return claims.Proof(s) }

// A refusal tells operators what was shown.
func TestConfirmer_Confirm_causes(t *testing.T) {
	t.Parallel()
	own := claimstest.NewCertificate("client")
	fault := errors.New("two fields")
	member, scheme := mtls.New().Confirms()
	assert.Equal(t, "x5t#S256", member)
	assert.Equal(t, "Bearer", scheme)
	for _, tt := range []struct {
		proof claims.Proof
		cause string
	}{
		{claims.Proof{}, "the client showed no certificate"},
		{claims.Proof{Fault: fault}, "two fields"},
		{claims.Proof{Fault: fault, Certificate: own.Leaf}, "two fields"},
		{claims.Proof{Certificate: own.Leaf}, "the certificate is " + claimstest.CertificateThumbprint(own.Leaf)},
	} {
		err := mtls.New().Confirm(t.Context(), "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2", claims.Credentials{Proof: shown(tt.proof)})
		require.ErrorIs(t, err, claims.ErrInvalidToken)
		assert.Equal(t, claims.ReasonBinding, claims.AsError(err).Reason())
		assert.ErrorContains(t, errors.Unwrap(err), tt.cause)
	}
}
