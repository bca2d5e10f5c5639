package grpcmw

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/claims"
)

// finish ends the stream for a refusal. It returns that which ended it, the
// first.
func (s *guardedStream) finish(why *claims.Error) *refusedError {
	refusal := s.end(why)
	s.finished.Do(func() {
		s.withdraw(refusal.refusal) // a handler that waits must learn of it too
		close(s.over)
	})
	return refusal
}

// run calls the handler of the stream. It returns when the handler does, and no
// later than the stream has to end, wherever the handler is then: blocked in a
// call of the stream, which nothing but the end of the call ends, or in
// anything else. Only a stream that something may end costs a goroutine.
func (s *guardedStream) run(srv any, handler grpc.StreamHandler) error {
	if !s.hold.Ends() {
		return s.ended(handler(srv, s))
	}
	h := &handling{done: make(chan struct{})}
	go h.run(s.ctx, func() error { return s.ended(handler(srv, s)) })
	if !s.awaits(h) {
		return s.refusal.Load()
	}
	switch {
	case h.panicked != nil:
		panic(h.panicked) // here, where interceptors outside can recover it
	case !h.returned:
		runtime.Goexit()
	}
	return h.err
}

// handling is a handler that runs in a goroutine of its own.
type handling struct {
	settled atomic.Bool   // it has ended, or nobody waits for it any more
	done    chan struct{} // closed when it has ended; guards the fields below

	err      error // what it returned
	returned bool  // or else it has panicked, or called runtime.Goexit
	panicked *handlerPanic
}

func (h *handling) run(ctx context.Context, handler func() error) {
	defer close(h.done)
	defer func() {
		if !h.returned {
			h.panicked = panicOf(recover())
		}
		awaited := h.settled.CompareAndSwap(false, true)
		if !awaited && h.panicked != nil {
			slog.ErrorContext(ctx, "grpcmw: a handler panicked after its stream had ended",
				"panic", fmt.Sprint(h.panicked.value), "stack", string(h.panicked.stack))
		}
	}()
	h.err = handler()
	h.returned = true
}

// awaits waits for the end of the handler and reports whether it came before
// that of the stream. A handler whose client has gone has until then to notice.
func (s *guardedStream) awaits(h *handling) bool {
	select {
	case <-h.done:
		return true
	case <-s.over:
	}
	if h.settled.CompareAndSwap(false, true) {
		return false
	}
	<-h.done // at the same time
	return true
}

// handlerPanic is what a handler has panicked with, and where. It is an error
// that wraps the value, if that is one.
type handlerPanic struct {
	value any
	stack []byte
}

// panicOf returns what the panic of this value was, nil for none. It is called
// by the function that recovers.
func panicOf(value any) *handlerPanic {
	if value == nil {
		return nil
	}
	if p, ok := value.(*handlerPanic); ok { // of a guard inside, which knows where
		return p
	}
	return &handlerPanic{value, debug.Stack()}
}

func (p *handlerPanic) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

func (p *handlerPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
