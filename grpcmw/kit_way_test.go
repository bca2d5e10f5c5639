package grpcmw_test

import (
	"bytes"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// ways are how a call reaches a server. Each starts what is needed, and returns
// the address for clients and what net/http has logged.
var ways = map[string]func(testing.TB, *grpc.Server) (address string, logged *lines){
	"native":    native,
	"ServeHTTP": func(t testing.TB, s *grpc.Server) (string, *lines) { return overHTTP2(t, s) },
	"proxy": func(t testing.TB, s *grpc.Server) (string, *lines) {
		backend, logged := overHTTP2(t, s)
		proxy := &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(&url.URL{Scheme: "http", Host: backend})
			},
			Transport:     &http.Transport{Protocols: h2c()},
			FlushInterval: -1,
			ErrorLog:      log.New(logged, "proxy: ", 0),
		}
		address, more := overHTTP2(t, proxy)
		logged.also = more
		return address, logged
	},
}

func native(t testing.TB, s *grpc.Server) (string, *lines) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Stop()
		assert.NoError(t, <-done)
	})
	return listener.Addr().String(), &lines{}
}

func overHTTP2(t testing.TB, handler http.Handler) (string, *lines) {
	logged := &lines{}
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = h2c()
	server.Config.ErrorLog = log.New(logged, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), logged
}

func h2c() *http.Protocols {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}

// dial returns a connection, which is closed before the server is.
func dial(t testing.TB, address string, options ...grpc.DialOption) *grpc.ClientConn {
	plain := grpc.WithTransportCredentials(insecure.NewCredentials())
	conn, err := grpc.NewClient(address, append([]grpc.DialOption{plain, scanning(t)}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, conn.Close()) })
	return conn
}

// lines is what was logged.
type lines struct {
	mu     sync.Mutex
	buffer bytes.Buffer
	also   *lines
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

func (l *lines) String() string {
	if l == nil {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String() + l.also.String()
}

// testTimeout is when a call that should have ended has not.
const testTimeout = 30 * time.Second
