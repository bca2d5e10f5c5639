package claims

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"time"
)

// GuardConfig says what a [Guard] has besides an [Authenticator]. The zero value is
// useful.
type GuardConfig struct {
	// Protocol stands in the [Decision]s: "HTTP", "gRPC".
	Protocol string

	// Permissions says what callers may do where their tokens do not. Nil means
	// that tokens alone grant permissions.
	Permissions PermissionSource

	// Observer is told of every decision, if it is not nil.
	Observer Observer
}

// Guard asks both questions of a request: who are you, and may you do this. It is
// what a transport is made of, and decides nothing but what its Authenticator and the
// operation's [Requirement] say. It is immutable and safe for concurrent use.
// [NewGuard] makes one.
type Guard struct {
	auth        Authenticator
	strict      bool // auth accepts base64url and dots alone
	protocol    string
	permissions PermissionSource
	observer    Observer
}

// Call is a request as a transport has it, for an operation that is not public.
type Call struct {
	// Operation is the name of the operation, as in the access table: a pattern or
	// a full method name, not what the client wrote.
	Operation string

	// Needs is what the operation needs.
	Needs Requirement

	// Credentials are what the request has of them.
	Credentials Request

	// Fault is why there are no Credentials, as package bearer finds it; nil if
	// there are.
	Fault error

	// Request is what a [RequestFunc] looks at.
	Request any

	// Pending says that the request has not arrived yet, as the first message of a
	// stream: what looks at it is put off until [Guard.Complete].
	Pending bool
}

// NewGuard returns a Guard. The error reports everything that is wrong with its
// arguments.
func NewGuard(auth Authenticator, cfg GuardConfig) (*Guard, error) {
	var errs []error
	if isNil(auth) {
		errs = append(errs, errors.New("claims: NewGuard needs an Authenticator"))
	}
	if cfg.Permissions != nil && isNil(cfg.Permissions) {
		errs = append(errs, errors.New("claims: GuardConfig.Permissions is a nil pointer"))
	}
	if cache, _ := cfg.Permissions.(*PermissionCache); cache != nil && cache.source == nil {
		errs = append(errs, errors.New("claims: GuardConfig.Permissions was not made by NewPermissionCache"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Guard{auth, isStrict(auth), cfg.Protocol, cfg.Permissions, cfg.Observer}, nil
}

// Authorize decides about a request. It returns the context for its handler, in which
// [FromContext] finds the caller, and [Allowed] what is known of him. The error is an
// [*Error].
func (g *Guard) Authorize(ctx context.Context, in Call) (context.Context, error) {
	var start time.Time
	if g.observer != nil {
		start = time.Now()
	}
	caller, state, refusal := g.authenticate(ctx, in)
	if refusal != nil {
		refusal = refusal.forOperation(in.Needs)
		g.report(ctx, Decision{
			Operation: in.Operation, Requirement: in.Needs, Err: refusal, Time: start,
		})
		return nil, refusal
	}
	c := &call{
		Context: ctx, caller: caller, guard: g,
		operation: in.Operation, needs: in.Needs, request: in.Request, outer: callIn(ctx),
	}
	if before := c.outer; before != nil && before.guard == g && before.caller == caller {
		c.resolved.Store(before.resolved.Load())
	}
	q := c.query(c)
	defer q.release()
	q.pending = in.Pending
	err := in.Needs.check(q)
	// A message can still decide what can not be decided without.
	if q.awaited && (err == nil || AsError(err).class == ErrUnavailable) {
		c.undecided = &undecided{state: state, origin: q.origin, start: start}
		if g.observer != nil {
			c.undecided.spent = time.Since(start)
		}
		return c, nil
	}
	c.tell(q, in.Needs, err, Decision{TokenCache: state, Time: start})
	if err != nil {
		return nil, AsError(err)
	}
	c.publish(q.found)
	return c, nil
}

// undecided is what is kept of a call whose decision is put off.
type undecided struct {
	state   CacheState
	origin  PermissionOrigin
	start   time.Time
	spent   time.Duration       // on the part before it was put off
	arrived atomic.Pointer[any] // the message that was pending
}

// IsPending reports whether the decision about the request was put off until
// [Guard.Complete]. ctx is what [Guard.Authorize] returned, or made of it.
func (g *Guard) IsPending(ctx context.Context) bool {
	c := g.callIn(ctx)
	return c != nil && c.undecided != nil && c.undecided.arrived.Load() == nil
}

// Complete decides about a request that was let through by [Guard.Authorize] while
// its first message was pending, now that it is here, or, with nil, that it never
// comes. ctx is what Authorize returned, or made of it. The error is an [*Error]. It is
// called once.
func (g *Guard) Complete(ctx context.Context, request any) error {
	c := g.callIn(ctx)
	if c == nil || c.undecided == nil || !c.undecided.arrived.CompareAndSwap(nil, &request) {
		return NewError(ErrForbidden, ReasonPermission, errNotPending)
	}
	q := c.query(ctx)
	defer q.release()
	q.origin = c.undecided.origin
	resumed := time.Now()
	err := c.needs.check(q)
	c.settle(q, resumed, err)
	if err != nil {
		return AsError(err)
	}
	c.publish(q.found)
	return nil
}

var errNotPending = errors.New("claims: Complete of a request that is not pending")

// Ended tells the observer that a request which was let through has been ended for
// err: a stream whose token has expired, or one that was pending and will not be
// decided any more. ctx is what [Guard.Authorize] returned, or made of it.
func (g *Guard) Ended(ctx context.Context, err error) {
	c := g.callIn(ctx)
	if c == nil || err == nil {
		return
	}
	q := c.query(ctx)
	defer q.release()
	if g.IsPending(ctx) && c.undecided.arrived.CompareAndSwap(nil, new(any)) {
		q.origin = c.undecided.origin
		c.settle(q, time.Now(), err)
		return
	}
	c.tell(q, c.needs, err, Decision{Part: true, Time: time.Now()})
}

// callIn returns the call that ctx is of, if the Guard has let it through.
func (g *Guard) callIn(ctx context.Context) *call {
	if c := callIn(ctx); c != nil && c.guard == g {
		return c
	}
	return nil
}

// settle tells of the decision that was put off and resumed.
func (c *call) settle(q *query, resumed time.Time, err error) {
	c.tell(q, c.needs, err, Decision{
		TokenCache: c.undecided.state, Time: c.undecided.start,
		Duration: max(c.undecided.spent+time.Since(resumed), 1), // zero is none
	})
}

// publish makes known in which workspace a request is allowed, if in any. It is called
// once.
func (c *call) publish(found site) {
	if found.by != nil {
		c.workspace = found
		c.placed.Store(true)
	}
}

// authenticate returns the caller, or a refusal.
func (g *Guard) authenticate(ctx context.Context, in Call) (*Claims, CacheState, *Error) {
	if in.Fault != nil {
		return nil, CacheUnknown, AsError(in.Fault)
	}
	if !g.strict && !in.Credentials.isWellFormed() {
		return nil, CacheUnknown, errMalformedCredentials
	}
	var caller *Claims
	var err error
	state := CacheUnknown
	// Their own types, not what embeds one and has another Authenticate.
	switch auth := g.auth.(type) {
	case *Verifier:
		caller, state, err = auth.authenticate(ctx, in.Credentials)
	case *Issuers:
		caller, state, err = auth.authenticate(ctx, in.Credentials)
	case *Tenants:
		caller, state, err = auth.authenticate(ctx, in.Credentials)
	default:
		caller, err = auth.Authenticate(ctx, in.Credentials)
	}
	if err != nil {
		refusal := AsError(err)
		if refusal.reason != ReasonTooLarge && !in.Credentials.isWellFormed() {
			refusal = errMalformedCredentials
		}
		return nil, state, refusal
	}
	if caller == nil { // an Authenticator that breaks its word must not open the door
		return nil, state, errNoToken
	}
	return caller, state, nil
}

// isNil reports whether an interface holds nothing, or a nil pointer, as a
// constructor returns beside an error.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return v == nil || r.Kind() == reflect.Pointer && r.IsNil()
}

// isStrict reports whether an Authenticator accepts base64url and dots alone, so
// that the characters of a good token need not be looked at twice.
func isStrict(auth Authenticator) bool {
	switch auth.(type) {
	case *Verifier, *Issuers, *Tenants:
		return true
	}
	return false
}

// Authorize asks both questions of a request, as a [Guard] with no more than an
// Authenticator does: who are you, and may you do this. The error is an [*Error]. A
// Bearer token with a character that it can not have (RFC 6750 section 2.1) is
// [ErrInvalidRequest], and no Authenticator accepts it.
func Authorize(
	ctx context.Context, auth Authenticator, r Request, needs Requirement,
) (*Claims, error) {
	g := Guard{auth: auth, strict: isStrict(auth)}
	ctx, err := g.Authorize(ctx, Call{Credentials: r, Needs: needs})
	if err != nil {
		return nil, err
	}
	return callIn(ctx).caller, nil
}
