package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/redisstore"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
	"github.com/sallyport-go/sallyport/httpmw"
)

// replica is one process of the service: all of it that matters here.
type replica struct {
	url   string
	table *revocation.Table
	stop  func()
}

// startReplica starts a replica that trusts the issuer and follows the news in
// Redis.
func startReplica(ctx context.Context, issuer, redisURL string) (*replica, error) {
	client, err := redisstore.NewClient(redisURL)
	if err != nil {
		return nil, err
	}
	// What has ended, here and on the other replicas.
	store, err := redisstore.NewRevocations(client, redisstore.RevocationsConfig{
		Prefix: "logout-example:",
	})
	if err != nil {
		return nil, err
	}
	table, err := revocation.NewTable(revocation.Config{
		Store: store, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	// Who tells of it.
	logout, err := receiver.NewLogout(table, receiver.LogoutConfig{
		Senders: []receiver.Sender{{Issuer: issuer, Audiences: []string{clientID}}},
	})
	if err != nil {
		return nil, err
	}
	// Who asks it.
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer, Audiences: []string{audience},
	})
	if err != nil {
		return nil, err
	}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{Revocations: table}))
	mux.Handle("POST /backchannel-logout", claims.Public(), logout) // its token proves who sends
	mux.HandleFunc("GET /ticks", claims.EndsWithToken(claims.Scopes("ticks:read")), ticks)

	server, url, err := serve(mux)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() { store.Run(ctx, table) })
	return &replica{url, table, func() {
		cancel()
		following.Wait()
		_ = client.Close()
		_ = server.Close()
	}}, nil
}

// heard waits until the replica knows all news.
func (r *replica) heard(ctx context.Context) error {
	for r.table.Heard().IsZero() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("no news is heard from Redis: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// ticks sends server-sent events for as long as the caller's token counts.
func ticks(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	for n := 1; ; n++ {
		if _, err := fmt.Fprintf(w, "data: tick %d\n\n", n); err != nil || rc.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Minute): // not what ends it
		}
	}
}

// serveIssuer starts an authorization server for the example.
func serveIssuer() (*claimstest.Issuer, func(), error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	issuer, err := claimstest.New(claimstest.Config{
		URL: "http://" + listener.Addr().String(), Audience: audience,
	})
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: issuer, ReadHeaderTimeout: timeout}
	go func() { _ = server.Serve(listener) }()
	return issuer, func() { _ = server.Close() }, nil
}

func serve(h http.Handler) (*http.Server, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: timeout}
	go func() { _ = server.Serve(listener) }()
	return server, "http://" + listener.Addr().String(), nil
}
