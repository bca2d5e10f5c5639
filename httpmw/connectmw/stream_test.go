package connectmw_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw/connectmw"
)

// nearlyOver is a lifetime that ends a token a second or two from now, with the
// leeway of 30 seconds.
const nearlyOver = -28 * time.Second

// A stream ends with its token, wherever the handler is, and whatever it
// returns then; the observer is told.
func TestStream_ends(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	for name, during := range map[string]func(ctx context.Context, stream *bidi) error{
		"waits for the client": func(ctx context.Context, stream *bidi) error {
			for {
				if _, err := stream.Receive(); err != nil {
					return errors.New("it has gone away")
				}
			}
		},
		"waits for something else": func(ctx context.Context, stream *bidi) error {
			<-ctx.Done()
			return fmt.Errorf("own words: %w", ctx.Err())
		},
		"sends": func(ctx context.Context, stream *bidi) error {
			for {
				if err := stream.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
					return nil
				}
				time.Sleep(time.Millisecond)
			}
		},
		"asks why": func(ctx context.Context, stream *bidi) error {
			<-ctx.Done()
			return context.Cause(ctx)
		},
	} {
		for protocol, options := range protocols {
			if protocol != "gRPC" && name != "waits for the client" {
				continue // as each takes its time
			}
			t.Run(name+", "+protocol, func(t *testing.T) {
				t.Parallel()
				var seen record
				auth := guard(t, verifier, connectmw.Config{Policy: everything(claims.Scopes("a")), Observer: seen.observe})
				server := start(t, auth.Wrap((&service{during: during}).handler(connect.WithInterceptors(auth))))
				client := connect.NewClient[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse](server.Client(), server.URL+duplex, options...)
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				stream := client.CallBidiStream(ctx)
				token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a", Lifetime: nearlyOver})
				stream.RequestHeader().Set("Authorization", "Bearer "+token)
				require.NoError(t, stream.Send(&testpb.StreamingOutputCallRequest{}))
				var err error
				for err == nil {
					_, err = stream.Receive()
				}
				var refused *connect.Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, connect.CodeUnauthenticated, refused.Code(), err)
				info, _ := details(t, refused)
				assert.Equal(t, "EXPIRED", info.GetReason())
				assert.Equal(t, "a", info.GetMetadata()["scope"])
				decisions := seen.take()
				require.Len(t, decisions, 2)
				assert.Nil(t, decisions[0].Err)
				assert.Equal(t, claims.ReasonExpired, claims.AsError(decisions[1].Err).Reason())
			})
		}
	}
}

// A stream ends within about a second, while messages pass, once its caller may
// not go on.
func TestStream_recheck(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	issuers, err := claims.NewIssuers(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(t, err)
	auth := guard(t, issuers, connectmw.Config{Policy: everything(claims.Authenticated())})
	cause := make(chan error, 1)
	server := start(t, auth.Wrap((&service{during: func(ctx context.Context, stream *bidi) error {
		go func() {
			<-ctx.Done()
			cause <- context.Cause(ctx)
		}()
		for stream.Send(&testpb.StreamingOutputCallResponse{}) == nil {
			time.Sleep(time.Millisecond)
		}
		return <-cause
	}}).handler(connect.WithInterceptors(auth))))
	client := connect.NewClient[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse](server.Client(), server.URL+duplex)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	stream := client.CallBidiStream(ctx)
	stream.RequestHeader().Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{}))
	require.NoError(t, stream.Send(&testpb.StreamingOutputCallRequest{}))
	_, err = stream.Receive()
	require.NoError(t, err)
	issuers.Remove(issuer.URL())
	for err == nil {
		_, err = stream.Receive()
	}
	var refused *connect.Error
	require.ErrorAs(t, err, &refused)
	info, _ := details(t, refused)
	assert.Equal(t, "ISSUER", info.GetReason())
}

// Nothing reaches the client before the decision that waits for its message.
func TestStream_sendsEarly(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	for _, early := range []bool{false, true} {
		auth := guard(t, verifier, connectmw.Config{Policy: connectmw.Policy{duplex: owns(duplex, "alice")}})
		handler := (&service{during: func(_ context.Context, stream *bidi) error {
			_ = stream.Send(&testpb.StreamingOutputCallResponse{Payload: &testpb.Payload{Body: []byte("too early")}})
			return nil
		}}).handler(connect.WithInterceptors(auth))
		if early {
			handler = auth.Wrap(handler)
		}
		got := ask(t, start(t, handler), duplex, nil, "Bearer "+issuer.Mint(claimstest.Token{Subject: "alice"}))
		require.NotNil(t, got.err)
		assert.Equal(t, connect.CodeUnavailable, got.err.Code())
		assert.Empty(t, got.subject)
	}
}

// A handler that returns before it has looked is decided about all the same.
func TestStream_neverLooks(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	for name, row := range map[string]struct {
		returns error
		code    connect.Code
	}{
		"nil":   {nil, connect.CodePermissionDenied}, // there was no message to own
		"error": {connect.NewError(connect.CodeNotFound, errors.New(secret)), connect.CodeUnavailable},
		"refusal": {
			claims.NewError(claims.ErrForbidden, claims.ReasonPermission, nil), connect.CodePermissionDenied,
		},
	} {
		auth := guard(t, verifier, connectmw.Config{Policy: connectmw.Policy{duplex: owns(duplex, "alice")}})
		server := start(t, auth.Wrap((&service{during: func(context.Context, *bidi) error {
			return row.returns
		}}).handler(connect.WithInterceptors(auth))))
		got := ask(t, server, duplex, nil, "Bearer "+issuer.Mint(claimstest.Token{Subject: "alice"}))
		require.NotNil(t, got.err, name)
		assert.Equal(t, row.code, got.err.Code(), name)
		assert.NotContains(t, got.err.Message(), secret, name)
	}
}
