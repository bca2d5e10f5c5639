package grpcmw_test

import (
	"context"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// lives serves streams whose tokens end soon.
type lives struct {
	issuer    *claimstest.Issuer
	auth      *grpcmw.Interceptor
	decisions atomic.Int32 // of streams that their token has ended
	running   atomic.Int32 // handlers
	late      atomic.Int32 // handlers that could say something after the end
	outside   outside
}

const livesMethod = "/lives.Service/"

func newLives(t *testing.T, needs claims.Requirement) *lives {
	t.Helper()
	l := &lives{issuer: claimstest.Start(t, claimstest.Config{})}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: l.issuer.URL(), Audiences: []string{claimstest.Audience}, Leeway: -1,
	})
	require.NoError(t, err)
	policy := grpcmw.Policy{}
	for _, kind := range streamKinds {
		policy[livesMethod+kind.StreamName] = needs
	}
	l.auth, err = grpcmw.New(verifier, grpcmw.Config{Policy: policy, Observer: func(_ context.Context, d claims.Decision) {
		if d.Err != nil && d.Err.Reason() == claims.ReasonExpired {
			l.decisions.Add(1)
		}
	}})
	require.NoError(t, err)
	return l
}

// server returns a server whose handler stands between other interceptors.
func (l *lives) server(handler grpc.StreamHandler) *grpc.Server {
	options := []grpc.ServerOption{grpc.ChainStreamInterceptor(l.outside.intercept)}
	options = append(options, l.auth.ServerOptions()...)
	options = append(options, grpc.ChainStreamInterceptor(
		func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			l.running.Add(1)
			defer l.running.Add(-1)
			err := next(srv, &counting{ServerStream: stream})
			if err == errLate {
				l.late.Add(1)
			}
			return err
		}))
	server := grpc.NewServer(options...)
	server.RegisterService(kindsOf("lives.Service", &seen{}, handler), nil)
	return server
}

// until returns a context whose token is valid that long, to the second.
func (l *lives) until(ctx context.Context, lifetime time.Duration) (context.Context, time.Time) {
	end := time.Now().Add(lifetime).Truncate(time.Second)
	return withAuthorization(ctx, []string{"Bearer " + l.issuer.Mint(claimstest.Token{
		Subject: "alice", Claims: map[string]any{"exp": end.Unix()},
	})}), end
}

func (l *lives) waitForHandlers(t *testing.T) {
	assert.Eventually(t, func() bool { return l.running.Load() == 0 }, testTimeout, 5*time.Millisecond)
}

// outside is an interceptor before the guard, which sees what the guard
// returns.
type outside struct{ ended, expired atomic.Int32 }

func (o *outside) intercept(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler,
) error {
	err := next(srv, &counting{ServerStream: stream})
	o.ended.Add(1)
	if refusal := claims.AsError(err); refusal.Reason() == claims.ReasonExpired {
		o.expired.Add(1)
	}
	return err
}

// counting is a stream of an interceptor, which looks at each call and its
// result.
type counting struct {
	grpc.ServerStream
	sent, received atomic.Int32
}

func (c *counting) SendMsg(m any) error {
	err := c.ServerStream.SendMsg(m)
	c.sent.Add(1)
	return err
}

func (c *counting) RecvMsg(m any) error {
	err := c.ServerStream.RecvMsg(m)
	c.received.Add(1)
	return err
}

// streamUntilItEnds opens a stream, sends nothing, reads nothing before the
// given time, and returns how it ended, and when.
func streamUntilItEnds(ctx context.Context, conn *grpc.ClientConn, kind grpc.StreamDesc, reads time.Time) (at time.Time, ended error) {
	stream, err := conn.NewStream(ctx, &kind, livesMethod+kind.StreamName)
	if err != nil {
		return time.Now(), err
	}
	if !kind.ClientStreams {
		_ = stream.SendMsg(&wrapperspb.StringValue{})
		_ = stream.CloseSend()
	}
	select {
	case <-time.After(time.Until(reads)):
	case <-ctx.Done():
	}
	for {
		if err := stream.RecvMsg(&wrapperspb.StringValue{}); err != nil {
			return time.Now(), err
		}
	}
}

// handlers returns how many goroutines have been started for handlers. Other
// tests must not be running.
func handlers() int {
	var profile strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 2)
	return strings.Count(profile.String(), "grpcmw.(*handling).run(")
}
