package grpcmw

import (
	"context"
	"net/netip"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/mtls"
)

// prover is a call as far as it can prove that its sender holds a key. All else
// that it needs is in the context of the call, so that it costs nothing to
// have.
type prover struct {
	handedOn *mtls.Forwarded // nil for none
}

// Prove returns what a bound token is proven with. What a proxy has handed on
// takes the place of the proxy's own certificate, also if it is none.
func (p prover) Prove(ctx context.Context) claims.Proof {
	proof := proofOf(ctx)
	if p.handedOn != nil && p.handedOn.Trusts(proof.Peer) {
		name := p.handedOn.Fields()[0]
		proof.Certificate, proof.Fault = p.handedOn.Certificate(
			metadata.ValueFromIncomingContext(ctx, name))
	}
	return proof
}

// withoutForged returns the context of a call without the keys of a proxy, if
// it is from another.
func withoutForged(ctx context.Context, by *mtls.Forwarded) context.Context {
	for _, name := range by.Fields() {
		if len(metadata.ValueFromIncomingContext(ctx, name)) > 0 && !by.Trusts(peerOf(ctx)) {
			md, _ := metadata.FromIncomingContext(ctx) // a copy
			md.Delete(name)
			ctx = metadata.NewIncomingContext(ctx, md)
		}
	}
	return ctx
}

// withContext is a stream with another context.
type withContext struct {
	grpc.ServerStream
	ctx context.Context
}

func (s withContext) Context() context.Context { return s.ctx }

// proofOf returns what a call has by itself. The URL is that of the HTTP/2
// request that it is: scheme, authority and full method name.
func proofOf(ctx context.Context) claims.Proof {
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
	proof.Peer = peerOf(ctx)
	from, ok := peer.FromContext(ctx)
	if !ok {
		return proof
	}
	if tls, ok := from.AuthInfo.(credentials.TLSInfo); ok {
		proof.URL = "https://" + authority + method
		if len(tls.State.PeerCertificates) > 0 {
			proof.Certificate = tls.State.PeerCertificates[0]
		}
	}
	return proof
}

func peerOf(ctx context.Context) netip.Addr {
	from, ok := peer.FromContext(ctx)
	if !ok || from.Addr == nil {
		return netip.Addr{}
	}
	address, err := netip.ParseAddrPort(from.Addr.String())
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr().Unmap().WithZone("")
}
