package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

// service is everything that listens, and what it stands on.
type service struct {
	options  *options
	log      *slog.Logger
	database string
	temp     string // directory of a temporary database, empty if there is none
	db       *sql.DB
	store    *store

	servers  *demo.Servers
	stopping chan struct{}
}

// open opens the database, listens, and returns a service that is ready to
// serve.
func open(ctx context.Context, o *options, _, stderr io.Writer) (demo.Service, error) {
	s := &service{
		options:  o,
		log:      slog.New(slog.NewTextHandler(stderr, nil)),
		database: o.database,
		stopping: make(chan struct{}),
	}
	err := errors.Join(s.listen(), s.openStore(ctx))
	if err == nil {
		err = s.build(ctx)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *service) listen() (err error) {
	devAddr := s.options.devAddr
	if s.options.issuer != "" {
		devAddr = ""
	}
	s.servers, err = demo.Listen(s.options.httpAddr, s.options.grpcAddr, devAddr)
	return err
}

func (s *service) openStore(ctx context.Context) (err error) {
	if s.database == "" {
		if s.temp, err = os.MkdirTemp("", "permissions-"); err != nil {
			return err
		}
		s.database = filepath.Join(s.temp, "permissions.db")
	}
	s.db, err = openDatabase(ctx, s.database)
	s.store = &store{s.db}
	return err
}

// build makes the servers, once all listeners and the database are there.
func (s *service) build(ctx context.Context) error {
	config := s.options.verifierConfig()
	if s.options.issuer == "" {
		err := s.servers.NewDevIssuer(s.options.audience, devShop, devOffice)
		if err != nil {
			return err
		}
		config.Issuer = s.servers.Dev.URL()
		if err := s.store.seed(ctx, config.Issuer); err != nil {
			return err
		}
	}
	if s.options.admin != "" {
		if err := s.store.grantAll(ctx, config.Issuer, s.options.admin); err != nil {
			return err
		}
	}
	verifier, err := claims.NewVerifier(config)
	if err != nil {
		return err
	}
	cache, err := claims.NewPermissionCache(s.store,
		claims.PermissionCacheConfig{TTL: s.options.grantTTL, Timeout: queryTimeout})
	if err != nil {
		return err
	}
	s.servers.Stop = func() { close(s.stopping) }
	return errors.Join(s.buildHTTP(verifier, cache), s.buildGRPC(verifier, cache))
}

func (s *service) buildHTTP(verifier *claims.Verifier, cache *claims.PermissionCache) error {
	query, err := newGraphQLAPI(s.store, s.log)
	if err != nil {
		return err
	}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{
		Realm: realm, Permissions: cache, Observer: s.observe,
	}))
	query.register(mux)
	(&restAPI{s.store, cache, s.log}).register(mux)
	s.servers.HTTP = demo.NewHTTPServer(mux)
	return nil
}

func (s *service) buildGRPC(verifier *claims.Verifier, cache *claims.PermissionCache) error {
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: policy, Realm: realm, Permissions: cache, Observer: s.observe,
	})
	if err != nil {
		return err
	}
	s.servers.GRPC = grpc.NewServer(append(auth.ServerOptions(),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxHeaderListSize(maxMetadata))...)
	api := &grpcAPI{auth: auth, store: s.store, log: s.log, stopping: s.stopping}
	s.servers.Health, err = api.register(s.servers.GRPC)
	return err
}

// observe logs what could not be decided, with the cause that no client is
// shown.
func (s *service) observe(_ context.Context, d claims.Decision) {
	if d.Err != nil && d.Err.Class() == claims.ErrUnavailable {
		s.log.Error("cannot decide", "operation", d.Operation,
			"reason", d.Err.Reason(), "cause", errors.Unwrap(d.Err))
	}
}

// Serve implements [demo.Service].
func (s *service) Serve(ctx context.Context) error {
	defer s.close()
	return s.servers.Serve(ctx)
}

// close gives back what the service stands on.
func (s *service) close() {
	if s.servers != nil {
		s.servers.Close()
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.temp != "" {
		_ = os.RemoveAll(s.temp)
	}
}
