package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// probe is one kind of request and what must come of it, as an HTTP status.
type probe struct {
	name string
	want int
	// request returns the token, whether 401 is right as well, and what to do
	// if it was not refused.
	request func(w *world) (token string, mayBe401 bool, accepted func())
}

// probes are sent in turn.
var probes = []probe{
	{"established key", http.StatusOK, func(w *world) (string, bool, func()) {
		return w.issuer.Mint(claimstest.Token{Scope: scope, Key: w.established()}), false, nil
	}},
	{"newest key", http.StatusOK, func(w *world) (string, bool, func()) {
		key, early := w.newest()
		token := w.issuer.Mint(claimstest.Token{Scope: scope, Key: key})
		return token, early, func() { w.accepted(key) }
	}},
	{"scope missing", http.StatusForbidden, func(w *world) (string, bool, func()) {
		return w.issuer.Mint(claimstest.Token{Key: w.established()}), false, nil
	}},
	refused("invented key ID", func(w *world) string {
		return w.issuer.Mint(claimstest.Token{Scope: scope, Header: map[string]any{
			"kid": fmt.Sprint(rand.Uint64()),
		}})
	}),
	refused("other issuer's key", func(w *world) string {
		return w.stranger.Mint(claimstest.Token{Scope: scope, Claims: map[string]any{
			"iss": w.issuer.URL(),
		}})
	}),
	refused("other issuer", func(w *world) string {
		return w.stranger.Mint(claimstest.Token{Scope: scope})
	}),
	refused("expired", func(w *world) string {
		return w.issuer.Mint(claimstest.Token{Scope: scope, Lifetime: -time.Hour})
	}),
	refused("no token", func(*world) string { return "" }),
}

func refused(name string, token func(w *world) string) probe {
	return probe{name, http.StatusUnauthorized, func(w *world) (string, bool, func()) {
		return token(w), false, nil
	}}
}

// transports send one request each and return the outcome as an HTTP status.
var transports = map[string]func(context.Context, *world, *http.Client, string) (int, error){
	"http":   overHTTP,
	"unary":  overUnary,
	"stream": overStream,
}

// drive sends requests until ctx ends; those under way then are finished.
func drive(ctx context.Context, w *world, workers int, result *tally) {
	var wg sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	for name, send := range transports {
		for range workers {
			wg.Go(func() {
				for n := rand.IntN(len(probes)); ctx.Err() == nil; n++ {
					p := probes[n%len(probes)]
					token, mayBe401, accepted := p.request(w)
					began := time.Now()
					got, err := send(context.WithoutCancel(ctx), w, client, token)
					right := err == nil &&
						(got == p.want || mayBe401 && got == http.StatusUnauthorized)
					result.add(name, p.name, got, right, time.Since(began))
					if accepted != nil && got == p.want {
						accepted()
					}
				}
			})
		}
	}
	wg.Wait()
}

func overHTTP(ctx context.Context, w *world, client *http.Client, token string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.httpURL, nil)
	if err != nil {
		return 0, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func overUnary(ctx context.Context, w *world, _ *http.Client, token string) (int, error) {
	_, err := w.client.EmptyCall(withToken(ctx, token), &testpb.Empty{})
	return httpStatus(err), nil
}

func overStream(ctx context.Context, w *world, _ *http.Client, token string) (int, error) {
	ctx, cancel := context.WithCancel(withToken(ctx, token))
	defer cancel()
	stream, err := w.client.FullDuplexCall(ctx)
	if err != nil {
		return httpStatus(err), nil
	}
	// A refusal may have ended the stream already: Recv tells.
	_ = stream.Send(&testpb.StreamingOutputCallRequest{})
	if _, err = stream.Recv(); err != nil {
		return httpStatus(err), nil
	}
	if err := stream.CloseSend(); err != nil {
		return 0, err
	}
	if _, err = stream.Recv(); !errors.Is(err, io.EOF) {
		return httpStatus(err), nil
	}
	return http.StatusOK, nil
}

func withToken(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

func httpStatus(err error) int {
	switch status.Code(err) {
	case codes.OK:
		return http.StatusOK
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// usage is what the process holds.
type usage struct {
	heap       uint64
	goroutines int
}

// measure runs load, which must end with ctx, and returns what is in use a
// quarter of the way in and shortly before the end.
func measure(ctx context.Context, length time.Duration, load func()) (used [2]usage) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		load()
	}()
	for n, after := range []time.Duration{length / 4, length*3/4 - length/20} {
		select {
		case <-ctx.Done():
		case <-time.After(after):
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		used[n] = usage{m.HeapAlloc, runtime.NumGoroutine()}
	}
	<-done
	return used
}
