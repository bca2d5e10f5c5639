package claims

import (
	"context"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/presented"
)

// NewContext returns a context that carries the caller's claims. The transports
// do more before the handler is called; this is for a test of a handler, with
// claims from [FromJSON], and for a handler that goes on in the name of another
// caller.
func NewContext(ctx context.Context, caller *Claims) context.Context {
	if caller == nil {
		return context.WithValue(ctx, contextKey{}, nil)
	}
	return newCall(ctx, caller)
}

// FromContext returns the claims of the caller whose request ctx belongs to. It
// reports false where there are none: outside a guarded handler, or in a public
// operation, whose credentials are not looked at.
func FromContext(ctx context.Context) (*Claims, bool) {
	c := callIn(ctx)
	if c == nil || c.anonymous {
		return nil, false
	}
	return &c.caller, true
}

// Allowed asks, inside a handler, whether the caller may do a part of what was
// asked: see a field, change a row. It returns nil if so, otherwise the
// [*Error] that a transport would refuse the whole operation with: [ErrNoToken]
// where the context carries no claims, [ErrInsufficientScope], [ErrForbidden],
// [ErrInsufficientAuthentication], or [ErrUnavailable] where it cannot be
// decided.
//
// What a [PermissionSource] said for the operation, or for another part of it,
// is not asked again. Parts may be asked about side by side.
func Allowed(ctx context.Context, needs Requirement) error {
	if needs.IsPublic() {
		return nil
	}
	c := callIn(ctx)
	if c == nil {
		return errNoToken.forOperation(needs)
	}
	var start time.Time
	if c.observed() {
		start = time.Now()
	}
	q := c.query(ctx)
	defer q.release()
	err := needs.decide(q)
	c.tell(q, needs, err, Decision{Part: true, Time: start})
	return c.refusal(err)
}

// Recheck decides anew about the request that ctx belongs to: for what lasts,
// such as server-sent events, whose caller may have lost a permission since, or
// whose token may have been revoked. It asks what each use of the token asks
// (whether its issuer is still trusted, the key still there, the time,
// [Config].Check), and then the requirement of the operation; of a request that
// has passed several guards, all of each. Only the token's binding is not
// proven again.
//
// It returns nil or an [*Error], as [Allowed] does: [ErrNoToken] where the
// context carries no claims, as in a public operation, and [ErrInvalidToken]
// where the token is not accepted any more. It may wait, as a request does, if
// keys have to be fetched. A Check or a [Func] must not call it.
func Recheck(ctx context.Context) error {
	c := callIn(ctx)
	if c == nil {
		return errNoToken
	}
	for ; c != nil; c = c.outer {
		if err := c.recheck(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) recheck(ctx context.Context) error {
	start, q := time.Now(), c.query(ctx)
	defer q.release()
	err := c.decideAgain(q, start)
	c.tell(q, c.operation.Requirement, err, Decision{Part: true, Time: start})
	return c.refusal(err)
}

func (c *call) decideAgain(q *query, now time.Time) error {
	if err := c.holds(q.ctx, now); err != nil {
		return err
	}
	q.again = true
	return c.operation.Requirement.decide(q)
}

// holds returns why the token of the call's caller is not accepted any more,
// nil if it is, or if they have none.
func (c *call) holds(ctx context.Context, now time.Time) error {
	if c.anonymous {
		return nil
	}
	until := (&Claims{c.current()}).ValidUntil()
	switch {
	case until.IsZero() || now.Before(until):
		return c.recheckToken(ctx)
	case c.operation.Requirement.MayOutlive():
		return c.revoked() // nothing else is left to ask of the token
	}
	return errExpired
}

// recheckToken asks the guard's Authenticator, if it can be asked again, and
// the one that verified the token, which may stand behind it.
func (c *call) recheckToken(ctx context.Context) error {
	if err := c.revoked(); err != nil {
		return err
	}
	caller := &Claims{c.current()}
	if c.guard != nil {
		if auth, ok := c.guard.auth.(rechecker); ok {
			token := c.token
			if r := c.renewed.Load(); r != nil {
				token = r.token
			}
			of := presented.With(ctx, token)
			if err := recheckBy(of, auth.Recheck, caller); err != nil {
				return err
			}
		}
	}
	if by := caller.of().origin.by; by != nil {
		return recheckBy(ctx, by.recheck, caller)
	}
	return nil
}

// WorkspaceFromContext returns the workspace in which the operation that ctx
// belongs to was allowed: what [InWorkspaceOf] found in the request, or
// [InWorkspace] named; of several, the first in which something was allowed. It
// reports false where there is none, or where it was not decided yet.
func WorkspaceFromContext(ctx context.Context) (string, bool) {
	for c := callIn(ctx); c != nil; c = c.outer {
		if c.placed.Load() {
			return c.workspace.name, true
		}
	}
	return "", false
}

// Filter returns those of the items that the caller may see, as needs says of
// each, in their order; a [Public] item is seen by all. Items about which it
// cannot be decided, as needs panics or their requirement is unavailable, are
// left out too, and then the error matches [ErrUnavailable], beside the items
// that can be shown. Where ctx carries no claims the error is [ErrNoToken].
// There is no [Decision] for each item, but one if some cannot be decided.
func Filter[T any](ctx context.Context, items []T, needs func(item T) Requirement) ([]T, error) {
	c := callIn(ctx)
	q, start := &query{ctx: ctx, call: c, main: c, untold: true}, time.Now()
	var kept []T
	var noToken, unavailable error
	for _, item := range items {
		var r Requirement
		err := foreign.Call(foreign.Name("claims: the function given to Filter"), func() error {
			r = needs(item)
			return nil
		})
		switch {
		case err != nil:
			err = undecided(ctx, ReasonUndecided, err)
		case r.IsPublic():
			kept = append(kept, item)
			continue
		case q.call == nil:
			noToken = errNoToken
			continue
		default:
			err = r.decide(q)
		}
		switch {
		case err == nil:
			kept = append(kept, item)
		case err == errNoToken: // the very one of who is anonymous
			noToken = err
		case unavailable == nil && AsError(err).class == ErrUnavailable:
			unavailable = err
			if q.call != nil {
				q.call.tell(q, r, err, Decision{Part: true, Time: start})
			}
		}
	}
	if noToken != nil {
		return kept, noToken
	}
	return kept, unavailable
}
