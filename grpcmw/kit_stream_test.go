package grpcmw_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// metadataOf notes what a call sets.
type metadataOf struct {
	grpc.ServerTransportStream
	header, trailer metadata.MD
}

func (m *metadataOf) SetHeader(md metadata.MD) error {
	m.header = metadata.Join(m.header, md)
	return nil
}

func (m *metadataOf) SetTrailer(md metadata.MD) error {
	m.trailer = metadata.Join(m.trailer, md)
	return nil
}

// pipe is a stream whose messages go nowhere.
type pipe struct {
	grpc.ServerStream
	ctx            context.Context
	received, sent int
	message        string // what is received
	end            error
	headers        headers
}

// headers counts what a call sets in its header.
type headers struct {
	grpc.ServerTransportStream
	set atomic.Int32
}

func (c *headers) SetHeader(metadata.MD) error  { c.set.Add(1); return nil }
func (c *headers) SetTrailer(metadata.MD) error { return nil }

func (p *pipe) Context() context.Context { return p.ctx }
func (p *pipe) SendMsg(any) error        { p.sent++; return nil }

func (p *pipe) RecvMsg(m any) error {
	p.received++
	if m, ok := m.(*wrapperspb.StringValue); ok {
		m.Value = p.message
	}
	return p.end
}

// offline returns an issuer that has no server, and a Verifier that has its
// keys.
func offline(t *testing.T) (*claimstest.Issuer, *claims.Verifier) {
	t.Helper()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	require.NoError(t, err)
	return issuer, verifier
}

// onStream runs handler as a stream of a caller whose token is valid for a
// minute, and half a minute more by the leeway; results are what it returns, if
// anything.
func onStream(
	t *testing.T, p *pipe, handler func(grpc.ServerStream), results ...func() error,
) error {
	t.Helper()
	issuer, verifier := offline(t)
	const method = "/s.S/M"
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{method: claims.Authenticated()},
	})
	require.NoError(t, err)
	token := issuer.Mint(claimstest.Token{Lifetime: time.Minute})
	ctx := grpc.NewContextWithServerTransportStream(t.Context(), &p.headers)
	p.ctx = metadata.NewIncomingContext(ctx, metadata.Pairs("authorization", "Bearer "+token))
	return auth.Stream(nil, p, &grpc.StreamServerInfo{FullMethod: method},
		func(_ any, stream grpc.ServerStream) error {
			handler(stream)
			for _, result := range results {
				return result()
			}
			return nil
		})
}

func mint(issuer *claimstest.Issuer) string {
	return issuer.Mint(claimstest.Token{Subject: "alice", Scope: "read"})
}

func minted(issuer *claimstest.Issuer, lifetime time.Duration) string {
	return issuer.Mint(claimstest.Token{Subject: "alice", Lifetime: lifetime})
}

// faulty is a stream on which nothing can be sent.
type faulty struct{ pipe }

var errBroken = errors.New("broken pipe")

func (*faulty) SendMsg(any) error              { return errBroken }
func (*faulty) SetHeader(metadata.MD) error    { return errBroken }
func (*faulty) SendHeader(metadata.MD) error   { return errBroken }
func (*faulty) SetTrailer(trailer metadata.MD) {}
func (f *faulty) RecvMsg(m any) error          { return f.pipe.RecvMsg(m) }
func (f *faulty) Context() context.Context     { return f.ctx }

// pendingOn runs a handler on a stream that is not decided yet, and waits for
// it.
func pendingOn(
	t *testing.T, needs claims.Requirement, stream func(context.Context) grpc.ServerStream, handler func(grpc.ServerStream) error,
	ledgers ...*ledger,
) ([]claims.Decision, error) {
	t.Helper()
	issuer, verifier := offline(t)
	decisions := &ledger{}
	if len(ledgers) > 0 {
		decisions = ledgers[0]
	}
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{pendingMethod: needs}, Permissions: grants, Observer: decisions.observe,
	})
	require.NoError(t, err)
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+mint(issuer)))
	running := make(chan struct{}, 1)
	err = auth.Stream(nil, stream(ctx), &grpc.StreamServerInfo{FullMethod: pendingMethod},
		func(_ any, stream grpc.ServerStream) error {
			running <- struct{}{}
			defer func() { <-running }()
			return handler(stream)
		})
	running <- struct{}{}
	if len(ledgers) > 0 {
		return nil, err
	}
	whole, _ := decisions.take(pendingMethod)
	return whole, err
}

// said is a stream that notes its trailers.
type said struct {
	pipe
	trailer metadata.MD
}

func (s *said) SetTrailer(trailer metadata.MD) { s.trailer = metadata.Join(s.trailer, trailer) }

// accepting is an Authenticator that takes every token for the same caller's.
type accepting struct{ caller *claims.Claims }

func (a accepting) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return a.caller, nil
}

var errOwn = errors.New("of the handler's own")

func panicsDeepInside(value any) { panic(value) }
