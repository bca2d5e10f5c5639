package grpcmw_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// scan looks through what clients are told: serve, serving and dial, by which
// the tests call, look through each call. A call that fails tells no part of a
// credential that was sent, and no text of the library's own errors.
type scan struct {
	mu    sync.Mutex
	found []string
}

// scanning returns an option for connections whose calls are looked through.
func scanning(t testing.TB) grpc.DialOption {
	s := &scan{}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		assert.Empty(t, s.found, "told to clients")
	})
	return grpc.WithStatsHandler(s)
}

// scannedCall is what is known of a call.
type scannedCall struct {
	mu         sync.Mutex
	sent, told strings.Builder
}

type scannedKey struct{}

func (s *scan) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, scannedKey{}, &scannedCall{})
}

func (s *scan) HandleRPC(ctx context.Context, event stats.RPCStats) {
	call := ctx.Value(scannedKey{}).(*scannedCall)
	call.mu.Lock()
	defer call.mu.Unlock()
	switch event := event.(type) {
	case *stats.OutHeader:
		write(&call.sent, event.Header)
	case *stats.InHeader:
		write(&call.told, event.Header)
	case *stats.InTrailer:
		write(&call.told, event.Trailer)
	case *stats.End:
		if event.Error != nil {
			fmt.Fprint(&call.told, status.Convert(event.Error).Proto())
			s.look(call)
		}
	}
}

func write(b *strings.Builder, md metadata.MD) {
	for key, values := range md {
		if key != "user-agent" && key != "grpc-status-details-bin" {
			fmt.Fprintln(b, key, values)
		}
	}
}

func (s *scan) look(call *scannedCall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := call.told.String()
	secrets := strings.FieldsFunc(call.sent.String(), func(r rune) bool {
		return strings.ContainsRune(" \n.,;:[]", r)
	})
	for _, secret := range secrets {
		if len(secret) >= 20 && strings.Contains(told, secret) { // longer than the words of a refusal
			s.found = append(s.found, secret+" in "+told)
		}
	}
	for _, text := range []string{"claims:", "jwks:", "grpcmw:", "httpauth:", "goroutine ", ".go:", "hunter2"} {
		if strings.Contains(told, text) {
			s.found = append(s.found, text+" in "+told)
		}
	}
}

func (s *scan) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (s *scan) HandleConn(context.Context, stats.ConnStats)                       {}
