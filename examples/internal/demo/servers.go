package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const (
	// WriteTimeout is how long an HTTP request may take in all, but for those
	// that set a deadline of their own. It is longer than anything that a
	// request waits for, so that who waits is always answered.
	WriteTimeout = 20 * time.Second

	drainTimeout = 5 * time.Second // for calls under way to end
)

// Servers are those of a service: an HTTP API, a gRPC API and, unless tokens
// come from elsewhere, an issuer for development.
type Servers struct {
	HTTP   *http.Server // over TLS if it has a TLSConfig
	GRPC   *grpc.Server
	Health *health.Server
	// Dev is the development issuer, nil if there is none.
	Dev *claimstest.Issuer
	// Stop ends what would go on for as long as the client wants. It is called
	// once, when the service drains.
	Stop func()

	httpOn, grpcOn, devOn net.Listener
	devServer             *http.Server
}

// Listen listens where -http, -grpc and -dev-issuer say; an empty address of
// the last means no such issuer. The error names every address that cannot be
// had.
func Listen(httpAddr, grpcAddr, devAddr string) (*Servers, error) {
	var errs []error
	listen := func(flag, addr string) net.Listener {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			// It would repeat the address.
			if op := (*net.OpError)(nil); errors.As(err, &op) {
				err = op.Err
			}
			errs = append(errs, fmt.Errorf("-%s %q: %w", flag, addr, err))
		}
		return listener
	}
	s := &Servers{httpOn: listen("http", httpAddr), grpcOn: listen("grpc", grpcAddr)}
	if devAddr != "" {
		s.devOn = listen("dev-issuer", devAddr)
	}
	if err := errors.Join(errs...); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// NewDevIssuer makes the issuer that makes the service work without any other:
// for development only, as its clients' secrets are public.
func (s *Servers) NewDevIssuer(audience string, clients ...claimstest.Client) error {
	issuer, err := claimstest.New(claimstest.Config{
		URL:      "http://" + s.devOn.Addr().String(),
		Audience: audience,
		Lifetime: 15 * time.Minute,
		Clients:  clients,
	})
	if err != nil {
		return err
	}
	s.Dev, s.devServer = issuer, NewHTTPServer(issuer)
	return nil
}

// NewHTTPServer returns a server that no slow client can hold for long.
func NewHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// Close closes the listeners of servers that do not serve.
func (s *Servers) Close() {
	for _, listener := range []net.Listener{s.httpOn, s.grpcOn, s.devOn} {
		if listener != nil {
			_ = listener.Close()
		}
	}
}

// Serve serves until ctx ends and then drains: no new calls, streams end, and
// other calls under way have a few seconds. The error is that of a server that
// stopped by itself.
func (s *Servers) Serve(ctx context.Context) error {
	var servers sync.WaitGroup
	failed := make(chan error, 3)
	start := func(serve func(net.Listener) error, on net.Listener) {
		servers.Go(func() {
			if err := serve(on); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	serve := s.HTTP.Serve
	if s.HTTP.TLSConfig != nil {
		serve = func(l net.Listener) error { return s.HTTP.ServeTLS(l, "", "") }
	}
	start(serve, s.httpOn)
	start(s.GRPC.Serve, s.grpcOn)
	if s.devServer != nil {
		start(s.devServer.Serve, s.devOn)
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	s.drain()
	servers.Wait()
	return err
}

func (s *Servers) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	s.Health.Shutdown() // those who watch the health stop sending
	s.Stop()
	var ending sync.WaitGroup
	ending.Go(func() { shutdown(ctx, s.HTTP) })
	ending.Go(func() {
		defer context.AfterFunc(ctx, s.GRPC.Stop)()
		s.GRPC.GracefulStop()
	})
	ending.Wait()
	if s.devServer != nil {
		shutdown(ctx, s.devServer)
	}
}

func shutdown(ctx context.Context, server *http.Server) {
	if server.Shutdown(ctx) != nil { // not in time
		_ = server.Close()
	}
}
