package grpcmw_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// conduit is a stream whose first message says "acme" once arrive is closed.
type conduit struct {
	grpc.ServerStream
	ctx    context.Context
	arrive chan struct{}
	sent   atomic.Int32
}

func (c *conduit) Context() context.Context     { return c.ctx }
func (c *conduit) SendMsg(any) error            { c.sent.Add(1); return nil }
func (c *conduit) SendHeader(metadata.MD) error { c.sent.Add(1); return nil }

func (c *conduit) RecvMsg(m any) error {
	<-c.arrive
	m.(*wrapperspb.StringValue).Value = "acme"
	return nil
}

// onConduit runs handler as a stream that is pending, of a caller whose token
// is valid for a minute and half a minute more.
func onConduit(t *testing.T, c *conduit, observer claims.Observer, handler func(grpc.ServerStream) error) error {
	t.Helper()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	require.NoError(t, err)
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{"/s.S/M": overGRPC.ofAcme}, Observer: observer,
	})
	require.NoError(t, err)
	c.arrive = make(chan struct{})
	c.ctx = metadata.NewIncomingContext(grpc.NewContextWithServerTransportStream(t.Context(), &headers{}),
		metadata.Pairs("authorization", "Bearer "+issuer.Mint(claimstest.Token{Subject: "alice", Lifetime: time.Minute})))
	running := make(chan struct{}, 1)
	defer func() { running <- struct{}{} }()
	return auth.Stream(nil, c, &grpc.StreamServerInfo{FullMethod: "/s.S/M"},
		func(_ any, stream grpc.ServerStream) error {
			running <- struct{}{}
			defer func() { <-running }()
			return handler(stream)
		})
}

// pendingServer serves streams whose requirement looks at the first message.
type pendingServer struct {
	conn      *grpc.ClientConn
	issuer    *claimstest.Issuer
	decisions *ledger
	ctx       context.Context // of somebody who may, in workspace acme
}

const pendingMethod = "/pending.Service/Bidi"

func servePending(t *testing.T, needs claims.Requirement, handler grpc.StreamHandler) *pendingServer {
	t.Helper()
	issuer, verifier := matrixVerifier(t)
	s := &pendingServer{issuer: issuer, decisions: &ledger{}}
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{pendingMethod: needs}, Permissions: grants, Observer: s.decisions.observe,
	})
	require.NoError(t, err)
	s.conn = serving(t, auth, kindsOf("pending.Service", &seen{}, handler))
	s.ctx = withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{
		Subject: "alice", Scope: "read", Claims: map[string]any{"permissions": []string{}},
	})})
	return s
}

// call makes a call with these messages.
func (s *pendingServer) call(messages ...string) reply {
	return invoke(s.ctx, s.conn, "pending.Service", "Bidi", messages...)
}

// assertRefused checks that the client learns that it may not, or that this can
// not be decided, and nothing else.
func (s *pendingServer) assertRefused(t *testing.T, got reply, class error) {
	t.Helper()
	code := codes.PermissionDenied
	if class == claims.ErrUnavailable {
		code = codes.Unavailable
	}
	assert.Equal(t, code, status.Code(got.err), "%v", got.err)
	assert.NotContains(t, got.err.Error(), "secret")
	assert.Empty(t, got.messages)
	assert.Empty(t, got.header.Get("www-authenticate"), "no other token would help")
	assert.Empty(t, got.header.Get("x-secret"), "a header of the handler's")
	assert.Empty(t, got.trailer.Get("x-secret"), "a trailer of the handler's")
}

// oneDecision returns what was decided about the operation, once.
func (s *pendingServer) oneDecision(t *testing.T) claims.Decision {
	t.Helper()
	var whole []claims.Decision
	// The client may learn of the end before the server's side has ended.
	require.Eventually(t, func() bool {
		more, _ := s.decisions.take(pendingMethod)
		whole = append(whole, more...)
		return len(whole) > 0
	}, 2*time.Second, time.Millisecond, "no decision about the operation")
	require.Len(t, whole, 1)
	assert.Equal(t, "alice", whole[0].Subject)
	return whole[0]
}

var inAcme = overGRPC.workspace(claims.Permissions("in-acme"))

func receive(stream grpc.ServerStream) (string, error) {
	in := &wrapperspb.StringValue{}
	err := stream.RecvMsg(in)
	return in.GetValue(), err
}
