package main

import (
	"context"

	"github.com/sallyport-go/sallyport/claims"
)

// realm names the service in its challenges, on both APIs.
const realm = "orders"

var errExpired = claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil)

// untilExpiry returns a context that ends when the caller's token is no longer
// accepted, with errExpired as its cause: what starts while a token is valid
// must not outlive it. The streams of a gRPC service have such a context
// already.
func untilExpiry(ctx context.Context) (context.Context, context.CancelFunc) {
	caller, _ := claims.FromContext(ctx)
	until := caller.ValidUntil()
	if box, ok := claims.SecondFromContext(ctx, sandboxName); ok && box.ValidUntil().Before(until) {
		until = box.ValidUntil()
	}
	if until.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, until, errExpired)
}
