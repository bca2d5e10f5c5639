package claims

import (
	"context"
	"errors"
	"time"
)

var errNoSecond = NewError(ErrForbidden, ReasonPermission, errors.New(
	"claims: the requirement asks for a second credential that no Config names"))

// second returns the call of a second credential, which is verified once for a
// request.
func (q *query) second(s *second) (*secondCall, error) {
	main := q.main
	if known := main.seconds.named(s.name); known != nil {
		return known, nil
	}
	if q.quiet {
		return nil, errPermission
	}
	if main.seconds == nil || main.seconds.find == nil || main.guard == nil ||
		main.guard.second[s.name] == nil {
		return nil, errNoSecond
	}
	guard := main.guard.second[s.name]
	credentials, err := main.seconds.find(s.name)
	if err != nil && !Absent(err) {
		return nil, AsError(err)
	}
	c := &secondCall{name: s.name}
	c.Context, c.guard, c.operation = main.Context, guard, main.operation
	c.anonymous = err != nil || credentials.isNone()
	c.caller = Claims{noFacts}
	if !c.anonymous {
		facts, refusal := guard.authenticate(q.ctx, credentials)
		if refusal != nil {
			return nil, refusal
		}
		c.caller = Claims{facts}
		if guard.asksAgain {
			c.token = credentials.Token
		}
	}
	return main.seconds.add(c), nil
}

// checkSecond checks what a second credential needs of its caller.
func (q *query) checkSecond(c *secondCall, s *second) error {
	err := c.revoked()
	if err == nil && q.again {
		err = c.holds(q.ctx, time.Now())
	}
	if err != nil {
		return err
	}
	of := c.query(q.ctx)
	defer of.release()
	of.main, of.found = q.main, q.found
	of.pending, of.quiet, of.untold, of.tried, of.again =
		q.pending, q.quiet, q.untold, q.tried, q.again
	err = s.needs.decide(of)
	q.awaited = q.awaited || of.awaited
	q.from(of.origin)
	if q.reported == nil && of.reported != nil {
		q.reported = of.reported.ofSecond(s)
	}
	if err != nil {
		return err
	}
	q.found = of.found
	if !q.quiet && !q.tried {
		c.met.Store(s.over)
	}
	return nil
}

// earlier returns the first of a time, at which something is over for a reason,
// and the ends of the credentials.
func (s *seconds) earlier(until time.Time, over *Error) (time.Time, *Error) {
	for c := s.all(); c != nil; c = c.before {
		end, expired := c.caller.ValidUntil(), c.met.Load()
		if c.anonymous || expired == nil || end.IsZero() {
			continue
		}
		if until.IsZero() || end.Before(until) {
			until, over = end, expired
		}
	}
	return until, over
}

// SecondFromContext returns the claims of the caller whose second credential of
// that name the request has. It reports false unless the operation, or an
// [Allowed] since, needed the credential by a [Second] that was met: what
// nobody asked for was not looked at. Of several guards it is the innermost
// that counts.
func SecondFromContext(ctx context.Context, name string) (*Claims, bool) {
	for c := callIn(ctx); c != nil; c = c.outer {
		if s := c.seconds.named(name); s != nil {
			if s.anonymous || s.met.Load() == nil {
				return nil, false
			}
			return &s.caller, true
		}
	}
	return nil, false
}

// NewSecondContext returns a context that carries the caller of a second
// credential as well, for a test of a handler: [SecondFromContext] finds them,
// and a [Second] in [Allowed] asks about them. A nil caller stands for no
// credential.
func NewSecondContext(ctx context.Context, name string, caller *Claims) context.Context {
	c := &call{Context: ctx, caller: Claims{noFacts}, anonymous: true}
	s := &secondCall{name: name}
	if before := callIn(ctx); before != nil {
		c = newCall(ctx, &before.caller)
		c.anonymous = before.anonymous
		s.before = before.seconds.all()
		if c.guard != nil {
			s.guard = c.guard.second[name]
		}
	}
	s.Context, s.operation = ctx, c.operation
	s.caller, s.anonymous = Claims{caller.of()}, caller == nil
	s.met.Store(errExpired)
	c.seconds = new(seconds)
	c.seconds.last.Store(s)
	return c
}
