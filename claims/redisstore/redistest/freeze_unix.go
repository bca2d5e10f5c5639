//go:build unix

package redistest

import "syscall"

// Freeze stops the server's process, which keeps its connections and says
// nothing, until Thaw. Where there are no signals the test is skipped.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw has a frozen server go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.command == nil {
		s.tb.Fatal("redistest: the server is stopped")
	}
	if err := s.command.Process.Signal(sig); err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
}
