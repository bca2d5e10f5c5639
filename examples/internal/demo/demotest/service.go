// Package demotest has what the tests of the example services have in common.
package demotest

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Timeout is for what takes no time unless it fails.
const Timeout = 20 * time.Second

// Run runs a program, as [demo.Program.Run] does.
type Run func(ctx context.Context, args []string, stdout, stderr io.Writer) int

// Service is a service that runs in this process, on ports of its own.
type Service struct {
	Greeting string
	URL      string // of the HTTP API
	Target   string // of the gRPC API
	Issuer   string // its first
	Stop     func() // drains, and waits for the end

	stderr bytes.Buffer
}

var readyLine = regexp.MustCompile(`\Aready http=(\S+) grpc=(\S+) issuer=(\S+)`)

// Start starts a service, until the test ends at the latest.
func Start(t *testing.T, run Run, flags ...string) *Service {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{}
	stdout := make(firstWrite, 1)
	exited := make(chan int, 1)
	go func() { exited <- run(ctx, append(FreePorts(), flags...), stdout, &s.stderr) }()
	stopped := false
	s.Stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case code := <-exited:
			assert.Zero(t, code, s.stderr.String())
		case <-time.After(Timeout):
			assert.Fail(t, "the service does not end")
		}
	}
	select {
	case s.Greeting = <-stdout:
	case code := <-exited:
		cancel()
		require.FailNow(t, "the service did not start", "exit code %d: %s", code, s.stderr.String())
	}
	t.Cleanup(s.Stop)
	ready := readyLine.FindStringSubmatch(s.Greeting)
	require.NotNil(t, ready, s.Greeting)
	s.URL, s.Target, s.Issuer = "http://"+ready[1], ready[2], ready[3]
	return s
}

// Log returns what the service wrote to stderr. It must have been stopped.
func (s *Service) Log() string { return s.stderr.String() }

// FreePorts are flags by which a service takes ports that nobody else has.
func FreePorts() []string {
	const addr = "127.0.0.1:0"
	return []string{"-http", addr, "-grpc", addr, "-dev-issuer", addr}
}

// firstWrite is a writer that keeps what is written first.
type firstWrite chan string

func (w firstWrite) Write(p []byte) (int, error) {
	select {
	case w <- string(p):
	default:
	}
	return len(p), nil
}

// Dial connects to the gRPC API, until the test ends.
func (s *Service) Dial(t *testing.T, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(s.Target, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	return conn
}

// Bounded is the context of what must not make a test that fails hang.
func Bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Timeout)
	t.Cleanup(cancel)
	return ctx
}
