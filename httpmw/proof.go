package httpmw

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/sallyport-go/sallyport/claims"
)

// prover is a request as far as it can prove that its sender holds a key.
type prover http.Request

// Prove returns what a bound token is proven with. The URL has the scheme, the
// host and the path by which the request reached this server.
func (p *prover) Prove(context.Context) claims.Proof {
	r := (*http.Request)(p)
	proof := claims.Proof{
		Method: r.Method,
		URL:    "http://" + r.Host + r.URL.EscapedPath(),
		DPoP:   r.Header["Dpop"],
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		proof.Peer = from.Addr().Unmap().WithZone("")
	}
	if r.TLS != nil {
		proof.URL = "https://" + r.Host + r.URL.EscapedPath()
		if len(r.TLS.PeerCertificates) > 0 {
			proof.Certificate = r.TLS.PeerCertificates[0]
		}
	}
	return proof
}
