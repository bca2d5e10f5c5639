// Package redistest starts a Redis or Valkey server for tests: a real one, that
// a test can stop, start again and empty.
//
// It runs the program that SALLYPORT_REDIS in the environment names, such as
// "redis-server"; where that is not set, the test is skipped.
package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Variable is the environment variable that names the server's program.
const Variable = "SALLYPORT_REDIS"

// patience is how long a server may take to start: machines are busy.
const patience = 30 * time.Second

// Server is a server on a loopback address, which keeps nothing on disk. It
// ends with the test. It is safe for concurrent use.
type Server struct {
	tb      testing.TB
	program string
	dir     string
	port    string

	mu      sync.Mutex // guards command
	command *exec.Cmd  // nil while it is stopped
}

// Start starts a server, or skips the test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	program := os.Getenv(Variable)
	if program == "" {
		tb.Skip(Variable + " is not set: it names the program of a Redis server " +
			"(make test-redis installs one and sets it)")
	}
	path, err := exec.LookPath(program)
	if err != nil {
		tb.Fatalf("redistest: %s=%s: %v", Variable, program, err)
	}
	s := &Server{tb: tb, program: path, dir: tb.TempDir()}
	tb.Cleanup(s.Stop)
	const attempts = 5 // another process may take the port meanwhile
	for range attempts {
		s.port = freePort(tb)
		if err = s.start(); err == nil {
			return s
		}
	}
	tb.Fatalf("redistest: %v", err)
	return nil
}

// URL returns where the server is, "redis://127.0.0.1:PORT".
func (s *Server) URL() string { return "redis://127.0.0.1:" + s.port }

// Stop kills the server, with all that it holds.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
	s.command = nil
}

// Restart starts a server that was stopped, empty, at the same place.
func (s *Server) Restart() {
	s.tb.Helper()
	if err := s.start(); err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.command != nil {
		return nil
	}
	log := filepath.Join(s.dir, "server.log")
	command := exec.Command(s.program, "--bind", "127.0.0.1", "--port", s.port,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", log, "--dir", s.dir)
	if err := command.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if s.answers() {
			s.command = command
			return nil
		}
		time.Sleep(20 * time.Millisecond) // of the poll; nothing depends on it
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	text, _ := os.ReadFile(log)
	return fmt.Errorf("the server does not start: %s", text)
}

func (s *Server) answers() bool {
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+s.port, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	buffer := make([]byte, len("+PONG"))
	_, err = conn.Read(buffer)
	return err == nil && bytes.Equal(buffer, []byte("+PONG"))
}

func freePort(tb testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	return port
}
