package grpcmw_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/grpcmw/internal/notespb"
)

func TestDeclaredPolicy_served(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		PermissionClaims: []string{"permissions"},
	})
	require.NoError(t, err)
	policy := declared(t)
	maps.Copy(policy, grpcmw.Policy{
		healthpb.Health_Check_FullMethodName: claims.Public(),
		healthpb.Health_List_FullMethodName:  claims.Public(),
		healthpb.Health_Watch_FullMethodName: claims.Public(),
	})
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	server, conn := serveNotes(t, auth)
	assert.EqualError(t, auth.Audit(server), "grpcmw: method /notes.v1.Notes/Forgotten has no entry "+
		"in the policy: it refuses every call", "the method without an option alone")

	now := time.Now()
	for method, row := range map[string]struct {
		enough claimstest.Token
		less   claimstest.Token
		code   codes.Code // of the answer to less
	}{
		"GetNote": {
			claimstest.Token{Scope: "notes:read"}, claimstest.Token{Scope: "notes:watch"},
			codes.PermissionDenied,
		},
		"WatchNotes": {
			claimstest.Token{Scope: "notes:watch"}, claimstest.Token{Scope: "notes:write"},
			codes.PermissionDenied,
		},
		"ImportNotes": {
			claimstest.Token{Scope: "notes:write", Claims: map[string]any{"permissions": "notes.import"}},
			claimstest.Token{Scope: "notes:write"}, codes.PermissionDenied,
		},
		"SyncNotes": {
			claimstest.Token{ClientID: "back-office"}, claimstest.Token{ClientID: "shop"},
			codes.PermissionDenied,
		},
		"DeleteNote": {
			claimstest.Token{Claims: map[string]any{"acr": "hwk", "auth_time": now.Unix()}},
			claimstest.Token{Claims: map[string]any{
				"acr": "hwk", "auth_time": now.Add(-time.Hour).Unix(),
			}},
			codes.Unauthenticated,
		},
		"Whoami": {claimstest.Token{}, claimstest.Token{Lifetime: -time.Hour}, codes.Unauthenticated},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			call := func(token claimstest.Token) (string, error) {
				token.Subject = "alice"
				ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(token)})
				return ask(ctx, conn, "/notes.v1.Notes/"+method)
			}
			got, err := call(row.enough)
			require.NoError(t, err)
			assert.Equal(t, "alice", got)
			_, err = call(row.less)
			assert.Equal(t, row.code, status.Code(err), "%v", err)
			_, err = ask(t.Context(), conn, "/notes.v1.Notes/"+method)
			assert.Equal(t, codes.Unauthenticated, status.Code(err))
		})
	}
	t.Run("Ping", func(t *testing.T) {
		t.Parallel()
		got, err := ask(t.Context(), conn, notespb.Notes_Ping_FullMethodName)
		require.NoError(t, err)
		assert.Equal(t, "nobody", got)
	})
	t.Run("Forgotten", func(t *testing.T) {
		t.Parallel()
		ctx := withAuthorization(t.Context(), []string{"Bearer " + issuer.Mint(claimstest.Token{})})
		_, err := ask(ctx, conn, notespb.Notes_Forgotten_FullMethodName)
		assert.Equal(t, codes.PermissionDenied, status.Code(err))
	})
}
