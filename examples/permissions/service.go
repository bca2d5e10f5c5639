package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

// drainTimeout is how long calls under way may take to end.
const drainTimeout = 5 * time.Second

// service is everything that listens, and what it stands on.
type service struct {
	options  *options
	log      *slog.Logger
	database string
	temp     string // directory of a temporary database, empty if there is none
	db       *sql.DB
	store    *store

	http           *http.Server
	grpc           *grpc.Server
	healthy        *health.Server
	httpOn, grpcOn net.Listener
	stopping       chan struct{}

	// The development issuer, nil where there is another.
	dev       *claimstest.Issuer
	devServer *http.Server
	devOn     net.Listener
}

// open opens the database, listens, and returns a service that is ready to serve.
func open(ctx context.Context, o *options, stderr io.Writer) (*service, error) {
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

func (s *service) listen() error {
	var errs []error
	on := func(name, addr string) net.Listener {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			errs = append(errs, fmt.Errorf("-%s: %w", name, err))
		}
		return listener
	}
	s.httpOn = on("http", s.options.httpAddr)
	s.grpcOn = on("grpc", s.options.grpcAddr)
	if s.options.issuer == "" {
		s.devOn = on("dev-issuer", s.options.devAddr)
	}
	return errors.Join(errs...)
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
	if s.devOn != nil {
		var err error
		s.dev, err = newDevIssuer(s.devOn.Addr().String(), s.options.audience)
		if err != nil {
			return err
		}
		s.devServer = newServer(s.dev)
		config.Issuer = s.dev.URL()
		if err := s.store.seed(ctx, s.dev.URL()); err != nil {
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
	s.http = newServer(mux)
	return nil
}

func (s *service) buildGRPC(verifier *claims.Verifier, cache *claims.PermissionCache) error {
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: policy, Realm: realm, Permissions: cache, Observer: s.observe,
	})
	if err != nil {
		return err
	}
	s.grpc = grpc.NewServer(append(auth.ServerOptions(),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxHeaderListSize(maxMetadata))...)
	api := &grpcAPI{auth: auth, store: s.store, log: s.log, stopping: s.stopping}
	s.healthy, err = api.register(s.grpc)
	return err
}

// observe logs what could not be decided, with the cause that no client is shown.
func (s *service) observe(_ context.Context, d claims.Decision) {
	if d.Err != nil && d.Err.Class() == claims.ErrUnavailable {
		s.log.Error("can not decide", "operation", d.Operation,
			"reason", d.Err.Reason(), "cause", errors.Unwrap(d.Err))
	}
}

// serve serves until ctx ends and then drains: no new calls, watches end, and
// other calls under way have a few seconds. The error is that of a server that
// stopped by itself.
func (s *service) serve(ctx context.Context) error {
	defer s.close()
	var servers sync.WaitGroup
	failed := make(chan error, 3)
	start := func(serve func(net.Listener) error, on net.Listener) {
		servers.Go(func() {
			if err := serve(on); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	start(s.http.Serve, s.httpOn)
	start(s.grpc.Serve, s.grpcOn)
	if s.dev != nil {
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

func (s *service) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	s.healthy.Shutdown() // those who watch the health stop sending
	close(s.stopping)
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

// close gives back what is not a server's: those close their listeners.
func (s *service) close() {
	for _, listener := range []net.Listener{s.httpOn, s.grpcOn, s.devOn} {
		if listener != nil {
			_ = listener.Close()
		}
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.temp != "" {
		_ = os.RemoveAll(s.temp)
	}
}
