// Package websocket_test shows Sallyport before WebSockets of
// github.com/coder/websocket: a page offers its token as a subprotocol, as the
// WebSocket of browsers lets it set no header, or has it in a cookie.
package websocket_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// newAPI returns an API whose WebSocket speaks chat.v1 with whoever may.
func newAPI(auth *httpmw.Middleware) http.Handler {
	mux := httpmw.NewServeMux(auth)
	mux.HandleFunc("GET /chat", claims.Scopes("chat"), chat)
	return mux
}

// chat greets the caller and is done.
func chat(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:   []string{"chat.v1"},
		OriginPatterns: []string{"app.example"},
	})
	if err != nil { // which Accept has answered
		return
	}
	defer func() { _ = conn.CloseNow() }()
	caller, _ := claims.FromContext(r.Context())
	if conn.Write(r.Context(), websocket.MessageText, []byte("hello "+caller.Subject())) == nil {
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}
}

// What a page does by
//
//	new WebSocket("wss://api.example/chat", ["chat.v1", "bearer." + token])
func Example() {
	issuer, _ := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	auth := httpmw.New(verifierOf(issuer), httpmw.Config{
		From: httpmw.FromWebSocketProtocol("bearer."),
	})
	server := httptest.NewServer(newAPI(auth))
	defer server.Close()

	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "chat"})
	ctx, cancel := within()
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, server.URL+"/chat", &websocket.DialOptions{
		Subprotocols: []string{"chat.v1", "bearer." + token},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	_, message, err := conn.Read(ctx)
	fmt.Println(conn.Subprotocol(), string(message), err)
	fmt.Println(strings.Contains(fmt.Sprint(answer.Header), token))
	// Output:
	// chat.v1 hello alice <nil>
	// false
}
