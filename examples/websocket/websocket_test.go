package websocket_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

func verifierOf(issuer *claimstest.Issuer) *claims.Verifier {
	keys, err := jwks.Parse(issuer.KeySet())
	if err != nil {
		panic(err)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	if err != nil {
		panic(err)
	}
	return verifier
}

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Minute)
}

// A handshake by each way in, from a page of each origin: what is refused is an
// HTTP response, and no socket is opened.
func TestHandshake(t *testing.T) {
	t.Parallel()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	good := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "chat"})
	lacking := issuer.Mint(claimstest.Token{Subject: "alice"})
	origins := http.NewCrossOriginProtection()
	require.NoError(t, origins.AddTrustedOrigin("https://app.example"))
	server := httptest.NewServer(newAPI(httpmw.New(verifierOf(issuer), httpmw.Config{
		From: httpmw.OneOf(httpmw.Place{}, httpmw.FromWebSocketProtocol("bearer."),
			httpmw.FromCookie("__Host-token", origins)),
	})))
	t.Cleanup(server.Close)
	cookie := func(token, origin string) http.Header {
		return http.Header{"Cookie": {"__Host-token=" + token}, "Origin": {origin}}
	}
	for name, row := range map[string]struct {
		protocols []string
		header    http.Header
		status    int
		chosen    string
	}{
		"subprotocol":                {[]string{"chat.v1", "bearer." + good}, nil, 101, "chat.v1"},
		"subprotocol first":          {[]string{"bearer." + good, "chat.v1"}, nil, 101, "chat.v1"},
		"subprotocol alone":          {[]string{"bearer." + good}, nil, 101, ""},
		"unknown beside":             {[]string{"bearer." + good, "chat.v9"}, nil, 101, ""},
		"two tokens":                 {[]string{"bearer." + good, "bearer." + good}, nil, 400, ""},
		"bad token":                  {[]string{"chat.v1", "bearer.x"}, nil, 401, ""},
		"scope missing":              {[]string{"chat.v1", "bearer." + lacking}, nil, 403, ""},
		"no token":                   {[]string{"chat.v1"}, nil, 401, ""},
		"Authorization":              {[]string{"chat.v1"}, http.Header{"Authorization": {"Bearer " + good}}, 101, "chat.v1"},
		"Authorization, subprotocol": {[]string{"bearer." + good}, http.Header{"Authorization": {"Bearer " + good}}, 400, ""},
		"cookie":                     {[]string{"chat.v1"}, cookie(good, "https://app.example"), 101, "chat.v1"},
		"cookie, another origin":     {[]string{"chat.v1"}, cookie(good, "https://evil.example"), 403, ""},
		"cookie, no origin":          {[]string{"chat.v1"}, cookie(good, "null"), 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := within()
			defer cancel()
			conn, answer, err := websocket.Dial(ctx, server.URL+"/chat", &websocket.DialOptions{
				Subprotocols: row.protocols, HTTPHeader: row.header,
			})
			require.NotNil(t, answer, "%v", err)
			assert.Equal(t, row.status, answer.StatusCode)
			assert.Equal(t, row.chosen, answer.Header.Get("Sec-Websocket-Protocol"))
			if row.status != http.StatusSwitchingProtocols {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			defer func() { _ = conn.CloseNow() }()
			_, message, err := conn.Read(ctx)
			require.NoError(t, err)
			assert.Equal(t, "hello alice", string(message))
		})
	}
}
