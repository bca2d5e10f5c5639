package main

import (
	"context"
	"io"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/jwks"
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
func newService(o *options, log io.Writer) (*service, error) {
	devAddr := o.devAddr
	if o.trusted != nil {
		devAddr = ""
	}
	servers, err := demo.Listen(o.httpAddr, o.grpcAddr, devAddr)
	if err != nil {
		return nil, err
	}
	s := &service{servers, o.issuers}
	if err := s.build(o, log); err != nil {
		servers.Close()
		return nil, err
	}
	return s, nil
}

// build makes the servers, once all listeners are there.
func (s *service) build(o *options, log io.Writer) error {
	issuers := o.trusted
	if issuers == nil {
		if err := s.servers.NewDevIssuer(o.audiences[0], devReader, devAdmin); err != nil {
			return err
		}
		url := s.servers.Dev.URL()
		s.issuers = []string{url}
		var err error
		if o.records, err = newRecords(o.metrics, url); err != nil {
			return err
		}
		issuers, err = claims.NewIssuers(claims.Config{
			Issuer: url, Audiences: o.audiences,
			KeyCache: jwks.Config{Observer: o.records.ofKeys(url)},
		})
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
	o.records.logTo(log)
	all := o.further.beside(issuers)
	mux := newHTTPMux(all, o.sandbox, orders, o.records)
	s.servers.HTTP = demo.NewHTTPServer(mux)
	var err error
	s.servers.GRPC, s.servers.Health, err = newGRPCServer(
		all, o.sandbox, orders, o.records)
	if err != nil {
		return err
	}
	return o.records.watch(all, mux.Operations(), o.sandbox.policy(policy).Operations())
}

// Serve implements [demo.Service].
func (s *service) Serve(ctx context.Context) error { return s.servers.Serve(ctx) }
