package dpop

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// maxWaiting is how many requests wait for a store at a time: one that hangs is
// not to hold a goroutine for each request.
const maxWaiting = 1024

// replays asks a ReplayStore, which may be the user's.
type replays struct {
	store  ReplayStore
	memory *Memory       // store, if it is ours and waits for nothing
	room   chan struct{} // of those that wait for store
}

func newReplays(store ReplayStore) *replays {
	memory, _ := store.(*Memory)
	return &replays{store, memory, make(chan struct{}, maxWaiting)}
}

var (
	errUsed = claims.NewError(claims.ErrInvalidToken, claims.ReasonProofUsed, nil)
	errBusy = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
		errors.New("dpop: too many requests wait for the ReplayStore"))
)

// use returns nil if a proof was not used before, from now on it is.
func (r *replays) use(ctx context.Context, jkt, jti string, until time.Time) error {
	fresh, err := r.ask(ctx, jkt, jti, until)
	switch {
	case err != nil:
		var typed *claims.Error
		if errors.As(err, &typed) && typed != nil {
			return typed
		}
		return claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, err)
	case !fresh:
		return errUsed
	}
	return nil
}

func (r *replays) ask(ctx context.Context, jkt, jti string, until time.Time) (bool, error) {
	if r.memory != nil {
		return r.memory.Use(ctx, jkt, jti, until)
	}
	select {
	case r.room <- struct{}{}:
	default:
		return false, errBusy
	}
	return foreign.Within(ctx, foreign.Name("dpop: Config.Replays"), StoreTimeout,
		func() { <-r.room },
		func(ctx context.Context) (bool, error) { return r.store.Use(ctx, jkt, jti, until) })
}
