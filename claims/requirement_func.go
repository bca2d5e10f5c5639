package claims

import (
	"context"
	"fmt"
	"strconv"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// Func needs f to allow the caller, which is never nil. The name is for
// reading: it is what the requirement's String shows.
//
// If f returns false, the refusal is [ErrForbidden]. An error refuses whatever
// the result: with the class of this package's sentinel that it matches,
// otherwise with [ErrUnavailable]. Nothing that the caller sent may make f
// return an error of that kind. A panic is ErrUnavailable too. ctx ends after 5
// seconds.
//
// Of a stream f is asked again while messages pass, once a second at most, and
// at the first message if the requirement has a [RequestFunc] too.
func Func(name string, f func(ctx context.Context, caller *Claims) (bool, error)) Requirement {
	return valid(&funcRule{name: name, allow: f})
}

type funcRule struct {
	single
	text  text
	name  string
	allow func(context.Context, *Claims) (bool, error)
}

func (f *funcRule) check(q *query) error {
	if q.quiet {
		return errPermission
	}
	return ask(q, f, func(ctx context.Context) (bool, error) {
		return f.allow(ctx, &q.call.caller)
	})
}

// ask calls a function of the user's and returns the refusal that its result
// is, nil if it allows the caller.
func ask(q *query, r rule, allow func(context.Context) (bool, error)) error {
	ctx := foreign.WithDeadline(q.ctx, userTimeout)
	defer ctx.Release()
	err := foreign.Call(r, func() error {
		allowed, err := allow(ctx)
		return verdictOf(q.ctx, allowed, err)
	})
	return panicUndecided(q.ctx, err)
}

// verdictOf is called where a panic is recovered, as an error's methods are the
// user's.
func verdictOf(ctx context.Context, allowed bool, err error) error {
	switch {
	case err == nil && allowed:
		return nil
	case err == nil:
		return errPermission
	case isGone(ctx, err):
		return undecided(ctx, ReasonUndecided, err)
	}
	if _, ok := classOf(err); ok {
		return AsError(err).unlessOver(ctx)
	}
	return undecided(ctx, ReasonUndecided, err)
}

func (f *funcRule) wants(*query, []string) wants { return wants{} }
func (f *funcRule) local() bool                  { return false }
func (f *funcRule) equal(other rule) bool        { return other == f }

func (f *funcRule) String() string {
	return f.text.or(func() string { return "Func(" + strconv.Quote(f.name) + ")" })
}

func (f *funcRule) validate() error {
	if f.allow == nil {
		return fmt.Errorf("claims: Func(%q) has no function", f.name)
	}
	return nil
}

// RequestFunc is [Func] for a function that looks at the request as well. Over
// HTTP, R is *http.Request; path values are set if the middleware stands behind
// the router. Over gRPC, R is the type of the decoded request message, or an
// interface that it implements, such as one with a GetWorkspace method. Of a
// stream it is the first message, before which the handler can send nothing.
// [Recheck] looks at the message again, so the handler must not change it, or
// receive another message into it.
//
// A request that is not an R is refused. The transports find that out when they
// are made, by [Requirement.ValidateFor].
func RequestFunc[R any](
	name string, f func(ctx context.Context, caller *Claims, request R) (bool, error),
) Requirement {
	r := &requestRule{name: name, isA: isA[R]}
	if f != nil {
		r.allow = func(ctx context.Context, caller *Claims, request any) (bool, error) {
			return f(ctx, caller, request.(R))
		}
	}
	return valid(r)
}

func isA[R any](request any) error {
	if _, ok := request.(R); !ok {
		return fmt.Errorf("wants a %s, which a %T is not", typeName[R](), request)
	}
	return nil
}

func typeName[R any]() string { return fmt.Sprintf("%T", (*R)(nil))[1:] }

type requestRule struct {
	text  text
	name  string
	isA   func(request any) error
	allow func(context.Context, *Claims, any) (bool, error)
}

func (r *requestRule) check(q *query) error {
	if q.quiet {
		return errPermission
	}
	if q.awaits() {
		return nil
	}
	request := q.main.message()
	if err := r.isA(request); err != nil {
		return NewError(ErrForbidden, ReasonPermission, fmt.Errorf("claims: %s %w", r, err))
	}
	return ask(q, r, func(ctx context.Context) (bool, error) {
		return r.allow(ctx, &q.call.caller, request)
	})
}

func (r *requestRule) wants(*query, []string) wants { return wants{} }
func (r *requestRule) parts() []Requirement         { return nil }
func (r *requestRule) fits(request any) error       { return r.isA(request) }
func (r *requestRule) local() bool                  { return false }
func (r *requestRule) equal(other rule) bool        { return other == r }

func (r *requestRule) String() string {
	return r.text.or(func() string { return "RequestFunc(" + strconv.Quote(r.name) + ")" })
}

func (r *requestRule) validate() error {
	if r.allow == nil {
		return fmt.Errorf("claims: RequestFunc(%q) has no function", r.name)
	}
	return nil
}
