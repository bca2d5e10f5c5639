package grpcmw

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// heldMetadata is what the handler of a stream says in headers and trailers
// before the decision about it: a caller who is refused is not told.
type heldMetadata struct {
	// Guards the fields below, and is locked while anything is set on the
	// stream below, which none of these calls can block: so none is under way
	// once a refusal has been stored.
	mu              sync.Mutex
	header, trailer metadata.MD
}

// release lets the stream pass, with what was held back.
func (s *guardedStream) release() error {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	defer s.pending.Store(false)
	if s.held.trailer != nil {
		s.ServerStream.SetTrailer(s.held.trailer)
	}
	if s.held.header == nil {
		return nil
	}
	return s.ServerStream.SetHeader(s.held.header)
}

func (s *guardedStream) SetHeader(header metadata.MD) error {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	if s.pending.Load() {
		s.held.header = metadata.Join(s.held.header, header)
		return nil
	}
	return s.ServerStream.SetHeader(header)
}

func (s *guardedStream) SendHeader(header metadata.MD) error {
	if err := s.mayAnswer(); err != nil {
		return err
	}
	return s.ServerStream.SendHeader(header)
}

func (s *guardedStream) SetTrailer(trailer metadata.MD) {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	switch {
	case s.refusal.Load() != nil:
	case s.pending.Load():
		s.held.trailer = metadata.Join(s.held.trailer, trailer)
	default:
		s.ServerStream.SetTrailer(trailer)
	}
}

// guardedTransport keeps [grpc.SetHeader], [grpc.SendHeader] and
// [grpc.SetTrailer], which look for the stream in the context, from going
// round it while it waits.
type guardedTransport struct {
	grpc.ServerTransportStream
	stream *guardedStream
}

func (t guardedTransport) SetHeader(header metadata.MD) error { return t.stream.SetHeader(header) }

func (t guardedTransport) SendHeader(header metadata.MD) error {
	return t.stream.SendHeader(header)
}

func (t guardedTransport) SetTrailer(trailer metadata.MD) error {
	t.stream.SetTrailer(trailer)
	return nil
}
