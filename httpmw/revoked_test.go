package httpmw_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/httpmw"
)

// opaqueTokens is an Authenticator of one's own, whose tokens have no end.
type opaqueTokens struct{ caller []byte }

func (o opaqueTokens) Authenticate(_ context.Context, c claims.Credentials) (*claims.Claims, error) {
	if c.Token != "opaque" {
		return nil, claims.ErrUnrecognized
	}
	return claims.FromJSON(o.caller, claims.Config{})
}

// News of each kind refuses requests with a token of each kind, which was seen
// before or not, and ends the answers that are open; others go on.
func TestMiddleware_revoked(t *testing.T) {
	t.Parallel()
	for name, entry := range map[string]revocation.Entry{
		"token": {Token: "t1"}, "session": {Session: "s1"}, "subject": {Subject: "alice"},
		"client": {ClientID: "shop"}, "issuer": {}, "session of a subject": {Session: "s1", Subject: "alice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLives(t, 1, claims.Public(), nil)
			auth := claims.FirstOf(opaqueTokens{[]byte(`{"iss":"` + l.issuer.URL() + `","sub":"alice","jti":"t1",
				"sid":"s1","client_id":"shop"}`)}, verifierOf(t, l.issuer))
			guarded := httpmw.New(auth, httpmw.Config{Revocations: l.ended})
			mux := httpmw.NewServeMux(guarded)
			mux.HandleFunc("GET /", claims.Authenticated(), func(http.ResponseWriter, *http.Request) {})
			mux.HandleFunc("GET /events", claims.EndsWithToken(claims.Authenticated()), func(w http.ResponseWriter, r *http.Request) {
				beginsToAnswer(w)
				<-r.Context().Done()
			})
			l.server.Config.Handler = mux
			mint := func(subject, id, session, client string) string {
				return l.issuer.Mint(claimstest.Token{Subject: subject, ClientID: client,
					Claims: map[string]any{"jti": id, "sid": session}})
			}
			get := func(path, token string) *http.Response {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				t.Cleanup(cancel)
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.server.URL+path, nil)
				require.NoError(t, err)
				req.Header.Set("Authorization", "Bearer "+token)
				resp, err := l.server.Client().Do(req)
				require.NoError(t, err)
				t.Cleanup(func() { _ = resp.Body.Close() })
				return resp
			}
			tokens := map[string]string{"opaque": "opaque", "remembered": mint("alice", "t1", "s1", "shop")}
			open := map[string]*http.Response{}
			for kind, token := range tokens {
				require.Equal(t, http.StatusOK, get("/", token).StatusCode, kind)
				open[kind] = get("/events", token)
			}
			entry.Issuer = l.issuer.URL()
			entry.Before = time.Now().Add(2 * time.Second) // so that the fresh token is older
			require.NoError(t, l.ended.Revoke(t.Context(), entry))
			for kind, resp := range open {
				body, err := io.ReadAll(resp.Body)
				assert.NoError(t, err, kind)
				assert.Equal(t, ": hello\n\n", string(body))
			}
			tokens["fresh"] = mint("alice", "t1", "s1", "shop")
			for kind, token := range tokens {
				resp := get("/", token)
				assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, kind)
				assert.Contains(t, resp.Header.Get("Www-Authenticate"), "The access token has been revoked.")
			}
			if name != "issuer" {
				assert.Equal(t, http.StatusOK, get("/", mint("bob", "t2", "s2", "till")).StatusCode)
			}
		})
	}
}
