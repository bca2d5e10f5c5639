package grpcmw

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
)

var (
	errExpired = claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil)
	errEarly   = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
		errors.New("grpcmw: the handler sent something before it received the first message"))
)

// guardedStream is a stream whose context carries the caller, and which passes no
// message once his token has expired, nor any to the client while the decision waits
// for the client's first.
type guardedStream struct {
	grpc.ServerStream
	ctx     context.Context
	cancel  context.CancelFunc
	by      *Interceptor
	until   time.Time // zero for ever
	pending atomic.Bool
	held    heldMetadata
	refuse  sync.Once
	refusal atomic.Pointer[error]
}

func newGuardedStream(
	stream grpc.ServerStream, ctx context.Context, by *Interceptor,
) *guardedStream {
	s := &guardedStream{ServerStream: stream, ctx: ctx, cancel: func() {}, by: by}
	if by.guard.IsPending(ctx) {
		s.pending.Store(true)
		if transport := grpc.ServerTransportStreamFromContext(ctx); transport != nil {
			s.ctx = grpc.NewContextWithServerTransportStream(ctx, guardedTransport{transport, s})
		}
	}
	if caller, ok := claims.FromContext(ctx); ok && !caller.ValidUntil().IsZero() {
		s.until = caller.ValidUntil()
		// Who waits for something to send learns of the end as well.
		s.ctx, s.cancel = context.WithDeadlineCause(s.ctx, s.until, errExpired)
	}
	return s
}

func (s *guardedStream) Context() context.Context { return s.ctx }

func (s *guardedStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if s.pending.Load() && (err == nil || err == io.EOF) {
		if refusal := s.complete(m, err); refusal != nil {
			return refusal
		}
	}
	if err != nil {
		return err
	}
	return s.mayPass() // it may have waited long
}

func (s *guardedStream) SendMsg(m any) error {
	if err := s.mayAnswer(); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(m)
}

func (s *guardedStream) mayAnswer() error {
	if s.pending.Load() {
		return s.refused(errEarly)
	}
	return s.mayPass()
}

// mayPass returns why no message passes, if so.
func (s *guardedStream) mayPass() error {
	if refusal := s.refusal.Load(); refusal != nil {
		return *refusal
	}
	if s.until.IsZero() || time.Now().Before(s.until) {
		return nil
	}
	return s.refused(errExpired)
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
		return s.refused(err)
	}
	return s.release()
}

// refused returns the status error of the refusal that ended the stream, the first.
func (s *guardedStream) refused(err error) error {
	first := false
	s.refuse.Do(func() { // once, as each time the trailer would grow
		// By the context of the stream itself, where nothing is held back.
		refusal := s.by.Refuse(s.ServerStream.Context(), err)
		s.refusal.Store(&refusal)
		first = true
	})
	if first && (err == errExpired || err == errEarly) {
		s.by.guard.Ended(s.ctx, err)
	}
	return *s.refusal.Load()
}

// ended returns what the client is told when the handler has returned: the refusal, if
// there was one, whatever the handler made of it.
func (s *guardedStream) ended(err error) error {
	if refusal := s.refusal.Load(); refusal != nil {
		return *refusal
	}
	if isContextError(err) && context.Cause(s.ctx) == errExpired { // which it may not know
		return s.refused(errExpired)
	}
	if !s.pending.Load() {
		return err
	}
	if err == nil {
		return s.complete(nil, io.EOF) // it never looked
	}
	// What a handler says is not for everybody; that it could not go on is.
	s.by.guard.Ended(s.ctx, claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, err))
	code := status.Code(err)
	switch code {
	case codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Unimplemented:
	default:
		code = codes.Unavailable
	}
	return status.Error(code, "The call ended before its first message.")
}

func isContextError(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	code := status.Code(err)
	return code == codes.DeadlineExceeded || code == codes.Canceled
}
