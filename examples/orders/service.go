package main

import (
	"context"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

// trusted is what both APIs know of issuers, such as [claims.Issuers].
type trusted interface {
	claims.Authenticator
	Ready(ctx context.Context, issuers ...string) error
}

// service is everything that listens.
type service struct {
	servers *demo.Servers
	issuers []string // their identifiers
}

// newService listens, and returns a service that is ready to serve. The error
// names every address that cannot be had.
func newService(o *options) (*service, error) {
	devAddr := o.devAddr
	if o.trusted != nil {
		devAddr = ""
	}
	servers, err := demo.Listen(o.httpAddr, o.grpcAddr, devAddr)
	if err != nil {
		return nil, err
	}
	s := &service{servers, o.issuers}
	if err := s.build(o); err != nil {
		servers.Close()
		return nil, err
	}
	return s, nil
}

// build makes the servers, once all listeners are there.
func (s *service) build(o *options) error {
	issuers := o.trusted
	if issuers == nil {
		if err := s.servers.NewDevIssuer(o.audiences[0], devReader, devAdmin); err != nil {
			return err
		}
		url := s.servers.Dev.URL()
		s.issuers = []string{url}
		var err error
		issuers, err = claims.NewIssuers(claims.Config{Issuer: url, Audiences: o.audiences})
		if err != nil {
			return err
		}
	}
	orders := newStore()
	for _, item := range []string{"tea", "coffee"} { // so that there is something to see
		if _, err := orders.add(item, 1); err != nil {
			return err
		}
	}
	s.servers.Stop = orders.stop
	s.servers.HTTP = demo.NewHTTPServer(newHTTPMux(issuers, orders))
	var err error
	s.servers.GRPC, s.servers.Health, err = newGRPCServer(issuers, orders)
	return err
}

// Serve implements [demo.Service].
func (s *service) Serve(ctx context.Context) error { return s.servers.Serve(ctx) }
