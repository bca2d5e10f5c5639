package claims

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/lasting"
	"github.com/sallyport-go/sallyport/claims/internal/presented"
)

// call is a request that was let through, or is about to be: the context of its
// handler, with all that requirements look at. It is one allocation.
type call struct {
	context.Context
	caller    Claims // its own, whatever a handler does with it
	token     string // as presented, for who is asked again; empty outside a transport
	guard     *Guard // nil outside a transport
	operation Operation
	request   any         // *http.Request or a message
	scheme    string      // of the credentials, empty for Bearer
	outer     *call       // that of a guard before this one, nil if it is the first
	deferred  *deferred   // nil if the decision is not put off
	seconds   *seconds    // further credentials, nil for none
	workspace site        // that the operation was allowed in, once placed is true
	placed    atomic.Bool // from then on it does not change
	verified  bool        // now, and not before
	anonymous bool        // without a credential, which the operation lets pass

	resolved atomic.Pointer[answer]        // of the permission source
	asking   atomic.Pointer[chan struct{}] // one element while that is asked; see turns

	renewed atomic.Pointer[renewal]      // what the caller's token was renewed by
	held    atomic.Pointer[lasting.Item] // of the Hold, if it lasts and can end
}

func (c *call) Value(key any) any {
	if key == (contextKey{}) {
		return c
	}
	if key == (presented.Key{}) { // never that of a call outside, of another caller
		return c.relayed()
	}
	return c.Context.Value(key)
}

// relayed returns the token that may be passed on in the caller's name, empty
// for none.
func (c *call) relayed() string {
	if c.guard == nil || !c.guard.keepsToken || c.anonymous || c.renewed.Load() != nil {
		return ""
	}
	return c.token
}

// current returns what the request goes on with: the caller's token, or the
// last that it was renewed by.
func (c *call) current() *facts {
	if r := c.renewed.Load(); r != nil {
		return r.facts
	}
	return c.caller.of()
}

// revoked returns the refusal of a token that has ended, nil if it has not.
func (c *call) revoked() error {
	if c.anonymous || c.guard == nil {
		return nil
	}
	return c.current().unrevoked(c.guard.revocations)
}

// callIn returns the call that ctx is of, or nil.
func callIn(ctx context.Context) *call {
	c, _ := ctx.Value(contextKey{}).(*call)
	return c
}

// callOf returns the call that ctx is of, if it is this caller's, or another
// that knows as much as there is to know of it.
func callOf(ctx context.Context, caller *Claims) *call {
	if c := callIn(ctx); c != nil && c.caller.facts == caller.of() {
		return c
	}
	return newCall(ctx, caller)
}

// newCall returns a call of a caller for the operation that ctx is of, if it is
// of one.
func newCall(ctx context.Context, caller *Claims) *call {
	c := &call{Context: ctx, caller: Claims{caller.of()}}
	if before := callIn(ctx); before != nil {
		c.guard, c.outer, c.operation = before.guard, before.outer, before.operation
		c.scheme = before.scheme
		c.request = before.message()
		if before.placed.Load() {
			c.publish(before.workspace)
		}
	}
	return c
}

// message returns what requirements look at, nil if it is not here.
func (c *call) message() any {
	if c.deferred != nil {
		if arrived := c.deferred.arrived.Load(); arrived != nil {
			return *arrived
		}
	}
	return c.request
}

// observed reports whether somebody is told of decisions.
func (c *call) observed() bool { return c.guard != nil && c.guard.observer != nil }

// refusal returns an error as that of a request under its scheme.
func (c *call) refusal(err error) error {
	if err == nil || c.scheme == "" {
		return err
	}
	return AsError(err).under(c.scheme)
}

// seconds are the further credentials of a request. Nil has none.
type seconds struct {
	find func(name string) (Credentials, error)
	last atomic.Pointer[secondCall]
}

// secondCall is what came of one of them that was asked for. It is met once its
// caller has what an operation, or a part of one, needs of them.
type secondCall struct {
	call
	name   string
	before *secondCall
	met    atomic.Pointer[Error] // the refusal for its end, nil if it was not met
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

func (s *seconds) all() *secondCall {
	if s == nil {
		return nil
	}
	return s.last.Load()
}

// query is one requirement being checked, and what comes to light by it. It is
// used by one goroutine.
type query struct {
	ctx       context.Context
	call      *call         // whose caller is asked about
	main      *call         // the request's, another if the caller is of a second credential
	workspace string        // empty for none
	found     site          // the first in which something was allowed
	within    time.Duration // how old what decides may be, zero for any age
	pending   bool          // the request has not arrived: what looks at it is put off
	awaited   bool          // something was put off
	quiet     bool          // nobody is asked
	untold    bool          // nobody is told
	tried     bool          // it has no consequences
	again     bool          // of a request that was let through before
	origin    string        // of the permissions that were looked at
	reported  *Error        // what a ReportOnly would have refused with
}

var queries = sync.Pool{New: func() any { return new(query) }}

// query returns a query about the call, to be released.
func (c *call) query(ctx context.Context) *query {
	q := queries.Get().(*query)
	q.ctx, q.call, q.main = ctx, c, c
	return q
}

func (q *query) release() {
	*q = query{}
	queries.Put(q)
}

// site is a workspace, and which requirement it was found for.
type site struct {
	name string
	by   rule
}

// awaits reports whether what looks at the request has to be put off.
func (q *query) awaits() bool {
	q.awaited = q.pending
	return q.pending
}

// knows reports whether the caller meets a requirement by what is known
// already.
func (q *query) knows(r Requirement) bool {
	quiet, found := q.quiet, q.found
	q.quiet = true
	err := r.check(q)
	q.quiet, q.found = quiet, found
	return err == nil
}

// tries checks one of several requirements. What was found by one that refuses
// does not count.
func (q *query) tries(r Requirement) error {
	found := q.found
	err := r.check(q)
	if err != nil {
		q.found = found
	}
	return err
}

// permitted returns nil if the caller has a permission.
func (q *query) permitted(permission string) error {
	c := q.call
	if q.workspace == "" && slices.Contains(c.caller.of().granted, permission) {
		q.from(originToken)
		return nil
	}
	if c.guard == nil || c.guard.permissions == nil {
		q.from(originToken)
		return errPermission
	}
	var a *answer
	if q.quiet {
		if a = c.resolved.Load(); a != nil && (!a.holds() || a.isOlder(q.within)) {
			a = nil
		}
		q.from(originCache)
	} else {
		var origin string
		a, origin = c.resolve(q.ctx, q.within)
		q.from(origin)
	}
	switch {
	case a == nil:
		return errPermission
	case a.err != nil:
		return a.err.unlessOver(q.ctx)
	case !a.granted.has(q.workspace, permission):
		return errPermission
	}
	return nil
}

// from takes note of where a permission came from: of several, that which cost
// most.
func (q *query) from(origin string) {
	if originRank(origin) > originRank(q.origin) {
		q.origin = origin
	}
}

// resolve returns what the permission source says of the caller. It is asked
// once in a request, unless that lasts longer than the answer counts or the
// answer is forgotten, or older than the requirement lets it be.
func (c *call) resolve(ctx context.Context, within time.Duration) (*answer, string) {
	if a := c.resolved.Load(); a != nil && a.holds() && !a.isOlder(within) {
		return a, originCache
	}
	who := c.caller.principal()
	if who.Subject == "" {
		return noAnswer, originToken // an answer would be about all users of the client
	}
	cache, cached := c.guard.permissions.(*PermissionCache)
	if cached {
		if a := cache.recall(&c.caller); a != nil && !a.isOlder(within) {
			c.resolved.Store(a)
			return a, originCache
		}
	}
	// Parts of one request may be served side by side, and give up by
	// themselves.
	turns := c.turns()
	select {
	case turns <- struct{}{}:
	default:
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return failure(ctx.Err()), originSource
		}
	}
	defer func() { <-turns }()
	if a := c.resolved.Load(); a != nil && a.holds() && !a.isOlder(within) {
		return a, originCache
	}
	var a *answer
	origin := originSource
	if cached {
		a, origin = cache.answerWithin(ctx, who, within)
		c.caller.answer.Store(a.standing)
	} else {
		a = askDirectly(ctx, c.guard.permissions, who, c.guard.calls)
	}
	if a.err == nil || ctx.Err() == nil { // one part that gave up does not speak for the rest
		c.resolved.Store(a)
	}
	return a, origin
}

// turns returns the channel in which there is room for the part that asks.
func (c *call) turns() chan struct{} {
	if c.asking.Load() == nil {
		turns := make(chan struct{}, 1)
		c.asking.CompareAndSwap(nil, &turns)
	}
	return *c.asking.Load()
}
