package main

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

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// drainTimeout is how long calls under way may take to end.
const drainTimeout = 5 * time.Second

// service is everything that listens.
type service struct {
	orders *store

	http    *http.Server
	grpc    *grpc.Server
	healthy *health.Server
	httpOn  net.Listener
	grpcOn  net.Listener

	// The development issuer, nil where there are others.
	dev       *claimstest.Issuer
	devServer *http.Server
	devOn     net.Listener

	issuers []string // their identifiers
}

// open listens, and returns a service that is ready to serve. The error names
// every address that can not be had.
func open(o *options) (*service, error) {
	s := &service{orders: newStore(), issuers: o.issuers}
	var errs []error
	listen := func(name, addr string) net.Listener {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			if op := (*net.OpError)(nil); errors.As(err, &op) { // it would repeat the address
				err = op.Err
			}
			errs = append(errs, fmt.Errorf("-%s %q: %w", name, addr, err))
		}
		return listener
	}
	s.httpOn = listen("http", o.httpAddr)
	s.grpcOn = listen("grpc", o.grpcAddr)
	if o.trusted == nil {
		s.devOn = listen("dev-issuer", o.devAddr)
	}
	err := errors.Join(errs...)
	if err == nil {
		err = s.build(o)
	}
	if err != nil {
		s.closeListeners()
		return nil, err
	}
	return s, nil
}

// build makes the servers, once all listeners are there.
func (s *service) build(o *options) error {
	issuers := o.trusted
	if issuers == nil {
		var err error
		if s.dev, err = newDevIssuer(s.devOn.Addr().String(), o.audiences[0]); err != nil {
			return err
		}
		s.devServer = newServer(s.dev)
		s.issuers = []string{s.dev.URL()}
		issuers, err = claims.NewIssuers(claims.Config{Issuer: s.dev.URL(), Audiences: o.audiences})
		if err != nil {
			return err
		}
	}
	for _, item := range []string{"tea", "coffee"} { // so that there is something to see
		if _, err := s.orders.add(item, 1); err != nil {
			return err
		}
	}
	s.http = newHTTPServer(issuers, s.orders)
	var err error
	s.grpc, s.healthy, err = newGRPCServer(issuers, s.orders)
	return err
}

func (s *service) closeListeners() {
	for _, listener := range []net.Listener{s.httpOn, s.grpcOn, s.devOn} {
		if listener != nil {
			_ = listener.Close()
		}
	}
}

// serve serves until ctx ends and then drains: no new calls, streams end, and
// other calls under way have a few seconds. The error is that of a server that
// stopped by itself.
func (s *service) serve(ctx context.Context) error {
	var servers sync.WaitGroup
	failed := make(chan error, 3)
	start := func(serve func() error) {
		servers.Go(func() {
			if err := serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	start(func() error { return s.http.Serve(s.httpOn) })
	start(func() error { return s.grpc.Serve(s.grpcOn) })
	if s.dev != nil {
		start(func() error { return s.devServer.Serve(s.devOn) })
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

func (s *service) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	s.healthy.Shutdown() // those who watch the health stop sending
	s.orders.stop()
	var ending sync.WaitGroup
	ending.Go(func() { shutdown(ctx, s.http) })
	ending.Go(func() {
		defer context.AfterFunc(ctx, s.grpc.Stop)()
		s.grpc.GracefulStop()
	})
	ending.Wait()
	if s.dev != nil {
		shutdown(ctx, s.devServer)
	}
}

func shutdown(ctx context.Context, server *http.Server) {
	if server.Shutdown(ctx) != nil { // not in time
		_ = server.Close()
	}
}
