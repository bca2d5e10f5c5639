package grpcmw

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
)

var errEarly = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
	errors.New("grpcmw: the handler sent something before it received the first message"))

// guardedStream is a stream whose context carries the caller. It passes no
// message once the caller's token has expired or was revoked, nor any to the
// client while the decision waits for the client's first; while messages pass,
// it asks whether they still may. After a refusal it leaves the stream below
// alone, as the call may be over.
type guardedStream struct {
	grpc.ServerStream
	ctx      context.Context
	withdraw context.CancelCauseFunc // ends ctx
	by       *Interceptor
	hold     *claims.Hold
	over     chan struct{} // closed when the stream has been ended
	pending  atomic.Bool
	held     heldMetadata
	refuse   sync.Once
	refusal  atomic.Pointer[refusedError] // stored under held.mu
	finished sync.Once
}

func newGuardedStream(
	stream grpc.ServerStream, ctx context.Context, by *Interceptor,
) *guardedStream {
	s := &guardedStream{ServerStream: stream, by: by, over: make(chan struct{})}
	s.ctx, s.withdraw = context.WithCancelCause(ctx)
	if by.guard.IsPending(ctx) {
		s.pending.Store(true)
		if transport := grpc.ServerTransportStreamFromContext(ctx); transport != nil {
			s.ctx = grpc.NewContextWithServerTransportStream(s.ctx, guardedTransport{transport, s})
		}
	}
	s.hold = by.guard.Hold(ctx, func(why *claims.Error) { s.finish(why) })
	return s
}

// close lets go of the stream.
func (s *guardedStream) close() {
	s.hold.Release()
	s.withdraw(nil)
}

func (s *guardedStream) Context() context.Context { return s.ctx }

func (s *guardedStream) RecvMsg(m any) error {
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	err := s.ServerStream.RecvMsg(m)
	if s.pending.Load() && (err == nil || err == io.EOF) {
		if refusal := s.complete(m, err); refusal != nil {
			return refusal
		}
	}
	// It may have waited long, or been woken by the end of the call.
	if refusal := s.mayPass(); refusal != nil {
		return refusal
	}
	return err
}

func (s *guardedStream) SendMsg(m any) error {
	if err := s.mayAnswer(); err != nil {
		return err
	}
	err := s.ServerStream.SendMsg(m)
	if err != nil {
		if refusal := s.refusal.Load(); refusal != nil {
			return refusal
		}
	}
	return err
}

func (s *guardedStream) mayAnswer() error {
	if s.pending.Load() {
		return s.end(errEarly)
	}
	return s.mayPass()
}

// mayPass returns why no message passes, if so.
func (s *guardedStream) mayPass() error {
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	if over := s.hold.Pass(s.ctx); over != nil {
		return s.finish(over)
	}
	return nil
}

// complete decides by the first message, or that there is none.
func (s *guardedStream) complete(m any, received error) error {
	if err := s.mayPass(); err != nil {
		return err
	}
	if received != nil {
		m = nil
	}
	if err := s.by.guard.Complete(s.ctx, m); err != nil {
		return s.refused(func() error { return err })
	}
	return s.release()
}

// end refuses a stream that was let through, and has that recorded. It returns
// the refusal that ended the stream, the first.
func (s *guardedStream) end(err *claims.Error) *refusedError {
	return s.refused(func() error { return s.by.guard.Ended(s.ctx, err) })
}

// refused refuses the stream for what why returns, if it is the first.
func (s *guardedStream) refused(why func() error) *refusedError {
	s.refuse.Do(func() { // once, as each time the header would grow
		// By the context of the stream itself, where nothing is held back.
		refusal := s.by.refuse(s.ServerStream.Context(), why())
		s.held.mu.Lock() // no header or trailer of the handler's comes later
		defer s.held.mu.Unlock()
		s.refusal.Store(refusal)
	})
	return s.refusal.Load()
}

// ended returns what the client is told when the handler has returned: the
// refusal, if there was one, whatever the handler made of it.
func (s *guardedStream) ended(err error) error {
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	if over := s.hold.Err(); over != nil { // which the handler may not know, or say its own way
		return s.end(over)
	}
	if !s.pending.Load() {
		return err
	}
	if err == nil {
		return s.complete(nil, io.EOF) // it never looked
	}
	if refusal := refusalIn(err); refusal != nil {
		return s.end(refusal)
	}
	// What a handler says is not for everybody; that it could not go on is.
	_ = s.by.guard.Ended(s.ctx, claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, err))
	code := status.Code(err)
	switch code {
	case codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Unimplemented:
	default:
		code = codes.Unavailable
	}
	return status.Error(code, "The call ended before its first message.")
}
