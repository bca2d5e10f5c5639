package grpcmw_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// offline returns an issuer that has no server, and a Verifier that has its keys.
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

// onStream runs handler as a stream of a caller whose token is valid for a minute,
// and half a minute more by the leeway; results are what it returns, if anything.
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

// A stream ends with its token: no message passes once it has expired.
func TestStream_endsWithItsToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, start := &pipe{}, time.Now()
		done := make(chan struct{})
		err := onStream(t, p, func(stream grpc.ServerStream) {
			defer close(done)
			assert.NoError(t, stream.SendMsg(nil))
			time.Sleep(90*time.Second - time.Nanosecond)
			assert.NoError(t, stream.SendMsg(nil))
			assert.NoError(t, stream.RecvMsg(nil))
			time.Sleep(time.Nanosecond)
			p.end = io.EOF
			for _, err := range []error{
				stream.SendMsg(nil), stream.RecvMsg(nil), stream.SetHeader(nil), stream.SendHeader(nil),
			} {
				assert.Equal(t, codes.Unauthenticated, status.Code(err))
				assert.Equal(t, "The access token has expired.", status.Convert(err).Message())
			}
			stream.SetTrailer(nil)
		})
		assert.Equal(t, 90*time.Second, time.Since(start))
		<-done
		assert.Equal(t, 2, p.sent)
		assert.Equal(t, 1, p.received)
		assert.EqualValues(t, 1, p.headers.set.Load(), "a handler that goes on does not make it longer")
		assert.Equal(t, codes.Unauthenticated, status.Code(err), "the client is told, whatever the handler makes of it")
	})
}

// A handler that waits for something else learns of the end by its context.
func TestStream_endsWhileItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		err := onStream(t, &pipe{}, func(stream grpc.ServerStream) {
			defer close(done)
			start := time.Now()
			<-stream.Context().Done()
			assert.Equal(t, 90*time.Second, time.Since(start))
			assert.Equal(t, claims.ReasonExpired, claims.AsError(context.Cause(stream.Context())).Reason())
		})
		<-done
		assert.Equal(t, codes.Unauthenticated, status.Code(err), "it is no clean end")
	})
}

func TestStream_messageAllocations(t *testing.T) {
	err := onStream(t, &pipe{}, func(stream grpc.ServerStream) {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			_ = stream.SendMsg(nil)
			_ = stream.RecvMsg(nil)
		}))
	})
	require.NoError(t, err)
}
