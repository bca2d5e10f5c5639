package grpcmw

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// recheckEvery is how long messages of a stream pass before it is asked again
// whether they may.
const recheckEvery = time.Second

// lastAsked is when it was asked last whether messages may pass.
type lastAsked struct {
	opened time.Time
	after  atomic.Int64 // from opened, in nanoseconds; beingAsked for now
}

const beingAsked = math.MaxInt64

// isDue reports whether the caller has to ask, and then call done: of several
// at a time it is one.
func (l *lastAsked) isDue(now time.Time) bool {
	after := l.after.Load()
	return after != beingAsked && now.Sub(l.opened)-time.Duration(after) > recheckEvery &&
		l.after.CompareAndSwap(after, beingAsked)
}

func (l *lastAsked) done() { l.after.Store(int64(time.Since(l.opened))) }

// ask ends the stream if its caller may not any more. That it cannot be told,
// as in an outage, ends none.
func (s *guardedStream) ask() error {
	defer s.asked.done()
	err := s.by.guard.Recheck(s.ctx)
	if err == nil || claims.AsError(err).Class() == claims.ErrUnavailable {
		return nil
	}
	return s.finish(claims.AsError(err)) // other goroutines of the handler learn of it too
}
