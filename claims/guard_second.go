package claims

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// secondFaults returns what is wrong with GuardConfig.Second.
func secondFaults(auths map[string]Authenticator) []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(auths)) {
		if fault := secondNameFault(name); fault != "" {
			errs = append(errs, fmt.Errorf("Config.Second has %q, which %s", name, fault))
		}
		if fault := faultOf(auths[name]); fault != "" {
			errs = append(errs, fmt.Errorf("Config.Second[%q]: its Authenticator %s", name, fault))
		}
	}
	return errs
}

// guardsOf returns a guard for each second credential, which shares all but the
// Authenticator with g.
func (g *Guard) guardsOf(auths map[string]Authenticator) map[string]*Guard {
	if len(auths) == 0 {
		return nil
	}
	guards := make(map[string]*Guard, len(auths))
	for name, auth := range auths {
		own := *g
		own.ask(auth)
		guards[name] = &own
	}
	return guards
}

// seconds are the further credentials of a request. Nil has none.
type seconds struct {
	find func(name string) (Credentials, error)
	last atomic.Pointer[secondCall]
}

// secondCall is what came of one of them that was asked for. It is immutable,
// but for met and what a call has that changes.
type secondCall struct {
	call
	name   string
	before *secondCall
	met    atomic.Pointer[second] // what an operation, or a part, needs of it, nil if not met
}

func (s *seconds) named(name string) *secondCall {
	if s == nil {
		return nil
	}
	for c := s.last.Load(); c != nil; c = c.before {
		if c.name == name {
			return c
		}
	}
	return nil
}

// add adds c, and returns what has its name by now.
func (s *seconds) add(c *secondCall) *secondCall {
	for {
		c.before = s.last.Load()
		if other := s.named(c.name); other != nil {
			return other
		}
		if s.last.CompareAndSwap(c.before, c) {
			return c
		}
	}
}

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
		c.met.Store(s)
	}
	return nil
}

// earlier returns the first of a time, at which something is over for a reason,
// and the ends of the credentials.
func (s *seconds) earlier(until time.Time, over *Error) (time.Time, *Error) {
	for c := s.all(); c != nil; c = c.before {
		end, needs := c.caller.ValidUntil(), c.met.Load()
		if c.anonymous || needs == nil || end.IsZero() {
			continue
		}
		if until.IsZero() || end.Before(until) {
			until, over = end, errExpired.ofSecond(needs)
		}
	}
	return until, over
}

func (s *seconds) all() *secondCall {
	if s == nil {
		return nil
	}
	return s.last.Load()
}

// callers returns those whose credentials were verified, by name.
func (s *seconds) callers() []SecondCaller {
	var list []SecondCaller
	for c := s.all(); c != nil; c = c.before {
		if f := c.caller.of(); !c.anonymous {
			list = append(list, SecondCaller{c.name, f.issuer, f.keyID, f.subject, f.clientID})
		}
	}
	slices.SortFunc(list, func(a, b SecondCaller) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// secondsAttr returns a group with a group for each name.
func secondsAttr(list []SecondCaller) slog.Attr {
	groups := make([]slog.Attr, len(list))
	for i, second := range list {
		var attrs []slog.Attr
		for _, attr := range []slog.Attr{
			slog.String("issuer", second.Issuer), slog.String("key_id", second.KeyID),
			slog.String("subject", second.Subject), slog.String("client_id", second.ClientID),
		} {
			if attr.Value.String() != "" {
				attrs = append(attrs, attr)
			}
		}
		groups[i] = slog.Attr{Key: second.Name, Value: slog.GroupValue(attrs...)}
	}
	return slog.Attr{Key: "seconds", Value: slog.GroupValue(groups...)}
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
	s.met.Store(&second{name: name})
	c.seconds = new(seconds)
	c.seconds.last.Store(s)
	return c
}
