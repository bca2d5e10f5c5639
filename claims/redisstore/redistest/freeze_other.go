//go:build !unix

package redistest

// Freeze skips the test: there are no signals here.
func (s *Server) Freeze() { s.tb.Skip("redistest: no process can be frozen here") }

// Thaw does nothing, as nothing is frozen.
func (s *Server) Thaw() {}
