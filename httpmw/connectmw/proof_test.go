package connectmw_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/httpmw/connectmw"
)

// A token that is bound to a key passes with its proof, over each protocol,
// where Wrap knows the request. Whoever is refused is told how to sign, and the
// nonce to sign with.
func TestInterceptor_Wrap_dpop(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	confirmer, err := dpop.New(dpop.Config{RequireNonce: true})
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Confirmers: []claims.Confirmer{confirmer},
	})
	require.NoError(t, err)
	key, err := claimstest.NewKey("ES256")
	require.NoError(t, err)
	token := issuer.Mint(claimstest.Token{
		Subject: "alice", Claims: map[string]any{"cnf": map[string]any{"jkt": key.Thumbprint()}},
	})
	auth := guard(t, verifier, connectmw.Config{Policy: everything(claims.Authenticated())})
	for _, early := range []bool{false, true} {
		handler := (&service{}).handler(connect.WithInterceptors(auth))
		if early {
			handler = auth.Wrap(handler)
		}
		server := start(t, handler)
		for protocol, options := range protocols {
			ask := func(nonce string) (string, http.Header, *connect.Error) {
				req := connect.NewRequest(&testpb.SimpleRequest{})
				req.Header().Set("Authorization", "DPoP "+token)
				req.Header().Set("DPoP", key.Prove(claimstest.Proof{
					Method: "POST", URL: server.URL + unary, Token: token, Nonce: nonce,
				}))
				client := connect.NewClient[testpb.SimpleRequest, testpb.SimpleResponse](server.Client(), server.URL+unary, options...)
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				resp, err := client.CallUnary(ctx, req)
				if err != nil {
					var refused *connect.Error
					require.ErrorAs(t, err, &refused)
					return "", refused.Meta(), refused
				}
				return string(resp.Msg.GetPayload().GetBody()), resp.Header(), nil
			}
			_, header, refused := ask("")
			require.NotNil(t, refused, protocol)
			assert.Equal(t, connect.CodeUnauthenticated, refused.Code(), protocol)
			challenges := strings.Join(header.Values("WWW-Authenticate"), ", ")
			assert.Contains(t, challenges, `DPoP realm="api", algs="ES256 `, protocol)
			info, _ := details(t, refused)
			assert.Equal(t, challenges, info.GetMetadata()["www-authenticate"], protocol)
			if !early {
				assert.Empty(t, header.Get("DPoP-Nonce"), protocol)
				continue
			}
			require.NotEmpty(t, header.Get("DPoP-Nonce"), protocol)
			subject, _, refused := ask(header.Get("DPoP-Nonce"))
			require.Nil(t, refused, protocol)
			assert.Equal(t, "alice", subject, protocol)
		}
	}
}

// The proof has the certificate of the client, and the path as it was sent.
func TestInterceptor_Wrap_proof(t *testing.T) {
	t.Parallel()
	issuer, _ := newIssuer(t)
	seen := make(chan claims.Proof, 1)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Confirmers: []claims.Confirmer{witness{seen}},
	})
	require.NoError(t, err)
	auth := guard(t, verifier, connectmw.Config{Policy: everything(claims.Authenticated())})
	server := start(t, http.StripPrefix("/api", auth.Wrap((&service{}).handler(connect.WithInterceptors(auth)))))
	r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/api"+unary, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/proto")
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{Claims: map[string]any{"cnf": map[string]any{"x": "y"}}}))
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	_ = readAll(t, resp)
	assert.Equal(t, 200, resp.StatusCode)
	proof := <-seen
	assert.Equal(t, []string{"POST", server.URL + "/api" + unary}, []string{proof.Method, proof.URL})
	assert.True(t, proof.Peer.IsLoopback())
}

// witness confirms everything, and tells by what.
type witness struct{ seen chan claims.Proof }

func (witness) Confirms() (member, scheme string) { return "x", "Bearer" }

func (w witness) Confirm(ctx context.Context, _ string, c claims.Credentials) error {
	w.seen <- c.Proof.Prove(ctx)
	return nil
}
