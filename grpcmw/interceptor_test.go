package grpcmw_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

func TestInterceptor(t *testing.T) {
	t.Parallel()
	const (
		bare        = `Bearer realm="api"`
		description = `, error_description="`
	)
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    issuer.URL(),
		Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	read := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
	expired := issuer.Mint(claimstest.Token{Lifetime: -time.Hour})
	undecided := claims.Func("broken", func(context.Context, *claims.Claims) (bool, error) {
		return true, errors.New("the database says secret-internal-text")
	})
	never := claims.Func("never", func(context.Context, *claims.Claims) (bool, error) {
		return false, nil
	})

	for name, row := range map[string]struct {
		policy        grpcmw.Policy
		authorization []string
		code          codes.Code
		challenge     string
		reason        string
	}{
		"good token": {
			everything(claims.Scopes("orders:read")), []string{"Bearer " + read},
			codes.OK, "", "",
		},
		"public with a bad token": {
			everything(claims.Public()), []string{"Bearer junk"}, codes.OK, "", "",
		},
		"unlisted": {
			grpcmw.Policy{"/other.Service/Method": claims.Public()}, []string{"Bearer " + read},
			codes.PermissionDenied, "", "UNLISTED_OPERATION",
		},
		"no token": {
			everything(claims.Scopes("orders:read")), nil,
			codes.Unauthenticated, bare + `, scope="orders:read"`, "NO_TOKEN",
		},
		"other scheme": {
			everything(claims.Authenticated()), []string{"Basic dXNlcjpwYXNz"},
			codes.Unauthenticated, bare, "UNSUPPORTED_SCHEME",
		},
		"token without scheme": {
			everything(claims.Authenticated()), []string{read},
			codes.Unauthenticated, bare + `, error="invalid_request"` + description,
			"MALFORMED_CREDENTIALS",
		},
		"two tokens": {
			everything(claims.Authenticated()), []string{"Bearer " + read, "Bearer " + read},
			codes.Unauthenticated, bare + `, error="invalid_request"` + description,
			"SEVERAL_CREDENTIALS",
		},
		"expired": {
			everything(claims.Authenticated()), []string{"Bearer " + expired},
			codes.Unauthenticated, bare + `, error="invalid_token"` + description, "EXPIRED",
		},
		"scope missing": {
			everything(claims.Scopes("orders:write")), []string{"Bearer " + read},
			codes.PermissionDenied, bare + `, error="insufficient_scope"` + description, "SCOPE",
		},
		"not permitted": {
			everything(never), []string{"Bearer " + read},
			codes.PermissionDenied, "", "PERMISSION",
		},
		"undecided": {
			everything(undecided), []string{"Bearer " + read}, codes.Unavailable, "", "UNDECIDED",
		},
	} {
		for kind, call := range calls {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				auth, err := grpcmw.New(verifier, grpcmw.Config{
					Policy: row.policy, Domain: "orders.example",
				})
				require.NoError(t, err)
				spy := &service{}
				client := serve(t, auth, spy)
				var header, trailer metadata.MD
				subject, err := call(withAuthorization(t.Context(), row.authorization), client,
					grpc.Header(&header), grpc.Trailer(&trailer))

				refusal := status.Convert(err)
				require.Equal(t, row.code, refusal.Code(), refusal.Message())
				if row.code == codes.OK {
					assert.EqualValues(t, 1, spy.reached.Load())
					assert.Empty(t, header.Get("www-authenticate"))
					want := "alice"
					if len(row.policy) > 0 && row.policy[testpb.TestService_UnaryCall_FullMethodName].IsPublic() {
						want = "nobody"
					}
					assert.Len(t, subject, len(want))
					return
				}
				assert.Zero(t, spy.reached.Load(), "the handler was reached")
				challenge := strings.Join(header.Get("www-authenticate"), "|")
				assert.Empty(t, trailer.Get("www-authenticate"), "RFC 9110 section 6.5.1")
				if strings.HasSuffix(row.challenge, description) {
					assert.True(t, strings.HasPrefix(challenge, row.challenge), challenge)
				} else {
					assert.Equal(t, row.challenge, challenge)
				}
				info, retry := details(t, refusal)
				assert.Equal(t, row.reason, info.GetReason())
				assert.Equal(t, "orders.example", info.GetDomain())
				assert.Equal(t, row.code == codes.Unavailable, retry != nil)
				assert.Equal(t, challenge, info.GetMetadata()["www-authenticate"])
				if row.reason == "SCOPE" {
					assert.Equal(t, "orders:write", info.GetMetadata()["scope"])
				}
				assert.NotContains(t, refusal.String()+challenge, "secret-internal-text")
				assert.NotContains(t, refusal.String()+challenge, read)
			})
		}
	}
}

func TestInterceptor_issuerDown(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t, everything(claims.Authenticated()))
	issuer.Fail(http.StatusInternalServerError)
	client := serve(t, auth, &service{})
	ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
	for kind, call := range calls {
		_, err := call(ctx, client)
		refusal := status.Convert(err)
		require.Equal(t, codes.Unavailable, refusal.Code(), kind)
		assert.NotContains(t, refusal.String(), issuer.URL())
		info, retry := details(t, refusal)
		assert.Equal(t, "KEYS_UNAVAILABLE", info.GetReason())
		assert.Equal(t, grpcmw.DefaultDomain, info.GetDomain())
		assert.GreaterOrEqual(t, retry.GetRetryDelay().AsDuration(), time.Second)
	}
}

// The interceptors are chained, so others have their place beside them.
func TestServerOptions_chain(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t, everything(claims.Authenticated()))
	var after atomic.Int32
	server := grpc.NewServer(append(auth.ServerOptions(),
		grpc.ChainUnaryInterceptor(func(
			ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler,
		) (any, error) {
			if _, ok := claims.FromContext(ctx); ok {
				after.Add(1)
			}
			return next(ctx, req)
		}))...)
	testpb.RegisterTestServiceServer(server, &service{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	client := testpb.NewTestServiceClient(conn)
	ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
	_, err = client.EmptyCall(ctx, &testpb.Empty{})
	require.NoError(t, err)
	_, err = client.EmptyCall(t.Context(), &testpb.Empty{})
	require.Error(t, err)
	assert.EqualValues(t, 1, after.Load())
}
