package boundclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"golang.org/x/oauth2"
	"google.golang.org/grpc/credentials"
)

// Certified is a client whose tokens are bound to its certificate: it shows
// that to the authorization server when it asks for a token, and to the API
// with each connection. A request needs nothing more than the token, as Bearer.
type Certified struct {
	// Certificate is the client's, with its key. Required.
	Certificate tls.Certificate

	// Roots are who signs the certificates of servers. Nil means those of the
	// system.
	Roots *x509.CertPool
}

func (c Certified) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.Certificate}, RootCAs: c.Roots}
}

// Client returns an HTTP client: for tokens as the [oauth2.HTTPClient] of a
// context, and for the API as the Base of an [oauth2.Transport].
func (c Certified) Client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = c.config()
	return &http.Client{Transport: transport}
}

// Credentials returns those of a gRPC connection, whose calls have their token
// by [Bearer].
func (c Certified) Credentials() credentials.TransportCredentials {
	return credentials.NewTLS(c.config())
}

// Bearer is [credentials.PerRPCCredentials] that sends the tokens of a source
// over TLS.
type Bearer struct{ Source oauth2.TokenSource }

// RequireTransportSecurity returns true.
func (Bearer) RequireTransportSecurity() bool { return true }

// GetRequestMetadata returns the token of a call.
func (b Bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := b.Source.Token()
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token.AccessToken}, nil
}
