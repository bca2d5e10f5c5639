package websocket_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// tail sends nothing until its token ends, and says goodbye then.
func tail(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil { // which Accept has answered
		return
	}
	defer func() { _ = conn.CloseNow() }()
	// A Read whose context is done closes the connection by itself, too early
	// for a close frame.
	received := make(chan error, 1)
	go func() {
		_, _, err := conn.Read(context.WithoutCancel(r.Context()))
		received <- err
	}()
	select {
	case <-received:
	case <-r.Context().Done():
		_ = conn.Close(websocket.StatusPolicyViolation, "the token has ended")
	}
}

// deaf looks at nothing.
func deaf(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	_, _, _ = conn.Read(context.WithoutCancel(r.Context()))
	_ = conn.CloseNow()
}

// A WebSocket ends with its token, with a close frame if its handler sends one,
// and is closed a moment later if not.
func TestLasting(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		handler  http.HandlerFunc
		lifetime time.Duration // zero for an hour, and news
		code     websocket.StatusCode
	}{
		"expiry":         {tail, 3 * time.Second, websocket.StatusPolicyViolation},
		"news":           {tail, 0, websocket.StatusPolicyViolation},
		"expiry, unseen": {deaf, 3 * time.Second, -1},
		"news, unseen":   {deaf, 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
			require.NoError(t, err)
			keys, err := jwks.Parse(issuer.KeySet())
			require.NoError(t, err)
			verifier, err := claims.NewVerifier(claims.Config{
				Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys, Leeway: -1,
			})
			require.NoError(t, err)
			ended, err := revocation.NewTable(revocation.Config{Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{Revocations: ended}))
			returned := make(chan struct{})
			mux.HandleFunc("GET /tail", claims.EndsWithToken(claims.Authenticated()), func(w http.ResponseWriter, r *http.Request) {
				defer close(returned)
				tt.handler(w, r)
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			expires := time.Now().Add(time.Hour)
			if tt.lifetime > 0 {
				expires = time.Now().Add(tt.lifetime)
			}
			token := issuer.Mint(claimstest.Token{Subject: "alice", Claims: map[string]any{"exp": expires.Unix()}})
			ctx, cancel := within()
			defer cancel()
			conn, _, err := websocket.Dial(ctx, server.URL+"/tail", &websocket.DialOptions{
				HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
			})
			require.NoError(t, err)
			defer func() { _ = conn.CloseNow() }()
			if tt.lifetime == 0 {
				require.NoError(t, ended.Revoke(ctx, revocation.Entry{Issuer: issuer.URL(), Subject: "alice"}))
			}
			_, _, err = conn.Read(ctx)
			require.Error(t, err)
			assert.Equal(t, tt.code, websocket.CloseStatus(err), "%v", err)
			select {
			case <-returned:
			case <-ctx.Done():
				assert.Fail(t, "the handler did not come back")
			}
		})
	}
}
