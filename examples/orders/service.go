package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
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
	// certFile is that of the certificate that it shows, empty without TLS.
	certFile string
	news     *news
	stop     context.CancelFunc // what follows the news
	heard    sync.WaitGroup     // until it has stopped
}

// newService listens, and returns a service that is ready to serve. The error
// names every address that cannot be had.
func newService(ctx context.Context, o *options, log io.Writer) (*service, error) {
	devAddr := o.devAddr
	if o.trusted != nil {
		devAddr = ""
	}
	servers, err := demo.Listen(o.httpAddr, o.grpcAddr, devAddr)
	if err != nil {
		return nil, err
	}
	s := &service{servers: servers, issuers: o.issuers}
	if err := s.build(o, log); err != nil {
		servers.Close()
		return nil, err
	}
	ctx, s.stop = context.WithCancel(ctx)
	s.heard.Go(func() { s.news.follow(ctx) })
	s.news.await(ctx)
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
		keys, err := jwks.NewCache(jwks.Config{Issuer: url, Observer: o.records.ofKeys(url)})
		if err != nil {
			return err
		}
		o.senders = []receiver.Sender{{Issuer: url, Keys: keys}}
		issuers, err = claims.NewIssuers(claims.Config{
			Issuer: url, Audiences: o.audiences, Keys: keys, Confirmers: o.bound.confirmers,
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
	logger := slog.New(slog.NewTextHandler(log, nil)) // one, as it locks
	o.records.logTo(logger)
	var err error
	s.news, err = newNews(o.news, o.senders, logger)
	if err != nil {
		return err
	}
	mux := newHTTPMux(issuers, o.sandbox, orders, o.records, s.news, &o.bound)
	s.servers.HTTP = demo.NewHTTPServer(mux)
	s.servers.HTTP.TLSConfig = o.bound.tls.Clone()
	s.certFile = o.bound.certFile
	s.servers.GRPC, s.servers.Health, err = newGRPCServer(
		issuers, o.sandbox, orders, o.records, s.news, &o.bound)
	if err != nil {
		return err
	}
	return errors.Join(
		o.records.watch(issuers, mux.Operations(), o.sandbox.policy(policy).Operations()),
		o.records.watchNews(s.news))
}

// Serve implements [demo.Service].
func (s *service) Serve(ctx context.Context) error {
	defer s.heard.Wait()
	defer s.stop()
	return s.servers.Serve(ctx)
}
