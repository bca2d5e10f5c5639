package grpcmw_test

import (
	"context"
	"io"
	"strings"
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
)

// sandboxed is a service whose calls may have the token of a sandbox, in
// metadata of its own, by an issuer of its own.
type sandboxed struct {
	first, boxes *claimstest.Issuer
	ledger       ledger
	conn         *grpc.ClientConn
}

// kinds are the methods of a service, one of each kind.
var kinds = []string{"Unary", "ServerStream", "ClientStream", "Bidi"}

// newSandboxed serves methods of every kind, in a service for each requirement.
func newSandboxed(t testing.TB, handler grpc.StreamHandler, needs map[string]claims.Requirement) *sandboxed {
	t.Helper()
	s := &sandboxed{
		first: claimstest.Start(t, claimstest.Config{}), boxes: claimstest.Start(t, claimstest.Config{}),
	}
	trusting := func(issuer *claimstest.Issuer) *claims.Verifier {
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Leeway: -1,
		})
		require.NoError(t, err)
		return verifier
	}
	policy := grpcmw.Policy{}
	var services []*grpc.ServiceDesc
	for name, needs := range needs {
		services = append(services, kindsOf(name, &seen{}, handler))
		for _, kind := range kinds {
			policy["/"+name+"/"+kind] = needs
		}
	}
	auth, err := grpcmw.New(trusting(s.first), grpcmw.Config{
		Policy: policy, Observer: s.ledger.observe,
		Second: map[string]grpcmw.Second{
			"sandbox": {From: grpcmw.FromMetadata("x-sandbox-token", ""), Auth: trusting(s.boxes)},
		},
	})
	require.NoError(t, err)
	s.conn = serving(t, auth, services...)
	return s
}

// having returns the context of a call with these tokens, empty for none.
func having(ctx context.Context, first, sandbox string) context.Context {
	if first != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+first)
	}
	if sandbox != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-sandbox-token", sandbox)
	}
	return ctx
}

// Each credential has its own place, issuer and refusal, in calls of each kind.
func TestSecond(t *testing.T) {
	t.Parallel()
	s := newSandboxed(t, nil, map[string]claims.Requirement{
		"run":  claims.All(claims.Scopes("read"), claims.Second("sandbox", claims.Scopes("run"))),
		"may":  claims.Second("sandbox", claims.Optional()),
		"open": claims.Optional(),
		"box":  claims.All(claims.Optional(), claims.Second("sandbox", claims.Authenticated())),
	})
	alice := s.first.Mint(claimstest.Token{Subject: "alice", Scope: "read"})
	box := s.boxes.Mint(claimstest.Token{Subject: "box", Scope: "run"})
	poor := s.boxes.Mint(claimstest.Token{Subject: "box", Scope: "walk"})
	late := claimstest.Token{Subject: "late", Lifetime: -time.Minute}
	for name, tt := range map[string]struct {
		service, first, sandbox string
		code                    codes.Code
		text                    string
		challenge               string
		outcome                 string
	}{
		"both":        {"run", alice, box, codes.OK, "", "", "allowed"},
		"no second":   {"run", alice, "", codes.Unauthenticated, "sandbox: This operation needs an access token.", `sandbox realm="api", scope="run"`, "no_token"},
		"expired":     {"run", alice, s.boxes.Mint(late), codes.Unauthenticated, "sandbox: The access token has expired.", `sandbox realm="api", error="invalid_token", error_description="sandbox: The access token has expired.", scope="run"`, "invalid_token"},
		"malformed":   {"run", alice, "Bearer " + box, codes.Unauthenticated, "sandbox: This credential is malformed.", `sandbox realm="api", error="invalid_request", error_description="sandbox: This credential is malformed."`, "invalid_request"},
		"too little":  {"run", alice, poor, codes.PermissionDenied, "sandbox: The access token lacks a scope that this operation needs.", `sandbox realm="api", error="insufficient_scope", error_description="sandbox: The access token lacks a scope that this operation needs.", scope="run"`, "not_permitted"},
		"no first":    {"run", "", box, codes.Unauthenticated, "This operation needs an access token.", `Bearer realm="api", scope="read"`, "no_token"},
		"swapped":     {"run", box, alice, codes.Unauthenticated, "The issuer of the access token is not trusted here.", `Bearer realm="api", error="invalid_token", error_description="The issuer of the access token is not trusted here.", scope="read"`, "invalid_token"},
		"missing":     {"may", alice, "", codes.OK, "", "", "allowed"},
		"not bad":     {"may", alice, alice, codes.Unauthenticated, "sandbox: The issuer of the access token is not trusted here.", `sandbox realm="api", error="invalid_token", error_description="sandbox: The issuer of the access token is not trusted here."`, "invalid_token"},
		"anonymous":   {"open", "", "", codes.OK, "", "", "anonymous"},
		"with token":  {"open", alice, "", codes.OK, "", "", "allowed"},
		"bad, open":   {"open", s.first.Mint(late), "", codes.Unauthenticated, "The access token has expired.", `Bearer realm="api", error="invalid_token", error_description="The access token has expired."`, "invalid_token"},
		"second only": {"box", "", box, codes.OK, "", "", "anonymous"},
		"neither":     {"box", "", "", codes.Unauthenticated, "sandbox: This operation needs an access token.", `sandbox realm="api"`, "no_token"},
	} {
		for _, kind := range kinds {
			s.ledger.take("/" + tt.service + "/" + kind)
			got := invoke(having(t.Context(), tt.first, tt.sandbox), s.conn, tt.service, kind, "hello")
			whole, _ := s.ledger.take("/" + tt.service + "/" + kind)
			require.Len(t, whole, 1, name)
			assert.Equal(t, tt.outcome, whole[0].Outcome(), name)
			if tt.code == codes.OK {
				assert.Equal(t, io.EOF, got.err, "%s %s", name, kind)
				assert.Equal(t, []string{"hello"}, got.messages, name)
				continue
			}
			st := status.Convert(got.err)
			assert.Equal(t, tt.code, st.Code(), "%s %s", name, kind)
			assert.Equal(t, tt.text, st.Message(), "%s %s", name, kind)
			info, _ := details(t, st)
			assert.Equal(t, tt.challenge, info.GetMetadata()["www-authenticate"], name)
			assert.Equal(t, []string{tt.challenge}, got.header.Get("www-authenticate"), "%s %s", name, kind)
			second := ""
			if strings.HasPrefix(tt.text, "sandbox: ") {
				second = "sandbox"
			}
			assert.Equal(t, second, info.GetMetadata()["credential"], name)
			assert.Equal(t, second, whole[0].Err.Second(), name)
		}
	}
}

// A stream ends with the first of its tokens, and its handler finds both
// callers.
func TestSecond_streamEnds(t *testing.T) {
	t.Parallel()
	type caller struct {
		first, second string
		cause         error
	}
	found := make(chan caller, 1)
	s := newSandboxed(t, func(_ any, stream grpc.ServerStream) error {
		ctx := stream.Context()
		first, _ := claims.FromContext(ctx)
		second, _ := claims.SecondFromContext(ctx, "sandbox")
		if err := stream.SendMsg(wrapperspb.String("hello")); err != nil {
			return err
		}
		<-ctx.Done()
		found <- caller{first.Subject(), second.Subject(), context.Cause(ctx)}
		return nil
	}, map[string]claims.Requirement{"run": claims.Second("sandbox", claims.Scopes("run"))})
	for name, tt := range map[string]struct {
		first, second time.Duration
		by            string
	}{
		"the second": {time.Hour, 3 * time.Second, "sandbox"},
		"the first":  {3 * time.Second, time.Hour, ""},
	} {
		start := time.Now()
		got := invoke(having(t.Context(),
			s.first.Mint(claimstest.Token{Subject: "alice", Lifetime: tt.first}),
			s.boxes.Mint(claimstest.Token{Subject: "box", Scope: "run", Lifetime: tt.second}),
		), s.conn, "run", "ServerStream", "hello")
		assert.Less(t, time.Since(start), 30*time.Second, name)
		st := status.Convert(got.err)
		assert.Equal(t, codes.Unauthenticated, st.Code(), name)
		info, _ := details(t, st)
		assert.Equal(t, "EXPIRED", info.GetReason(), name)
		assert.Equal(t, tt.by, info.GetMetadata()["credential"], name)
		assert.Equal(t, []string{"hello"}, got.messages, name)
		c := <-found
		assert.Equal(t, "alice", c.first)
		assert.Equal(t, "box", c.second)
		assert.Equal(t, tt.by, claims.AsError(c.cause).Second(), name)
	}
}

// Everything that is wrong with the Config is said at start, at once.
func TestSecond_mistakes(t *testing.T) {
	t.Parallel()
	_, err := grpcmw.New(verifier(t), grpcmw.Config{
		Policy: grpcmw.Policy{"/a.B/C": claims.Second("bx", claims.Authenticated())},
		Second: map[string]grpcmw.Second{
			"DPoP":   {From: grpcmw.FromMetadata("x-own", ""), Auth: verifier(t)},
			"box":    {Auth: verifier(t)},
			"nobody": {From: grpcmw.FromMetadata("X-Own", "Token")},
			"wrong":  {From: grpcmw.FromMetadata("te", ""), Auth: verifier(t)},
		},
	})
	for _, want := range []string{
		`grpcmw: New: Config.Second has "DPoP", which is an authentication scheme`,
		`grpcmw: New: Config.Second["nobody"]: its Authenticator is nil`,
		`grpcmw: New: Config.Second["box"].From and Config.From both look at the metadata authorization`,
		`grpcmw: New: Config.Second["nobody"].From and Config.Second["DPoP"].From both look at the metadata x-own`,
		`grpcmw: New: Config.Second["wrong"].From: FromMetadata: the metadata te means something else`,
	} {
		assert.ErrorContains(t, err, want)
	}
	_, err = grpcmw.New(verifier(t), grpcmw.Config{
		Policy: grpcmw.Policy{"/a.B/C": claims.Second("bx", claims.Authenticated())},
		Second: map[string]grpcmw.Second{"box": {From: grpcmw.FromMetadata("x-own", ""), Auth: verifier(t)}},
	})
	assert.ErrorContains(t, err, `/a.B/C: claims: Second("bx", Authenticated()) can never be met: Config.Second has no "bx", but "box"`)
}
