// Logout shows how a session ends before its tokens do, on every replica: two
// replicas of a service share what has ended through Redis; an authorization
// server tells one of them that a user has logged out (OpenID Connect
// Back-Channel Logout 1.0); a stream that is open on the other ends.
//
//	redis-server --port 6390 --save '' &
//	go run ./logout -redis redis://127.0.0.1:6390
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const (
	audience = "https://api.example" // of access tokens
	clientID = "dashboard"           // of this service at the authorization server
	timeout  = 30 * time.Second
)

func main() {
	redisURL := flag.String("redis", "", "URL of a Redis or Valkey server")
	flag.Parse()
	if *redisURL == "" {
		fmt.Fprintln(os.Stderr, "logout: -redis is required, such as redis://127.0.0.1:6379")
		os.Exit(2)
	}
	if _, err := run(context.Background(), *redisURL, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "logout:", err)
		os.Exit(1)
	}
}

// run plays it through, and returns how long the stream lived on after the
// logout.
func run(ctx context.Context, redisURL string, out io.Writer) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	issuer, stop, err := serveIssuer()
	if err != nil {
		return 0, err
	}
	defer stop()
	var replicas [2]*replica
	for i := range replicas {
		if replicas[i], err = startReplica(ctx, issuer.URL(), redisURL); err != nil {
			return 0, err
		}
		defer replicas[i].stop()
	}
	told, watched := replicas[0], replicas[1]
	if err := watched.heard(ctx); err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "two replicas: %s and %s\n", told.url, watched.url)

	token := issuer.Mint(claimstest.Token{
		Subject: "alice", Scope: "ticks:read", Claims: map[string]any{"sid": "session-1"},
	})
	stream, err := call(ctx, watched.url+"/ticks", token)
	if err != nil {
		return 0, err
	}
	defer stream.Body.Close()
	ticks := bufio.NewReader(stream.Body)
	first, err := ticks.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("no tick came: %w", err)
	}
	fmt.Fprintf(out, "alice has a stream at %s: %s", watched.url, first)

	start := time.Now()
	if err := logOut(ctx, issuer, told.url+"/backchannel-logout"); err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "the authorization server has told %s that alice's session ended\n", told.url)
	_, err = io.Copy(io.Discard, ticks) // to its end
	took = time.Since(start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return took, err
	}
	fmt.Fprintf(out, "the stream ended after %s\n", took.Round(time.Millisecond))
	for _, r := range replicas {
		answer, err := call(ctx, r.url+"/ticks", token)
		if err != nil {
			return took, err
		}
		_ = answer.Body.Close()
		fmt.Fprintf(out, "the same token at %s: %s, %s\n",
			r.url, answer.Status, answer.Header.Get("WWW-Authenticate"))
		if answer.StatusCode != http.StatusUnauthorized {
			return took, fmt.Errorf("%s takes the token still: %s", r.url, answer.Status)
		}
	}
	return took, nil
}

func call(ctx context.Context, to, token string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return http.DefaultClient.Do(r)
}

// logOut is what an authorization server does: it posts a logout token.
func logOut(ctx context.Context, issuer *claimstest.Issuer, to string) error {
	key := issuer.Key()
	header, err := json.Marshal(map[string]any{
		"alg": key.Algorithm, "kid": key.ID, "typ": "logout+jwt",
	})
	if err != nil {
		return err
	}
	now := time.Now()
	payload, err := json.Marshal(map[string]any{
		"iss": issuer.URL(), "aud": clientID, "sub": "alice", "sid": "session-1", "jti": "logout-1",
		"iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(),
		"events": map[string]any{
			"http://schemas.openid.net/event/backchannel-logout": map[string]any{},
		},
	})
	if err != nil {
		return err
	}
	form := url.Values{"logout_token": {key.Sign(header, payload)}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("the logout was answered with %s: %s", answer.Status, body)
	}
	return nil
}
