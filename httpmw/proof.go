package httpmw

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// proverOf returns what a request can prove with. It is asked for bound tokens
// alone, and costs others nothing.
func proverOf(r *http.Request, scheme string, response http.Header) claims.Prover {
	if scheme == "Bearer" || strings.EqualFold(scheme, "Bearer") { // mostly the first
		return (*prover)(r)
	}
	if response == nil { // nobody answers yet
		response = http.Header{}
	}
	return &answered{(*prover)(r), response}
}

// answered is a prover whose proof is answered.
type answered struct {
	*prover
	response http.Header
}

// header returns what goes with the answer.
func (a *answered) header() http.Header {
	if a == nil {
		return nil
	}
	return a.response
}

// Prove returns what a bound token is proven with.
func (a *answered) Prove(ctx context.Context) claims.Proof {
	proof := a.prover.Prove(ctx)
	proof.Respond = func(name, value string) {
		a.response.Set(name, value)
		// It is for this client, and for now (RFC 9449 section 8.2).
		if a.response.Get("Cache-Control") == "" {
			a.response.Set("Cache-Control", "no-store")
		}
	}
	return proof
}

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
