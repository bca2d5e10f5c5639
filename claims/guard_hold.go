package claims

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/lasting"
)

// askAgainEvery is how long a request lasts before its Authenticator is asked
// again whether the token still counts, if it can be.
const askAgainEvery = 5 * time.Second

// Hold is a request that lasts: a stream, or a response that goes on. It ends
// with its token, when [Revocations] have news of that, and when an
// Authenticator that has a Recheck of its own says so, which is asked every few
// seconds. [Guard.Hold] makes one. It is safe for concurrent use.
type Hold struct {
	item   lasting.Item
	call   *call
	end    func(refusal *Error)
	asking atomic.Bool // whether the token still counts

	asked   lastAsked
	ends    atomic.Pointer[ending]
	refusal atomic.Pointer[Error]
	mu      sync.Mutex // held while end runs
	over    bool       // or released
}

// ending is when something ends, and why.
type ending struct {
	at  time.Time // zero for never
	why *Error
}

// Hold has end called once, when a request that lasts has to end: its token has
// expired, unless the operation is one of [MayOutlive], or was revoked. ctx is
// what [Guard.Authorize] returned, or made of it. The refusal says why;
// [Guard.Ended] has it recorded.
//
// end is called on another goroutine, that of nobody's, and must not block, as
// others wait to end. It is not called once [Hold.Release] has returned, which
// has to be called when the request is over. Nothing but the Hold is kept for a
// request that is open: no goroutine and no timer, but for a moment where an
// Authenticator is asked.
func (g *Guard) Hold(ctx context.Context, end func(refusal *Error)) *Hold {
	h := &Hold{call: g.callIn(ctx), end: end}
	h.asked.opened = time.Now()
	h.item.Look = h.look
	if h.call == nil {
		return h
	}
	ends := h.update()
	if ends.at.IsZero() && g.revocations == nil && !h.asks() {
		return h
	}
	g.open.Add(&h.item, h.next(ends))
	h.call.held.Store(&h.item)
	if h.call.anyRevoked() != nil { // since it was authorized
		go h.look()
	}
	return h
}

// Ends reports whether anything may end the request.
func (h *Hold) Ends() bool { return h.call != nil && h.call.held.Load() == &h.item }

// Err returns why the request has ended, nil if it goes on. It is as exact as
// the clock, and may be there before end is called.
func (h *Hold) Err() *Error {
	if refusal := h.refusal.Load(); refusal != nil {
		return refusal
	}
	if ends := h.ends.Load(); ends != nil && !ends.at.IsZero() && !time.Now().Before(ends.at) {
		return ends.why
	}
	return nil
}

// Pass returns why nothing may pass any more, nil if something may: a message,
// a part of a response. If a second has gone by since it was asked last, it
// asks anew whether the caller may go on, by [Guard.Recheck], and of several at
// a time it is one that waits for the answer. That it cannot be told, as in an
// outage, ends nothing.
func (h *Hold) Pass(ctx context.Context) *Error {
	if over := h.Err(); over != nil {
		return over
	}
	if h.call == nil || !h.asked.isDue(time.Now()) {
		return nil
	}
	defer h.asked.done()
	if err := h.call.guard.Recheck(ctx); err != nil {
		if refusal := AsError(err); refusal.class != ErrUnavailable {
			return refusal
		}
	}
	return nil
}

// Release says that the request is over. If end is running it waits for it, so
// end must not call it.
func (h *Hold) Release() {
	if h.Ends() {
		h.call.guard.open.Remove(&h.item)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
}

// update finds out when the request ends.
func (h *Hold) update() *ending {
	ends := &ending{}
	if !h.call.operation.Requirement.MayOutlive() {
		ends.at, ends.why = h.call.lasts()
	}
	h.ends.Store(ends)
	return ends
}

// look ends the request if it has to.
func (h *Hold) look() {
	if h.refusal.Load() != nil {
		return
	}
	ends, err := h.update(), h.call.anyRevoked()
	switch {
	case err != nil && AsError(err).class != ErrUnavailable:
		h.finish(AsError(err))
	case !ends.at.IsZero() && !time.Now().Before(ends.at):
		h.finish(ends.why)
	default:
		if h.asks() && h.asking.CompareAndSwap(false, true) {
			go h.ask() // it may wait for a network
		}
		h.call.guard.open.Move(&h.item, h.next(ends))
	}
}

// asks reports whether somebody can be asked again about a token.
func (h *Hold) asks() bool { return h.call.guard.asksAny }

// next returns when to look at the request again.
func (h *Hold) next(ends *ending) time.Time {
	if !h.asks() {
		return ends.at
	}
	at := time.Now().Round(0).Add(askAgainEvery)
	if !ends.at.IsZero() && ends.at.Before(at) {
		return ends.at
	}
	return at
}

// ask ends the request if its token does not count any more. That it cannot be
// told, as in an outage, ends none.
func (h *Hold) ask() {
	defer h.asking.Store(false)
	if until, _ := h.call.lasts(); !until.IsZero() && !time.Now().Before(until) {
		return // one of MayOutlive: nothing is left to ask of the token
	}
	if err := h.call.askAgain(); err != nil && AsError(err).class != ErrUnavailable {
		h.finish(AsError(err))
	}
}

// askAgain asks the Authenticators that can be asked whether the tokens still
// count that what was decided rests on.
func (c *call) askAgain() error {
	if c.guard.asksAgain && !c.anonymous {
		if err := c.recheckToken(c); err != nil {
			return err
		}
	}
	for s := c.seconds.all(); s != nil; s = s.before {
		over := s.met.Load()
		if over == nil || s.anonymous || s.guard == nil || !s.guard.asksAgain {
			continue
		}
		err := s.recheckToken(c)
		if err == nil {
			continue
		}
		if refusal := AsError(err); refusal.class != ErrUnavailable {
			return over.because(refusal)
		}
		return err
	}
	return nil
}

func (h *Hold) finish(refusal *Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	h.over = true
	h.refusal.Store(refusal)
	h.call.guard.panics.Call(foreign.Name("claims: the function given to Guard.Hold"), func() {
		h.end(refusal)
	})
}

// lasts returns until when what was decided holds by itself, until the first of
// the tokens that it rests on is not accepted any more, and the refusal for
// then. The time is zero for ever. Of a request that is pending it may be an
// earlier time once that is decided.
func (c *call) lasts() (until time.Time, over *Error) {
	if !c.anonymous {
		until, over = (&Claims{c.current()}).ValidUntil(), errExpired
	}
	return c.seconds.earlier(until, over)
}

// anyRevoked returns the refusal of a token that what was decided rests on and
// that has ended, nil if none has.
func (c *call) anyRevoked() error {
	if err := c.revoked(); err != nil {
		return err
	}
	for s := c.seconds.all(); s != nil; s = s.before {
		over := s.met.Load()
		if over == nil {
			continue
		}
		if err := s.revoked(); err != nil {
			if refusal := AsError(err); refusal.class != ErrUnavailable {
				return over.because(refusal)
			}
			return err
		}
	}
	return nil
}

// recheckEvery is how long something passes before it is asked again whether it
// may.
const recheckEvery = time.Second

// lastAsked is when it was asked last.
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
