package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

const (
	cooldown     = time.Second
	rotateEvery  = 6 * time.Second
	outageEvery  = 13 * time.Second
	outageLength = 2 * time.Second
	keysHeld     = 4 // older ones are revoked
	scope        = "orders:read"

	// grace is how long a new key may take to be known, from its publication or
	// the end of an outage: one cooldown and one fetch, or a fetch that hangs.
	grace = cooldown + outageLength + time.Second
)

// world is an issuer with its weather, another that is not trusted, and a
// service on both transports.
type world struct {
	issuer, stranger *claimstest.Issuer
	cache            *jwks.Cache
	httpURL          string
	client           testpb.TestServiceClient
	closers          []func()

	mu       sync.Mutex // guards the fields below
	keys     []*claimstest.Key
	known    *claimstest.Key // the last that was accepted: it must be from then on
	settled  time.Time       // when the newest key must be known at the latest
	down     bool
	rotation int
	outages  int
}

func newWorld() (*world, error) {
	w := &world{}
	var err error
	if w.issuer, err = w.startIssuer(); err != nil {
		return nil, err
	}
	if w.stranger, err = w.startIssuer(); err != nil {
		return nil, err
	}
	w.known = w.issuer.Key()
	w.keys = []*claimstest.Key{w.known}
	w.cache, err = jwks.NewCache(jwks.Config{
		Issuer: w.issuer.URL(), Cooldown: cooldown, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: w.issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: w.cache,
	})
	if err != nil {
		return nil, err
	}
	if err := w.cache.Ready(context.Background()); err != nil {
		return nil, err
	}
	if err := w.serveHTTP(httpmw.New(verifier, httpmw.Config{})); err != nil {
		return nil, err
	}
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{
		testpb.TestService_EmptyCall_FullMethodName:      claims.Scopes(scope),
		testpb.TestService_FullDuplexCall_FullMethodName: claims.Scopes(scope),
	}})
	if err != nil {
		return nil, err
	}
	return w, w.serveGRPC(auth)
}

func (w *world) close() {
	for _, f := range w.closers {
		f()
	}
}

func (w *world) startIssuer() (*claimstest.Issuer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	issuer, err := claimstest.New(claimstest.Config{
		URL: "http://" + listener.Addr().String(), Lifetime: time.Hour,
	})
	if err != nil {
		return nil, err
	}
	w.serve(listener, issuer)
	return issuer, nil
}

func (w *world) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	w.closers = append(w.closers, func() { _ = server.Close() })
}

func (w *world) serveHTTP(auth *httpmw.Middleware) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := httpmw.NewServeMux(auth)
	mux.HandleFunc("GET /", claims.Scopes(scope), func(http.ResponseWriter, *http.Request) {})
	w.httpURL = "http://" + listener.Addr().String() + "/"
	w.serve(listener, mux)
	return nil
}

func (w *world) serveGRPC(auth *grpcmw.Interceptor) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(auth.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, service{})
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	w.client = testpb.NewTestServiceClient(conn)
	w.closers = append(w.closers, func() { _ = conn.Close() }, server.Stop)
	return nil
}

// service answers what the soak asks of it over gRPC.
type service struct {
	testpb.UnimplementedTestServiceServer
}

func (service) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return &testpb.Empty{}, nil
}

func (service) FullDuplexCall(
	stream grpc.BidiStreamingServer[
		testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse],
) error {
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

// weather rotates the keys and brings outages until ctx ends.
func (w *world) weather(ctx context.Context) {
	rotate, outage := time.NewTicker(rotateEvery), time.NewTicker(outageEvery)
	defer rotate.Stop()
	defer outage.Stop()
	var end <-chan time.Time
	var hung atomic.Bool // every second outage hangs instead of failing
	for {
		select {
		case <-ctx.Done():
			w.issuer.Intercept(nil)
			return
		case <-rotate.C:
			w.rotate()
		case <-outage.C:
			if hung.Swap(!hung.Load()) {
				w.issuer.Intercept(hang)
			} else {
				w.issuer.Fail(http.StatusServiceUnavailable)
			}
			w.setDown(true)
			end = time.After(outageLength)
		case <-end:
			w.issuer.Intercept(nil)
			w.setDown(false)
		}
	}
}

func hang(http.Handler) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select { // no longer than the outage
		case <-r.Context().Done():
		case <-time.After(outageLength):
		}
	})
}

func (w *world) rotate() {
	key := w.issuer.Rotate("")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rotation++
	w.keys = append(w.keys, key)
	if len(w.keys) > keysHeld {
		w.issuer.Revoke(w.keys[0])
		w.keys = w.keys[1:]
	}
	w.settle()
}

func (w *world) setDown(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
	if down {
		w.outages++
	}
	w.settle()
}

// settle is called with mu held, when a key was published or an outage began or
// ended.
func (w *world) settle() { w.settled = time.Now().Add(grace) }

// newest returns the newest key, and whether it may be unknown yet.
func (w *world) newest() (key *claimstest.Key, mayBeUnknown bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keys[len(w.keys)-1], w.down || time.Now().Before(w.settled)
}

// accepted takes note that a token signed by the key was accepted.
func (w *world) accepted(key *claimstest.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Index(w.keys, key) > slices.Index(w.keys, w.known) {
		w.known = key
	}
}

// established returns the newest key that was accepted before.
func (w *world) established() *claimstest.Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known
}

// learnt returns an error unless the service has learnt of the rotations.
func (w *world) learnt() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	stats := w.cache.Stats()
	// The last may have come too late to be seen.
	if w.rotation == 0 || stats.Generation < uint64(w.rotation) {
		return fmt.Errorf("%d rotations led to key set generation %d", w.rotation, stats.Generation)
	}
	return nil
}

func (w *world) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("%d rotations, %d outages of %v", w.rotation, w.outages, outageLength)
}
