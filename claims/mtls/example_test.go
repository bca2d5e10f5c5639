package mtls_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/mtls"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// A token that is bound to a certificate passes with that, in TLS or from the
// proxy that ends it.
func Example() {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	if err != nil {
		panic(err)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		KeyCache:   jwks.Config{Client: issuer.Client()}, // no network in an example
		Confirmers: []claims.Confirmer{mtls.New()},
	})
	if err != nil {
		panic(err)
	}
	proxies, err := mtls.NewForwarded(mtls.ForwardedConfig{
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.1.2.0/24")}, Field: mtls.ClientCert(),
	})
	if err != nil {
		panic(err)
	}
	api := httpmw.New(verifier, httpmw.Config{Certificates: proxies}).Wrap(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) {},
	))

	certificate := claimstest.NewCertificate("client")
	thumbprint := claimstest.CertificateThumbprint(certificate.Leaf)
	token := issuer.Mint(claimstest.Token{
		Claims: map[string]any{"cnf": map[string]any{"x5t#S256": thumbprint}},
	})
	ask := func(from string, shown *tls.ConnectionState, field string) {
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		r.RemoteAddr, r.TLS = from, shown
		r.Header.Set("Authorization", "Bearer "+token)
		if field != "" {
			r.Header.Set("Client-Cert", field)
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	ask("192.0.2.1:1234", &tls.ConnectionState{PeerCertificates: certifiedBy(certificate)}, "")
	ask("192.0.2.1:1234", nil, "")
	ask("10.1.2.3:1234", nil, byteSequence(certificate))
	ask("192.0.2.1:1234", nil, byteSequence(certificate)) // past the proxy
	// Output:
	// 200
	// 401
	// 200
	// 401
}
