package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/redisstore/redistest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	main "github.com/sallyport-go/sallyport/examples/orders"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

// startTelling is start for a service whose log also tells what has ended.
func startTelling(t *testing.T, flags ...string) demo {
	t.Helper()
	var d demo
	t.Cleanup(func() { // comes after it has stopped
		if d.Service != nil {
			assert.NotContains(t, d.Log(), "eyJ", "a token")
		}
	})
	d.Service = demotest.Start(t, main.Run, flags...)
	return d
}

// post sends a body with the token, unless that is empty.
func (d demo) post(t *testing.T, path, contentType, token, body string) demotest.Answer {
	t.Helper()
	r := d.request(t, http.MethodPost, path, token, body)
	r.Header.Set("Content-Type", contentType)
	return demotest.Send(t, http.DefaultClient, r)
}

// logoutToken returns a logout token for the client.
func logoutToken(issuer *claimstest.Issuer, client string, members map[string]any) string {
	payload := map[string]any{
		"iss": issuer.URL(), "aud": client, "iat": time.Now().Unix(), "jti": fmt.Sprint(time.Now().UnixNano()),
		"exp":    time.Now().Add(2 * time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	for name, value := range members {
		payload[name] = value
	}
	return signed(issuer, "logout+jwt", payload)
}

func signed(issuer *claimstest.Issuer, typ string, payload map[string]any) string {
	key := issuer.Key()
	header, _ := json.Marshal(map[string]any{"alg": key.Algorithm, "kid": key.ID, "typ": typ})
	body, _ := json.Marshal(payload)
	return key.Sign(header, body)
}

// session returns a token of a session of alice's.
func session(issuer *claimstest.Issuer, sid string) string {
	return issuer.Mint(claimstest.Token{
		Subject: "alice", Scope: "orders:read orders:write", Claims: map[string]any{"sid": sid},
	})
}

func TestNews_logout(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := startTelling(t, "-issuer", issuer.URL(), "-logout", "-logout-client", "me")
	one, another := session(issuer, "s1"), session(issuer, "s2")
	for _, token := range []string{one, another} {
		require.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status)
	}
	const form = "application/x-www-form-urlencoded"
	wrong := logoutToken(issuer, "another", map[string]any{"sub": "alice", "sid": "s1"})
	assert.Equal(t, 400, d.post(t, "/backchannel-logout", form, "", url.Values{"logout_token": {wrong}}.Encode()).Status)
	require.Equal(t, 200, d.call(t, "GET", "/orders", one, "").Status)

	right := logoutToken(issuer, "me", map[string]any{"sub": "alice", "sid": "s1"})
	got := d.post(t, "/backchannel-logout", form, "", url.Values{"logout_token": {right}}.Encode())
	require.Equal(t, 200, got.Status, got.Body)
	refused := d.call(t, "GET", "/orders", one, "")
	assert.Equal(t, 401, refused.Status)
	assert.Contains(t, refused.Header.Get("WWW-Authenticate"), `error="invalid_token"`)
	_, err := d.orders(t).GetOrder(withToken(t, one), &orderspb.GetOrderRequest{Id: "1"})
	assert.Equal(t, codes.Unauthenticated, status.Code(err), "both APIs")
	assert.Equal(t, 200, d.call(t, "GET", "/orders", another, "").Status, "another session")
	assert.Equal(t, 401, d.call(t, "GET", "/orders", right, "").Status, "no access token")
}

func TestNews_events(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := startTelling(t, "-issuer", issuer.URL(), "-events", "https://orders.example/events")
	token := session(issuer, "s1")
	require.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status)
	event := signed(issuer, "secevent+jwt", map[string]any{
		"iss": issuer.URL(), "aud": "https://orders.example/events", "iat": time.Now().Unix(), "jti": "1",
		"sub_id": map[string]any{"format": "iss_sub", "iss": issuer.URL(), "sub": "alice"},
		"events": map[string]any{"https://schemas.openid.net/secevent/risc/event-type/account-disabled": map[string]any{}},
	})
	got := d.post(t, "/events", "application/secevent+jwt", "", event)
	require.Equal(t, 202, got.Status, got.Body)
	assert.Equal(t, 401, d.call(t, "GET", "/orders", token, "").Status)
}

func TestNews_admin(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := startTelling(t, "-issuer", issuer.URL(), "-admin-token", "secret")
	token := session(issuer, "s1")
	order := func(bearer, body string) int {
		return d.post(t, "/revocations", "application/json", bearer, body).Status
	}
	of := func(members string) string { return fmt.Sprintf(`{"issuer":%q%s}`, issuer.URL(), members) }
	for _, bearer := range []string{"", "another", "secret2", token} {
		assert.Equal(t, 401, order(bearer, of(`,"subject":"alice"`)))
	}
	for _, body := range []string{
		"", "[]", `{"subject":"alice"}`, of(""), of(`,"subject":"alice","user":"alice"`), of(`,"subject":7`),
		of(`,"subject":"alice","before":"yesterday"`), of(`,"subject":"alice"`) + "{}",
		of(`,"subject":"alice","before":"2999-01-01T00:00:00Z"`),
	} {
		assert.Equal(t, 400, order("secret", body), body)
	}
	require.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status, "nothing has ended")
	past := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	require.Equal(t, 204, order("secret", of(`,"before":"`+past+`"`)), "the whole issuer")
	require.Equal(t, 204, order("secret", of(`,"session":"s2"`)))
	require.Equal(t, 204, order("secret", of(`,"client_id":"other"`)))
	require.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status, "others")
	for i, members := range []string{`"session":"s3"`, `"subject":"u4"`, `"client_id":"c5"`, `"token":"j6"`} {
		caller := issuer.Mint(claimstest.Token{
			Subject: fmt.Sprint("u", i+3), ClientID: fmt.Sprint("c", i+3), Scope: "orders:read",
			Claims: map[string]any{"sid": fmt.Sprint("s", i+3), "jti": fmt.Sprint("j", i+3)},
		})
		require.Equal(t, 200, d.call(t, "GET", "/orders", caller, "").Status)
		require.Equal(t, 204, order("secret", of(","+members)))
		assert.Equal(t, 401, d.call(t, "GET", "/orders", caller, "").Status, members)
	}
	require.Equal(t, 204, order("secret", of(`,"before":"`+time.Now().UTC().Format(time.RFC3339)+`"`)))
	assert.Equal(t, 401, d.call(t, "GET", "/orders", token, "").Status, "the whole issuer")
	assert.Equal(t, 404, start(t, "-issuer", issuer.URL()).post(t, "/revocations", "application/json", "", "{}").Status)
}

// Two replicas on one Redis: what one hears ends on the other, streams too.
func TestNews_redis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	issuer := startIssuer(t)
	flags := []string{"-issuer", issuer.URL(), "-redis", server.URL(), "-logout", "-admin-token", "secret"}
	one, another := startTelling(t, flags...), startTelling(t, flags...)
	token := session(issuer, "s1")
	require.Equal(t, 200, another.call(t, "GET", "/orders", token, "").Status)
	stream := openEvents(t, another, token)
	watch, err := another.orders(t).WatchOrders(withToken(t, token), &orderspb.WatchOrdersRequest{})
	require.NoError(t, err)
	_, err = watch.Recv()
	require.NoError(t, err)

	logout := url.Values{"logout_token": {logoutToken(issuer, "orders", map[string]any{"sub": "alice", "sid": "s1"})}}
	require.Equal(t, 200, one.post(t, "/backchannel-logout", "application/x-www-form-urlencoded", "", logout.Encode()).Status)
	require.Eventually(t, func() bool { return another.call(t, "GET", "/orders", token, "").Status == 401 },
		demotest.Timeout, 10*time.Millisecond)
	for err == nil {
		_, err = watch.Recv()
	}
	assert.Equal(t, codes.Unauthenticated, status.Code(err), "%v", err)
	_, err = io.Copy(io.Discard, stream)
	assert.NoError(t, err, "the events end")

	server.Stop()
	body := fmt.Sprintf(`{"issuer":%q,"subject":"bob"}`, issuer.URL())
	assert.Equal(t, 503, one.post(t, "/revocations", "application/json", "secret", body).Status)
	assert.Equal(t, 200, another.call(t, "GET", "/orders", session(issuer, "s2"), "").Status, "reads go on")
	server.Restart()
	bob := issuer.Mint(claimstest.Token{Subject: "bob", Scope: "orders:read"})
	require.Eventually(t, func() bool { return another.call(t, "GET", "/orders", bob, "").Status == 401 },
		demotest.Timeout, 50*time.Millisecond, "it is shared once Redis is back")
}

// openEvents opens the events and reads the first of them.
func openEvents(t *testing.T, d demo, token string) *bufio.Reader {
	t.Helper()
	response, err := http.DefaultClient.Do(d.request(t, "GET", "/orders/events", token, ""))
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, 200, response.StatusCode)
	events := bufio.NewReader(response.Body)
	line, err := events.ReadString('\n')
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(line, "id: "), line)
	return events
}
