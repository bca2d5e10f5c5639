package grpcmw_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// TOKEN stands for a good one.
func TestFromMetadata(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	token := issuer.Mint(claimstest.Token{Subject: "alice"})
	for name, tt := range map[string]struct {
		from   grpcmw.Place
		key    string
		values []string
		want   codes.Code
		reason string
	}{
		"raw":                    {grpcmw.FromMetadata("X-Token", ""), "x-token", []string{"TOKEN"}, codes.OK, ""},
		"raw, several":           {grpcmw.FromMetadata("x-token", ""), "x-token", []string{"TOKEN", "TOKEN"}, codes.Unauthenticated, "SEVERAL_CREDENTIALS"},
		"raw, with a scheme":     {grpcmw.FromMetadata("x-token", ""), "x-token", []string{"Bearer TOKEN"}, codes.Unauthenticated, "MALFORMED_CREDENTIALS"},
		"raw, elsewhere":         {grpcmw.FromMetadata("x-token", ""), "authorization", []string{"Bearer TOKEN"}, codes.Unauthenticated, "NO_TOKEN"},
		"scheme":                 {grpcmw.FromMetadata("x-token", "Token"), "x-token", []string{"token TOKEN"}, codes.OK, ""},
		"scheme, another":        {grpcmw.FromMetadata("x-token", "Token"), "x-token", []string{"Bearer TOKEN"}, codes.Unauthenticated, "UNSUPPORTED_SCHEME"},
		"authorization":          {grpcmw.Place{}, "authorization", []string{"Bearer TOKEN"}, codes.OK, ""},
		"authorization, by name": {grpcmw.FromMetadata("Authorization", "bearer"), "authorization", []string{"Bearer TOKEN"}, codes.OK, ""},
		"authorization, raw":     {grpcmw.FromMetadata("authorization", ""), "authorization", []string{"TOKEN"}, codes.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			auth, err := grpcmw.New(verifier, grpcmw.Config{
				Policy: everything(claims.Authenticated()), From: tt.from,
			})
			require.NoError(t, err)
			s := &service{}
			client := serve(t, auth, s)
			for kind, call := range calls {
				ctx := t.Context()
				for _, value := range tt.values {
					ctx = metadata.AppendToOutgoingContext(ctx, tt.key,
						strings.ReplaceAll(value, "TOKEN", token))
				}
				_, err := call(ctx, client)
				assert.Equal(t, tt.want, status.Code(err), "%s: %v", kind, err)
				if tt.want != codes.OK {
					info, _ := details(t, status.Convert(err))
					assert.Equal(t, tt.reason, info.GetReason(), kind)
				}
			}
			assert.Equal(t, tt.want == codes.OK, s.reached.Load() > 0)
		})
	}
}

// Everything that is wrong with a place is said by New, in the words that were
// typed.
func TestFromMetadata_mistakes(t *testing.T) {
	t.Parallel()
	const here = "grpcmw: New: Config.From: FromMetadata: "
	for name, tt := range map[string]struct {
		from grpcmw.Place
		want []string
	}{
		"key":        {grpcmw.FromMetadata("X Token", ""), []string{`the key "X Token" must have letters, digits and -_. alone`}},
		"no key":     {grpcmw.FromMetadata("", ""), []string{`the key "" must have letters, digits and -_. alone`}},
		"authority":  {grpcmw.FromMetadata(":authority", ""), []string{`the key ":authority" must have letters, digits and -_. alone`}},
		"binary":     {grpcmw.FromMetadata("X-Token-Bin", ""), []string{"the values of x-token-bin are binary"}},
		"gRPC's own": {grpcmw.FromMetadata("grpc-timeout", ""), []string{"the metadata grpc-timeout means something else"}},
		"proof":      {grpcmw.FromMetadata("DPoP", ""), []string{"the metadata dpop means something else"}},
		"everything": {grpcmw.FromMetadata("ä-bin", "a b"), []string{`the key "ä-bin" must have letters, digits and -_. alone`, "the values of ä-bin are binary", `the scheme "a b" must be a token (RFC 9110 section 11.1) of at most 32 characters`}},
	} {
		_, err := grpcmw.New(verifier(t), grpcmw.Config{
			Policy: everything(claims.Authenticated()), From: tt.from,
		})
		require.Error(t, err, name)
		assert.Equal(t, here+strings.Join(tt.want, "\n"+here), err.Error(), name)
	}
}
