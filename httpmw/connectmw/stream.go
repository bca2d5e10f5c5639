package connectmw

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"connectrpc.com/connect"

	"github.com/sallyport-go/sallyport/claims"
)

// guardedConn is a stream that passes no message once its caller may not go on,
// nor any to the client while the decision waits for the client's first.
type guardedConn struct {
	connect.StreamingHandlerConn
	by       *Interceptor
	ctx      context.Context
	withdraw context.CancelCauseFunc // ends ctx
	early    *early
	hold     *claims.Hold
	refuse   sync.Once
	refusal  atomic.Pointer[claims.Error]
}

// serve runs the handler of a stream whose caller was let through, or may be
// once the first message is there.
func (i *Interceptor) serve(
	ctx context.Context, e *early, conn connect.StreamingHandlerConn,
	next connect.StreamingHandlerFunc,
) error {
	s := &guardedConn{StreamingHandlerConn: conn, by: i, early: e}
	ctx, s.withdraw = context.WithCancelCause(ctx)
	defer s.withdraw(nil)
	s.ctx = ctx
	s.hold = i.guard.Hold(ctx, func(why *claims.Error) { _ = s.finish(why) })
	defer s.hold.Release()
	err := next(ctx, s)
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	if over := s.hold.Err(); over != nil {
		return s.end(over)
	}
	if !i.guard.IsPending(ctx) {
		return err
	}
	if err == nil { // it never looked
		return i.guard.Complete(ctx, nil)
	}
	if refusal := refusalIn(err); refusal != nil {
		return i.guard.Ended(ctx, refusal)
	}
	// What a handler says is not for everybody.
	return i.guard.Ended(ctx, claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, err))
}

func (s *guardedConn) Receive(message any) error {
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	err := s.StreamingHandlerConn.Receive(message)
	if s.by.guard.IsPending(s.ctx) && (err == nil || errors.Is(err, io.EOF)) {
		if refusal := s.complete(message, err); refusal != nil {
			return refusal
		}
	}
	// It may have waited long, or been woken by the end of the token.
	if refusal := s.mayPass(); refusal != nil {
		return refusal
	}
	return err
}

func (s *guardedConn) Send(message any) error {
	if s.by.guard.IsPending(s.ctx) {
		return s.end(errEarly)
	}
	if err := s.mayPass(); err != nil {
		return err
	}
	return s.StreamingHandlerConn.Send(message)
}

var errEarly = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
	errors.New("connectmw: the handler sent something before it received the first message"))

// complete decides by the first message, or that there is none.
func (s *guardedConn) complete(message any, received error) error {
	if err := s.mayPass(); err != nil {
		return err
	}
	if received != nil {
		message = nil
	}
	if err := s.by.guard.Complete(s.ctx, message); err != nil {
		s.refuse.Do(func() { s.refusal.Store(claims.AsError(err)) })
		return err
	}
	return nil
}

// mayPass returns why no message passes, nil if one does. Errors are of type
// error, so that none is a nil pointer.
func (s *guardedConn) mayPass() error {
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	if over := s.hold.Pass(s.ctx); over != nil {
		return s.finish(over)
	}
	return nil
}

// finish ends the stream wherever its handler is: what waits for the client,
// and other goroutines of the handler, learn of it too.
func (s *guardedConn) finish(why *claims.Error) error {
	refusal := s.end(why)
	s.withdraw(refusal)
	s.early.interrupt()
	return refusal
}

// end refuses a stream that was let through, and has that recorded. It returns
// the refusal that ended the stream, the first.
func (s *guardedConn) end(err *claims.Error) error {
	s.refuse.Do(func() {
		s.refusal.Store(claims.AsError(s.by.guard.Ended(s.ctx, err)))
	})
	return s.refusal.Load()
}
