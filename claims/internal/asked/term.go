package asked

import (
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

// State is how far an answer is to be relied on.
type State int

// The states.
const (
	Expired State = iota // not at all
	Due                  // yes, and the next is to be asked for ahead
	Fresh                // yes
)

// Term is how long an answer is relied on. It expires when either clock says
// so. The zero Term has expired. It is safe for concurrent use.
type Term struct{ span atomic.Pointer[span] }

// span is immutable.
type span struct{ due, until clock.Instant }

// Begin relies on the answer from now on: it is due, and expires, after these
// times.
func (t *Term) Begin(now clock.Instant, due, expires time.Duration) {
	t.span.Store(&span{now.Add(due), now.Add(expires)})
}

// Asked says that the next answer is asked for, so it is not due before it
// expires.
func (t *Term) Asked() {
	if s := t.span.Load(); s != nil {
		t.span.Store(&span{s.until, s.until})
	}
}

// Failed says that there was no next answer: it is due again after that time,
// and expires when it would.
func (t *Term) Failed(now clock.Instant, retry time.Duration) {
	if s := t.span.Load(); s != nil {
		t.span.Store(&span{now.Add(retry), s.until})
	}
}

// State returns the state at an instant. A nil Term has expired.
func (t *Term) State(now clock.Instant) State {
	if t == nil {
		return Expired
	}
	s := t.span.Load()
	switch {
	case s == nil || now.Reached(s.until):
		return Expired
	case now.Reached(s.due):
		return Due
	}
	return Fresh
}
