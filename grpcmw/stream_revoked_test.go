package grpcmw_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// opaqueTokens is an Authenticator of one's own, whose tokens have no end.
type opaqueTokens struct{ caller []byte }

func (o opaqueTokens) Authenticate(_ context.Context, c claims.Credentials) (*claims.Claims, error) {
	if c.Token != "opaque" {
		return nil, claims.ErrUnrecognized
	}
	return claims.FromJSON(o.caller, claims.Config{})
}

// News of each kind reaches calls of each kind: those that come are refused, of
// a token that was seen before or not, of a JWT or another; and what is open
// ends. What the news does not name goes on.
func TestInterceptor_revoked(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(t, err)
	auth := claims.FirstOf(opaqueTokens{[]byte(`{"iss":"` + issuer.URL() + `","sub":"alice","jti":"t1",
		"sid":"s1","client_id":"shop"}`)}, verifier)
	for name, entry := range map[string]revocation.Entry{
		"token": {Token: "t1"}, "session": {Session: "s1"}, "subject": {Subject: "alice"},
		"client": {ClientID: "shop"}, "issuer": {},
		"subject at a client": {Subject: "alice", ClientID: "shop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := revocation.NewTable(revocation.Config{Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			policy := grpcmw.Policy{livesMethod + "Unary": claims.Authenticated()}
			for _, kind := range streamKinds {
				policy[livesMethod+kind.StreamName] = claims.Authenticated()
			}
			policy[livesMethod+"Bidi"] = claims.MayOutlive(claims.Authenticated()) // its token, not the news
			guard, err := grpcmw.New(auth, grpcmw.Config{Policy: policy, Revocations: table})
			require.NoError(t, err)
			reached := make(chan struct{}, 100)
			conn := serving(t, guard, kindsOf("lives.Service", &seen{}, func(_ any, stream grpc.ServerStream) error {
				reached <- struct{}{}
				<-stream.Context().Done()
				return stream.Context().Err()
			}))
			mint := func(subject, id, session, client string) string {
				return issuer.Mint(claimstest.Token{Subject: subject, ClientID: client,
					Claims: map[string]any{"jti": id, "sid": session}})
			}
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
			defer cancel()
			tokens := map[string]string{
				"opaque": "opaque", "remembered": mint("alice", "t1", "s1", "shop"),
			}
			ends := make(chan error, 100)
			open := 0
			for _, token := range tokens {
				for _, kind := range streamKinds {
					stream, err := conn.NewStream(withAuthorization(ctx, []string{"Bearer " + token}), &kind, livesMethod+kind.StreamName)
					require.NoError(t, err)
					if !kind.ClientStreams {
						require.NoError(t, stream.SendMsg(&wrapperspb.StringValue{}))
						require.NoError(t, stream.CloseSend())
					}
					open++
					go func() { ends <- stream.RecvMsg(&wrapperspb.StringValue{}) }()
				}
			}
			if entry.Issuer = issuer.URL(); name == "issuer" {
				entry.Before = time.Now().Add(time.Minute)
			} else {
				entry.Before = time.Now().Add(2 * time.Second) // so that the fresh token is older
			}
			for range open {
				<-reached
			}
			require.NoError(t, table.Revoke(ctx, entry))
			assertRevoked := func(err error, what string) {
				assert.Equal(t, codes.Unauthenticated, status.Code(err), "%s: %v", what, err)
				assert.Equal(t, "The access token has been revoked.", status.Convert(err).Message(), what)
			}
			for range open {
				assertRevoked(<-ends, "a stream that was open")
			}
			tokens["fresh"] = mint("alice", "t1", "s1", "shop")
			for kind, token := range tokens {
				err := conn.Invoke(withAuthorization(ctx, []string{"Bearer " + token}), livesMethod+"Unary", &wrapperspb.StringValue{}, &wrapperspb.StringValue{})
				assertRevoked(err, kind)
				stream, err := conn.NewStream(withAuthorization(ctx, []string{"Bearer " + token}), &streamKinds[2], livesMethod+streamKinds[2].StreamName)
				require.NoError(t, err)
				assertRevoked(stream.RecvMsg(&wrapperspb.StringValue{}), kind)
			}
			if name == "issuer" {
				return
			}
			err = conn.Invoke(withAuthorization(ctx, []string{"Bearer " + mint("bob", "t2", "s2", "till")}), livesMethod+"Unary", &wrapperspb.StringValue{}, &wrapperspb.StringValue{})
			assert.NotEqual(t, codes.Unauthenticated, status.Code(err), "%v", err)
		})
	}
}

// A stream of MayOutlive goes on after its token has expired, while messages
// pass and it is asked again whether they may, and ends by news all the same.
func TestInterceptor_outlivesItsToken(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Leeway: -1,
	})
	require.NoError(t, err)
	table, err := revocation.NewTable(revocation.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	bidi := streamKinds[2]
	guard, err := grpcmw.New(verifier, grpcmw.Config{Revocations: table, Policy: grpcmw.Policy{
		livesMethod + bidi.StreamName: claims.MayOutlive(claims.Authenticated()),
	}})
	require.NoError(t, err)
	causes := make(chan error, 100)
	conn := serving(t, guard, kindsOf("lives.Service", &seen{}, func(_ any, stream grpc.ServerStream) error {
		for {
			in := &wrapperspb.StringValue{}
			err := stream.RecvMsg(in)
			if err == nil {
				err = stream.SendMsg(in)
			}
			if err != nil {
				causes <- context.Cause(stream.Context())
				return err
			}
		}
	}))
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	end := time.Now().Add(3 * time.Second).Truncate(time.Second)
	ctx = withAuthorization(ctx, []string{"Bearer " + issuer.Mint(claimstest.Token{
		Subject: "alice", Claims: map[string]any{"exp": end.Unix()},
	})})
	open := func() grpc.ClientStream {
		stream, err := conn.NewStream(ctx, &bidi, livesMethod+bidi.StreamName)
		require.NoError(t, err)
		return stream
	}
	echo := func(stream grpc.ClientStream) error {
		_ = stream.SendMsg(&wrapperspb.StringValue{}) // RecvMsg tells why
		return stream.RecvMsg(&wrapperspb.StringValue{})
	}

	stream := open()
	for time.Until(end) > -3*time.Second {
		require.NoError(t, echo(stream), "%s before its token's end", time.Until(end))
		time.Sleep(100 * time.Millisecond)
	}
	assert.Equal(t, codes.Unauthenticated, status.Code(echo(open())), "but nobody begins")

	require.NoError(t, table.Revoke(ctx, revocation.Entry{Issuer: issuer.URL(), Subject: "alice"}))
	err = stream.RecvMsg(&wrapperspb.StringValue{}) // though nothing is sent
	assert.Equal(t, codes.Unauthenticated, status.Code(err))
	assert.Equal(t, "The access token has been revoked.", status.Convert(err).Message())
	assert.Equal(t, claims.ReasonRevoked, claims.AsError(<-causes).Reason())
}
