package claims

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/lasting"
)

// GuardConfig says what a [Guard] has besides an [Authenticator]. The zero
// value is useful.
type GuardConfig struct {
	// Permissions says what callers may do where their tokens do not. Nil means
	// that tokens alone grant permissions.
	Permissions PermissionSource

	// Observer is told of every decision, if it is not nil.
	Observer Observer

	// Second says who verifies the further credentials that a [Second] may ask
	// for, by their names. Each name is a token (RFC 9110 section 5.6.2) of at
	// most 32 characters and no registered authentication scheme, as it is the
	// scheme of the credential's challenges. Nil means that a request has one
	// credential.
	Second map[string]Authenticator

	// KeepToken lets package relay pass the token of a request on while that
	// lasts. Handlers cannot get at it. False means that nobody can.
	KeepToken bool

	// Revocations says which tokens have ended before they expire, usually a
	// *revocation.Table. Nil means that none have.
	Revocations Revocations
}

// Guard asks both questions of a request: who are you, and may you do this. It
// is what a transport is made of, and decides nothing but what its
// Authenticator and the operation's [Requirement] say. It is immutable and safe
// for concurrent use. [NewGuard] makes one; a zero Guard refuses everything.
type Guard struct {
	auth        Authenticator
	own         identifier // auth, if it accepts base64url and dots alone
	asksAgain   bool       // auth has a Recheck
	keepsToken  bool
	permissions PermissionSource
	observer    Observer
	revocations Revocations
	open        *lasting.Registry // of Hold
	panics      *foreign.Reports  // of the observer
	calls       chan struct{}     // of permissions, unless that is a cache
	second      map[string]*Guard // of further credentials, by name
}

// NewGuard returns a Guard. The error reports everything that is wrong with its
// arguments: each begins with "auth" or "Config." and the field, so that a
// transport can put before it the name of what its user called.
func NewGuard(auth Authenticator, cfg GuardConfig) (*Guard, error) {
	var errs []error
	if fault := faultOf(auth); fault != "" {
		errs = append(errs, errors.New("auth "+fault))
	}
	if cfg.Permissions != nil && isNil(cfg.Permissions) {
		errs = append(errs, errors.New("Config.Permissions "+nilFault(cfg.Permissions)))
	}
	if cache, _ := cfg.Permissions.(*PermissionCache); cache != nil && !cache.isMade() {
		errs = append(errs, errors.New("Config.Permissions was not made by NewPermissionCache"))
	}
	errs = append(errs, secondFaults(cfg.Second)...)
	if fault := revocationsFault(cfg.Revocations); fault != "" {
		errs = append(errs, errors.New("Config.Revocations "+fault))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	g := &Guard{
		permissions: cfg.Permissions, keepsToken: cfg.KeepToken,
		observer: cfg.Observer, revocations: cfg.Revocations, panics: new(foreign.Reports),
		calls: make(chan struct{}, maxAskedAbout),
	}
	var news func(func()) func()
	if cfg.Revocations != nil {
		news = cfg.Revocations.Subscribe
	}
	g.open = lasting.New(news)
	g.ask(auth)
	g.second = g.guardsOf(cfg.Second)
	return g, nil
}

// ask makes auth the one who is asked.
func (g *Guard) ask(auth Authenticator) {
	g.auth, g.own = auth, identifierOf(auth)
	_, g.asksAgain = auth.(rechecker)
}

func (g *Guard) isMade() bool { return g != nil && g.auth != nil }

// faultOf says why an Authenticator cannot be one, empty if it can.
func faultOf(auth Authenticator) string {
	if auth == nil {
		return "is nil"
	}
	if isNil(auth) {
		return nilFault(auth) + ", as a constructor returns beside an error"
	}
	if m, ok := auth.(interface{ isMade() bool }); ok && !m.isMade() {
		return "was not made by its constructor"
	}
	return ""
}

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

// identifier is an Authenticator of this package that accepts base64url and
// dots alone, so that the characters of a good token need not be looked at
// twice.
type identifier interface {
	// isStrict reports whether auth is it, and does not just embed it.
	isStrict(auth Authenticator) bool
	// identify is Authenticate, but for the claims, of which each request has
	// its own.
	identify(ctx context.Context, c Credentials) (*facts, error)
}

// identifierOf returns auth if it is an identifier, and otherwise nil.
func identifierOf(auth Authenticator) identifier {
	if own, ok := auth.(identifier); ok && own.isStrict(auth) {
		return own
	}
	return nil
}

// Authorize decides about a request for an operation that is not public.
// request is what a [RequestFunc] looks at. It returns the context for the
// request's handler, in which [FromContext] finds the caller, and [Allowed]
// what is known of them. The error is an [*Error].
//
// The zero Credentials mean that the request has none at all, which only an
// operation with [Optional] lets pass. [Absent] tells.
func (g *Guard) Authorize(
	ctx context.Context, op Operation, c Credentials, request any,
) (context.Context, error) {
	return g.authorize(ctx, op, c, request, false)
}

// AuthorizeStream is Authorize for a request that has not arrived yet, as the
// first message of a stream: what looks at it is put off until
// [Guard.Complete].
func (g *Guard) AuthorizeStream(
	ctx context.Context, op Operation, c Credentials,
) (context.Context, error) {
	return g.authorize(ctx, op, c, nil, true)
}

// Refuse is Authorize for a request whose credentials cannot be told, for err:
// it returns the refusal as that of the operation.
func (g *Guard) Refuse(ctx context.Context, op Operation, err error) error {
	return g.refuse(ctx, op, AsError(err), time.Now())
}

// refuse tells the observer of a refusal before the caller was known.
func (g *Guard) refuse(ctx context.Context, op Operation, refusal *Error, start time.Time) error {
	refusal = refusal.forOperation(op.Requirement)
	g.report(ctx, Decision{
		Protocol: op.Protocol, Operation: op.Name, Requirement: op.Requirement,
		Err: refusal, Time: start,
	})
	return refusal
}

func (g *Guard) authorize(
	ctx context.Context, op Operation, credentials Credentials, request any, pending bool,
) (context.Context, error) {
	var start time.Time
	if g != nil && g.observer != nil {
		start = time.Now()
	}
	anonymous := credentials.isNone() && op.Requirement.admitsAnonymous()
	facts, refusal := noFacts, (*Error)(nil)
	if !anonymous || !g.isMade() {
		facts, refusal = g.authenticate(ctx, credentials)
	}
	if refusal != nil {
		return nil, g.refuse(ctx, op, refusal.under(credentials.ownScheme()), start)
	}
	c := &call{
		Context: ctx, caller: Claims{facts}, scheme: credentials.ownScheme(), guard: g,
		operation: op, request: request, outer: callIn(ctx), anonymous: anonymous,
	}
	if g.asksAgain || g.keepsToken {
		c.token = credentials.Token
	}
	if credentials.Second != nil {
		c.seconds = &seconds{find: credentials.Second}
	}
	// One that is met for the first time was verified now.
	if anonymous {
		c.verified = true
	} else if !c.caller.met.Load() {
		c.caller.met.Store(true)
		c.verified = true
	}
	if before := c.outer; before != nil && before.guard == g &&
		before.caller.facts == c.caller.facts {
		c.resolved.Store(before.resolved.Load())
	}
	q := c.query(c)
	defer q.release()
	q.pending = pending
	err := c.revoked()
	if err == nil {
		err = op.Requirement.decide(q)
	}
	// A message can still decide what cannot be decided without.
	if q.awaited && (err == nil || AsError(err).class == ErrUnavailable) {
		c.deferred = &deferred{origin: q.origin, start: start}
		if g.observer != nil {
			c.deferred.spent = time.Since(start)
		}
		return c, nil
	}
	if err != nil {
		err = AsError(err).forOperation(op.Requirement).under(c.scheme)
	}
	c.tell(q, op.Requirement, err, Decision{Remembered: !c.verified, Time: start})
	if err != nil {
		return nil, err
	}
	c.publish(q.found)
	return c, nil
}

// deferred is what is kept of a call whose decision is put off.
type deferred struct {
	origin  string
	start   time.Time
	spent   time.Duration       // on the part before it was put off
	arrived atomic.Pointer[any] // the message that was pending
}

// IsPending reports whether the decision about the request was put off until
// [Guard.Complete]. ctx is what [Guard.Authorize] returned, or made of it.
func (g *Guard) IsPending(ctx context.Context) bool {
	c := g.callIn(ctx)
	return c != nil && c.deferred != nil && c.deferred.arrived.Load() == nil
}

// Complete decides about a request that was let through by [Guard.Authorize]
// while its first message was pending, now that it is here, or, with nil, that
// it never comes. ctx is what Authorize returned, or made of it. The error is
// an [*Error]. It is called once.
func (g *Guard) Complete(ctx context.Context, request any) error {
	c := g.callIn(ctx)
	if c == nil || c.deferred == nil || !c.deferred.arrived.CompareAndSwap(nil, &request) {
		return NewError(ErrForbidden, ReasonPermission, errNotPending)
	}
	q := c.query(ctx)
	defer q.release()
	q.origin = c.deferred.origin
	resumed := time.Now()
	err := c.revoked()
	if err == nil {
		err = c.operation.Requirement.decide(q)
	}
	c.settle(q, resumed, err)
	if err != nil {
		return AsError(err).under(c.scheme)
	}
	c.publish(q.found)
	if held := c.held.Load(); held != nil {
		held.Look() // what it has to do with now may end sooner
	}
	return nil
}

var errNotPending = errors.New("claims: Complete of a request that is not pending")

// Ended tells the observer that a request which was let through has been ended
// for err: a stream whose token has expired, or one that was pending and will
// not be decided any more. ctx is what [Guard.Authorize] returned, or made of
// it. It returns err as the refusal of the operation, an [*Error] that names
// the scope if another token is needed; nil if err is.
func (g *Guard) Ended(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	refusal, c := AsError(err), g.callIn(ctx)
	if c == nil {
		return refusal
	}
	refusal = refusal.forOperation(c.operation.Requirement).under(c.scheme)
	q := c.query(ctx)
	defer q.release()
	if g.IsPending(ctx) && c.deferred.arrived.CompareAndSwap(nil, new(any)) {
		q.origin = c.deferred.origin
		c.settle(q, time.Now(), refusal)
		return refusal
	}
	c.tell(q, c.operation.Requirement, refusal, Decision{Part: true, Time: time.Now()})
	return refusal
}

// callIn returns the call that ctx is of, if the Guard has let it through.
func (g *Guard) callIn(ctx context.Context) *call {
	if c := callIn(ctx); c != nil && g != nil && c.guard == g {
		return c
	}
	return nil
}

// settle tells of the decision that was put off and resumed.
func (c *call) settle(q *query, resumed time.Time, err error) {
	c.tell(q, c.operation.Requirement, err, Decision{
		Remembered: !c.verified, Time: c.deferred.start,
		Duration: max(c.deferred.spent+time.Since(resumed), 1), // zero is none
	})
}

// publish makes known in which workspace a request is allowed, if in any. It is
// called once.
func (c *call) publish(found site) {
	if found.by != nil {
		c.workspace = found
		c.placed.Store(true)
	}
}

// authenticate returns what is known of the caller, or a refusal.
func (g *Guard) authenticate(ctx context.Context, c Credentials) (*facts, *Error) {
	if !g.isMade() {
		return nil, errNotMade
	}
	if c.isNone() {
		return nil, errNoToken
	}
	if g.own != nil {
		f, err := g.own.identify(ctx, c)
		if err != nil {
			refusal := AsError(err)
			if refusal.reason != ReasonTooLarge && !c.isWellFormed() {
				refusal = errMalformedCredentials
			}
			return nil, refusal
		}
		return f, nil
	}
	if !c.isWellFormed() {
		return nil, errMalformedCredentials
	}
	caller, err := authenticateBy(ctx, g.auth, c)
	if err != nil {
		return nil, AsError(err).unlessOver(ctx)
	}
	if caller == nil || caller.facts == nil { // it breaks its word, and opens no door
		return nil, errNoToken
	}
	return caller.facts, nil
}

// authenticateBy asks an Authenticator that may be the user's. The error of one
// is an [*Error] then: its methods may panic, too.
func authenticateBy(ctx context.Context, auth Authenticator, c Credentials) (*Claims, error) {
	var caller *Claims
	err := foreign.Call(foreign.Name("claims: Authenticator"), func() error {
		var err error
		if caller, err = auth.Authenticate(ctx, c); err != nil {
			if isGone(ctx, err) {
				return undecided(ctx, ReasonUndecided, err)
			}
			return AsError(err)
		}
		return nil
	})
	return caller, panicUndecided(ctx, err)
}
