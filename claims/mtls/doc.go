// Package mtls proves that the sender of a request holds the key that their
// token is bound to, by the certificate that they showed for TLS (RFC 8705
// section 3): a token that was stolen without the key opens nothing.
//
//	verifier, err := claims.NewVerifier(claims.Config{
//		Issuer: issuer, Audiences: audiences, Confirmers: []claims.Confirmer{mtls.New()},
//	})
//
// The server must ask for certificates: tls.Config.ClientAuth of
// tls.RequestClientCert, with which any certificate will do, as the token says
// which it must be; or tls.RequireAndVerifyClientCert, where all clients have
// certificates of one authority. Tokens that are not bound still pass; where
// none may, say RequiredClaims: []string{"cnf"} in the claims.Config.
//
// # When to choose it
//
// Choose certificates where both ends are services that have them anyway, as in
// a mesh or with partners: a request costs nothing more, and there is nothing
// to remember. Choose package dpop where clients cannot have certificates, or
// something between ends TLS that cannot hand them on. Both at once work, and a
// token may be bound both ways.
//
// # Behind a proxy
//
// What ends TLS has to hand the certificate on, in a header field. [Forwarded]
// says in which, and by whom it is believed; it is a field of the Config of
// both transports. A field from anybody else is removed and ignored: whoever
// reaches the server beside the proxy could write any certificate into it.
package mtls
