package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/jwks"
)

const (
	perConn      = 2500                  // streams of a connection
	oneIn        = 100                   // streams are of the session that ends by news
	mostLate     = 10 * time.Second      // for all to have ended, on a busy machine
	opening      = 10 * time.Millisecond // a stream may take to open, of the life of their tokens
	betweenCalls = 2 * time.Millisecond  // between calls that ask whether others notice
)

// lasting opens streams that nobody says anything on, has a piece of news end
// some of them and the end of their tokens the rest, and prints how long that
// took, what it cost, and what other calls noticed.
func lasting(ctx context.Context, out io.Writer, streams int) error {
	before := weigh()
	s, err := newLasting(streams)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.open(ctx, streams); err != nil {
		return err
	}
	open := weigh()
	fmt.Fprintf(out, "lasting: %d streams open: "+
		"%.1f goroutines and %.1f KB for each, client included\n",
		streams, float64(open.goroutines-before.goroutines)/float64(streams),
		float64(open.bytes-before.bytes)/float64(streams)/1024)

	calm := s.probe(ctx, time.Second)
	told := time.Now()
	probed := make(chan []time.Duration, 1)
	go func() { probed <- s.probe(ctx, time.Second) }()
	news := revocation.Entry{Issuer: s.issuer.URL(), Session: "stolen"}
	if err := s.ended.Revoke(ctx, news); err != nil {
		return err
	}
	returned := time.Since(told)
	hit := streams / oneIn
	if err := s.await(ctx, hit); err != nil {
		return fmt.Errorf("after the news: %w", err)
	}
	fmt.Fprintf(out, "lasting: one piece of news: %d streams ended within %s, Revoke took %s\n",
		hit, s.last().Sub(told).Round(time.Microsecond), returned.Round(time.Microsecond))
	fmt.Fprintf(out, "lasting: calls of others: %s before, %s meanwhile\n",
		spread(calm), spread(<-probed))
	if n := s.gone.Load(); int(n) != hit {
		return fmt.Errorf("%d streams ended, though the news was about %d", n, hit)
	}

	<-time.After(time.Until(s.expiry))
	go func() { probed <- s.probe(ctx, time.Second) }()
	if err := s.await(ctx, streams); err != nil {
		return fmt.Errorf("after their tokens: %w", err)
	}
	fmt.Fprintf(out, "lasting: %d tokens expired together: the last stream ended after %s\n",
		streams-hit, s.last().Sub(s.expiry).Round(time.Microsecond))
	fmt.Fprintf(out, "lasting: calls of others meanwhile: %s\n", spread(<-probed))
	s.close()
	for deadline := time.Now().Add(mostLate); weigh().goroutines > before.goroutines+10; {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d goroutines are left of %d streams",
				weigh().goroutines-before.goroutines, streams)
		}
		<-time.After(10 * time.Millisecond)
	}
	after := weigh()
	fmt.Fprintf(out, "lasting: after their end: %d goroutines and %.1f KB a stream left\n",
		after.goroutines-before.goroutines,
		max(float64(after.bytes-before.bytes), 0)/float64(streams)/1024)
	return nil
}

// lastingWorld is a service with streams that last.
type lastingWorld struct {
	issuer  *claimstest.Issuer
	ended   *revocation.Table
	address string
	probed  testpb.TestServiceClient
	conns   []*grpc.ClientConn
	closers []func()
	expiry  time.Time

	gone atomic.Int64
	wake chan struct{}
	mu   sync.Mutex
	at   []time.Time // when each stream ended
	odd  error       // a stream that ended otherwise than it should
}

func newLasting(streams int) (*lastingWorld, error) {
	s := &lastingWorld{wake: make(chan struct{}, streams+1)}
	var err error
	s.issuer, err = claimstest.New(claimstest.Config{URL: "https://lasting.example"})
	if err != nil {
		return nil, err
	}
	keys, err := jwks.Parse(s.issuer.KeySet())
	if err != nil {
		return nil, err
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: s.issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys, Leeway: -1,
	})
	if err != nil {
		return nil, err
	}
	s.ended, err = revocation.NewTable(revocation.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	auth, err := grpcmw.New(verifier, grpcmw.Config{Revocations: s.ended, Policy: grpcmw.Policy{
		testpb.TestService_FullDuplexCall_FullMethodName: claims.Authenticated(),
		testpb.TestService_EmptyCall_FullMethodName:      claims.Authenticated(),
	}})
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer(auth.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, silent{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = server.Serve(listener) }()
	s.closers = append(s.closers, server.Stop)
	s.address = listener.Addr().String()
	conn, err := s.dial()
	s.probed = testpb.NewTestServiceClient(conn)
	return s, err
}

func (s *lastingWorld) dial() (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(s.address,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err == nil {
		s.closers = append(s.closers, func() { _ = conn.Close() })
	}
	return conn, err
}

func (s *lastingWorld) close() {
	for _, f := range slices.Backward(s.closers) {
		f()
	}
	s.closers = nil
}

// silent is a service whose streams wait for their clients.
type silent struct {
	testpb.UnimplementedTestServiceServer
}

func (silent) FullDuplexCall(stream testpb.TestService_FullDuplexCallServer) error {
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	_, err := stream.Recv()
	return err
}

func (silent) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	return &testpb.Empty{}, nil
}

// open opens the streams, each with a token of its own, and waits until their
// handlers run.
func (s *lastingWorld) open(ctx context.Context, streams int) error {
	lifetime := time.Duration(streams)*opening/10 + 15*time.Second
	s.expiry = time.Now().Add(lifetime).Truncate(time.Second)
	for range (streams + perConn - 1) / perConn {
		conn, err := s.dial()
		if err != nil {
			return err
		}
		s.conns = append(s.conns, conn)
	}
	const atOnce = 64
	room, errs := make(chan struct{}, atOnce), make(chan error, streams)
	for i := range streams {
		room <- struct{}{}
		go func() {
			defer func() { <-room }()
			errs <- s.openOne(ctx, i)
		}()
	}
	for range streams {
		if err := <-errs; err != nil {
			return err
		}
	}
	if time.Until(s.expiry) < 3*time.Second {
		return errors.New("the streams took too long to open: their tokens are about to expire")
	}
	return nil
}

func (s *lastingWorld) openOne(ctx context.Context, i int) error {
	session := fmt.Sprint("session-", i)
	if i%oneIn == 0 {
		session = "stolen"
	}
	token := s.issuer.Mint(claimstest.Token{
		Subject: fmt.Sprint("user-", i),
		Claims:  map[string]any{"sid": session, "exp": s.expiry.Unix()},
	})
	stream, err := testpb.NewTestServiceClient(s.conns[i/perConn]).FullDuplexCall(
		metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token))
	if err != nil {
		return err
	}
	if _, err := stream.Header(); err != nil {
		return err
	}
	go func() {
		_, err := stream.Recv()
		want := "The access token has expired."
		if session == "stolen" {
			want = "The access token has been revoked."
		}
		s.mu.Lock()
		if s.at = append(s.at, time.Now()); status.Convert(err).Message() != want && s.odd == nil {
			s.odd = fmt.Errorf("a stream ended with %w", err)
		}
		s.mu.Unlock()
		s.gone.Add(1)
		s.wake <- struct{}{}
	}()
	return nil
}

// await waits until so many streams have ended in all.
func (s *lastingWorld) await(ctx context.Context, count int) error {
	late := time.After(mostLate)
	for int(s.gone.Load()) < count {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return fmt.Errorf("%d of %d streams have ended", s.gone.Load(), count)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.odd
}

// last returns when the last stream ended.
func (s *lastingWorld) last() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.MaxFunc(s.at, time.Time.Compare)
}

// probe makes calls for a while and returns how long each took.
func (s *lastingWorld) probe(ctx context.Context, length time.Duration) (took []time.Duration) {
	token := s.issuer.Mint(claimstest.Token{
		Subject: "prober", Claims: map[string]any{"sid": "prober"},
	})
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	for end := time.Now().Add(length); time.Now().Before(end); {
		start := time.Now()
		if _, err := s.probed.EmptyCall(ctx, &testpb.Empty{}); err == nil {
			took = append(took, time.Since(start))
		}
		<-time.After(betweenCalls)
	}
	slices.Sort(took)
	return took
}

// spread returns the middle and the end of sorted durations.
func spread(took []time.Duration) string {
	if len(took) == 0 {
		return "none"
	}
	at := func(share float64) time.Duration {
		return took[int(float64(len(took)-1)*share)].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %s, p99 %s, max %s", at(0.5), at(0.99), at(1))
}

type weight struct{ goroutines, bytes int }

// weigh returns what the process takes, garbage excluded.
func weigh() weight {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return weight{runtime.NumGoroutine(), int(m.HeapAlloc + m.StackInuse)}
}
