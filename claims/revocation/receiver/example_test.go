package receiver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
	"github.com/sallyport-go/sallyport/jwks"
)

// An authorization server tells that a user has logged out.
func ExampleNewLogout() {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://login.example"})
	if err != nil {
		panic(err)
	}
	keys, err := jwks.Parse(issuer.KeySet())
	if err != nil {
		panic(err)
	}
	table, err := revocation.NewTable(revocation.Config{Logger: quiet})
	if err != nil {
		panic(err)
	}
	logout, err := receiver.NewLogout(table, receiver.LogoutConfig{
		Senders: []receiver.Sender{{
			Issuer:    "https://login.example",
			Keys:      keys, // leave it out, and they are discovered
			Audiences: []string{"my-client-id"},
		}},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /backchannel-logout", logout)

	token := sign(issuer.Key(), headerOf(issuer, "logout+jwt"), map[string]any{
		"iss": "https://login.example", "aud": "my-client-id", "jti": "1",
		"iat": time.Now().Unix(), "exp": time.Now().Add(2 * time.Minute).Unix(),
		"sub": "alice", "sid": "s1",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	})
	r := httptest.NewRequest("POST", "/backchannel-logout", strings.NewReader("logout_token="+token))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	for entry := range table.Entries() {
		if entry.Session != "" {
			fmt.Println(w.Code, "session", entry.Session, "has ended")
		}
	}
	// Output: 200 session s1 has ended
}
