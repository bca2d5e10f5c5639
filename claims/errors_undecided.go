package claims

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/jwks"
)

// userTimeout is how long a function of the user's may take to decide.
const userTimeout = 5 * time.Second

// unavailable is the refusal for keys that cannot be had.
func unavailable(ctx context.Context, err error) *Error {
	e := undecided(ctx, ReasonKeysUnavailable, err)
	var u *jwks.UnavailableError
	if errors.As(err, &u) {
		e.retryAfter = u.RetryAfter
	}
	return e
}

// undecided is the refusal of a request that cannot be decided, for the reason
// given unless its sender has gone away or given up.
func undecided(ctx context.Context, reason Reason, err error) *Error {
	if isOver(ctx) {
		reason = ReasonCanceled
	}
	return &Error{class: ErrUnavailable, reason: reason, cause: err}
}

// unlessOver returns e, or, if it says that something could not be decided and
// the sender of the request has gone away meanwhile, that.
func (e *Error) unlessOver(ctx context.Context) *Error {
	if e.class != ErrUnavailable || e.reason == ReasonCanceled || !isOver(ctx) {
		return e
	}
	over := *e
	over.reason, over.retryAfter = ReasonCanceled, 0
	return &over
}

// isOver reports whether the sender of a request has gone away, or their
// deadline has passed: a context tells a moment later, and what waits on a
// network a moment sooner.
func isOver(ctx context.Context) bool {
	if ctx.Err() != nil {
		return true
	}
	deadline, ok := ctx.Deadline()
	return ok && !time.Now().Before(deadline)
}

// isGone reports whether err says that the sender of a request has gone away or
// given up, which says nothing about the token.
func isGone(ctx context.Context, err error) bool {
	return isOver(ctx) &&
		(errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// panicUndecided returns the panic of a user's code as a refusal, and any other
// error as it is.
func panicUndecided(ctx context.Context, err error) error {
	if _, panicked := err.(*foreign.PanicError); panicked { // of [foreign.Call], bare
		return undecided(ctx, ReasonUndecided, err)
	}
	return err
}

// ownRefusal returns the refusal that the error of a user's code is, if any:
// with the class that it matches, [ErrInvalidToken] otherwise. It is called
// where a panic is recovered, as the error's methods are the user's, too.
// limited is the context that the code was called with, made of ctx.
func ownRefusal(ctx, limited context.Context, reason Reason, err error) error {
	if err == nil {
		return nil
	}
	var refusal *Error
	typed := errors.As(err, &refusal) && refusal != nil
	class, ok := classOf(err)
	switch {
	case isGone(limited, err), class == ErrUnavailable && !typed:
		return undecided(ctx, ReasonUndecided, err)
	case typed:
		return refusal.unlessOver(ctx)
	case ok && class != ErrInvalidToken:
		return AsError(err)
	}
	return NewError(ErrInvalidToken, reason, err)
}
