package grpcmw_test

import (
	"context"
	"testing"

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

// However a call reaches the server, the client learns what would do: in the
// response header, where that has not gone, and in the status always. It is in
// no trailer, so that net/http has nothing to log, whoever calls.
func TestRefuse_challengeArrives(t *testing.T) {
	t.Parallel()
	const service = "way.Service"
	issuer, verifier := matrixVerifier(t)
	needs := claims.Scopes("write")
	policy := grpcmw.Policy{"/" + service + "/Unary": needs}
	for _, kind := range streamKinds {
		policy["/"+service+"/"+kind.StreamName] = needs
		policy["/started.Service/"+kind.StreamName] = claims.Authenticated()
		policy["/answering.Service/"+kind.StreamName] = claims.Authenticated()
	}
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	started := func(_ any, stream grpc.ServerStream) error {
		if err := stream.SendHeader(metadata.Pairs("x", "1")); err != nil {
			return err
		}
		return claims.Allowed(stream.Context(), needs)
	}
	answering := func(_ any, stream grpc.ServerStream) error {
		if err := stream.SendMsg(wrapperspb.String("x")); err != nil {
			return err
		}
		return auth.Refuse(stream.Context(), claims.Allowed(stream.Context(), needs))
	}
	reader := []string{"Bearer " + issuer.Mint(claimstest.Token{Scope: "read"})}
	const missing = `Bearer realm="api", error="insufficient_scope", ` +
		`error_description="The access token lacks a scope that this operation needs.", scope="write"`
	for way, start := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server := grpc.NewServer(auth.ServerOptions()...)
			server.RegisterService(kindsOf(service, &seen{}, nil), nil)
			server.RegisterService(kindsOf("started.Service", &seen{}, started), nil)
			server.RegisterService(kindsOf("answering.Service", &seen{}, answering), nil)
			address, logged := start(t, server)
			conn := dial(t, address)
			check := func(service, method string, authorization []string, code codes.Code, challenge string, inHeader bool) {
				ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
				defer cancel()
				got := invoke(withAuthorization(ctx, authorization), conn, service, method, "x")
				require.Equal(t, code, status.Code(got.err), "%s/%s: %v", service, method, got.err)
				info, _ := details(t, status.Convert(got.err))
				assert.Equal(t, challenge, info.GetMetadata()["www-authenticate"], method)
				if inHeader {
					assert.Equal(t, []string{challenge}, got.header.Get("www-authenticate"), method)
				}
				assert.Empty(t, got.trailer.Get("www-authenticate"), method)
			}
			for _, method := range []string{"Unary", "ServerStream", "ClientStream", "Bidi"} {
				check(service, method, nil, codes.Unauthenticated, `Bearer realm="api", scope="write"`, true)
				check(service, method, reader, codes.PermissionDenied, missing, true)
				if method == "Unary" {
					continue
				}
				check("started.Service", method, reader, codes.PermissionDenied, missing, false)
				if method != "ClientStream" { // which has its answer
					check("answering.Service", method, reader, codes.PermissionDenied, missing, false)
				}
			}
			assert.Empty(t, logged.String(), "what a stranger can fill the log with")
		})
	}
}
