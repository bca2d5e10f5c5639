package grpcmw_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// Every challenge says where the resource's metadata are (RFC 9728 section
// 5.1): the bare one, that of a bad token and that of a missing scope, of calls
// and streams, in the header and in ErrorInfo.
func TestConfig_Resource(t *testing.T) {
	t.Parallel()
	issuer, _ := guard(t, everything(claims.Authenticated()))
	verifier, err := claims.NewVerifier(claims.Config{Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}})
	require.NoError(t, err)
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: everything(claims.Scopes("orders:read")), Resource: "https://api.example/orders",
	})
	require.NoError(t, err)
	client := serve(t, auth, &service{})
	const want = `resource_metadata="https://api.example/.well-known/oauth-protected-resource/orders"`
	for name, row := range map[string]struct {
		authorization []string
		code          codes.Code
		fault         string
	}{
		"none": {nil, codes.Unauthenticated, ""},
		"bad":  {[]string{"Bearer x"}, codes.Unauthenticated, `error="invalid_token"`},
		"lacking": {
			[]string{"Bearer " + issuer.Mint(claimstest.Token{})}, codes.PermissionDenied, `error="insufficient_scope"`,
		},
	} {
		for kind, call := range map[string]func(header *metadata.MD) error{
			"unary": func(header *metadata.MD) error {
				_, err := client.UnaryCall(withAuthorization(t.Context(), row.authorization),
					&testpb.SimpleRequest{}, grpc.Header(header))
				return err
			},
			"stream": func(header *metadata.MD) error {
				stream, err := client.FullDuplexCall(withAuthorization(t.Context(), row.authorization))
				require.NoError(t, err)
				*header, _ = stream.Header()
				_, err = stream.Recv()
				return err
			},
		} {
			var header metadata.MD
			refused := status.Convert(call(&header))
			assert.Equal(t, row.code, refused.Code(), name+kind)
			info, _ := details(t, refused)
			require.Len(t, header.Get("www-authenticate"), 1, name+kind)
			for _, challenge := range []string{
				header.Get("www-authenticate")[0], info.GetMetadata()["www-authenticate"],
			} {
				assert.Contains(t, challenge, want, name+kind)
				assert.Contains(t, challenge, row.fault, name+kind)
			}
		}
	}
}

func TestConfig_Resource_mistakes(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]string{
		"http://api.example": `grpcmw: New: Config.Resource of "http://api.example" must be an https URL`,
		"/orders":            `grpcmw: New: Config.Resource of "/orders" must be an https URL`,
	} {
		_, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: everything(claims.Authenticated()), Resource: resource, Realm: "\n"})
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "Config.Realm")
	}
}
