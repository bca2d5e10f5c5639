package grpcmw

import (
	"context"
	"net/netip"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/sallyport-go/sallyport/claims"
)

// prover is a call as far as it can prove that its sender holds a key. All that
// it needs is in the context of the call, so that it costs nothing to have.
type prover struct{}

// Prove returns what a bound token is proven with. The URL is that of the
// HTTP/2 request that the call is: scheme, authority and full method name.
func (prover) Prove(ctx context.Context) claims.Proof {
	method, _ := grpc.Method(ctx)
	authority := ""
	if values := metadata.ValueFromIncomingContext(ctx, ":authority"); len(values) == 1 {
		authority = values[0]
	}
	proof := claims.Proof{
		Method: "POST",
		URL:    "http://" + authority + method,
		DPoP:   metadata.ValueFromIncomingContext(ctx, "dpop"),
		Respond: func(name, value string) {
			// What cannot be sent any more is no reason to refuse.
			_ = grpc.SetHeader(ctx, metadata.Pairs(name, value))
		},
	}
	from, ok := peer.FromContext(ctx)
	if !ok {
		return proof
	}
	if from.Addr != nil {
		if addr, err := netip.ParseAddrPort(from.Addr.String()); err == nil {
			proof.Peer = addr.Addr().Unmap().WithZone("")
		}
	}
	if tls, ok := from.AuthInfo.(credentials.TLSInfo); ok {
		proof.URL = "https://" + authority + method
		if len(tls.State.PeerCertificates) > 0 {
			proof.Certificate = tls.State.PeerCertificates[0]
		}
	}
	return proof
}
