package httpmw

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/mtls"
)

// proverOf returns what a request can prove with. It is asked for bound tokens
// alone, and costs others nothing unless there are proxies.
func (m *Middleware) proverOf(
	r *http.Request, scheme string, response http.Header,
) claims.Prover {
	var by claims.Prover = (*prover)(r)
	if m.handedOn != nil {
		by = &proxied{(*prover)(r), m.handedOn}
	}
	if scheme == "Bearer" || strings.EqualFold(scheme, "Bearer") { // mostly the first
		return by
	}
	if response == nil { // nobody answers yet
		response = http.Header{}
	}
	return &answered{by, response}
}

// answered is a prover whose proof is answered.
type answered struct {
	claims.Prover
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
	proof := a.Prover.Prove(ctx)
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
	host := r.Host + pathOf(r)
	proof := claims.Proof{
		Method: r.Method, URL: "http://" + host, DPoP: r.Header["Dpop"], Peer: peerOf(r),
	}
	if r.TLS != nil {
		proof.URL = "https://" + host
		if len(r.TLS.PeerCertificates) > 0 {
			proof.Certificate = r.TLS.PeerCertificates[0]
		}
	}
	return proof
}

// pathOf returns the path as the client sent it, whatever has been done to the
// URL since: a handler may be below a prefix that was taken off.
func pathOf(r *http.Request) string {
	if path, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(path, "/") {
		return path
	}
	return r.URL.EscapedPath()
}

func peerOf(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}

// proxied is a request that may have come by a proxy.
type proxied struct {
	*prover
	by *mtls.Forwarded
}

// Prove returns what a bound token is proven with. What a proxy has handed on
// takes the place of the proxy's own certificate, also if it is none.
func (p *proxied) Prove(ctx context.Context) claims.Proof {
	proof := p.prover.Prove(ctx)
	if p.by.Trusts(proof.Peer) {
		proof.Certificate, proof.Fault = p.by.Certificate(p.Header[p.by.Fields()[0]])
	}
	return proof
}

// removeForged removes the fields of a proxy from a request of another.
func removeForged(r *http.Request, by *mtls.Forwarded) {
	for _, name := range by.Fields() {
		if _, there := r.Header[name]; there && !by.Trusts(peerOf(r)) {
			delete(r.Header, name)
		}
	}
}
