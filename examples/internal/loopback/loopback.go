// Package loopback serves an issuer and an API on addresses of this machine,
// for the examples of whole platforms: the server and the client are one
// program, and what is between them is a real connection.
package loopback

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// Serve serves a handler until ctx ends, and returns its URL.
func Serve(ctx context.Context, h http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return serve(ctx, listener, h), nil
}

func serve(ctx context.Context, listener net.Listener, h http.Handler) string {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

// Issuer serves an issuer until ctx ends. The path of cfg.URL, if any, becomes
// that of the issuer.
func Issuer(ctx context.Context, cfg claimstest.Config) (*claimstest.Issuer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	cfg.URL = "http://" + listener.Addr().String() + cfg.URL
	issuer, err := claimstest.New(cfg)
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	serve(ctx, listener, issuer)
	return issuer, nil
}
