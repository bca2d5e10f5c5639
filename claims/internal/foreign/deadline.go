package foreign

import (
	"context"
	"sync"
	"time"
)

// Deadline is a context that ends after a time at the latest. Unlike that of
// [context.WithDeadline] it costs next to nothing where nobody waits for its
// end, as most code that is called with it does not.
type Deadline struct {
	context.Context
	at time.Time

	mu    sync.Mutex // guards inner
	inner context.Context
	end   context.CancelFunc
}

// WithDeadline returns a context that ends after timeout, or with its parent.
// Release must be called when the call that it is for has returned.
func WithDeadline(parent context.Context, timeout time.Duration) *Deadline {
	at := time.Now().Add(timeout)
	if earlier, ok := parent.Deadline(); ok && earlier.Before(at) {
		at = earlier
	}
	return &Deadline{Context: parent, at: at}
}

// Deadline returns when the context ends.
func (d *Deadline) Deadline() (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at, true
}

// Done returns a channel that is closed when the context ends.
func (d *Deadline) Done() <-chan struct{} { return d.waited().Done() }

// Err returns why the context has ended, nil if it has not.
func (d *Deadline) Err() error {
	if err := d.Context.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.inner != nil:
		return d.inner.Err()
	case d.at.IsZero():
		return context.Canceled
	case !time.Now().Before(d.at):
		return context.DeadlineExceeded
	}
	return nil
}

// waited returns the context that ends by a timer, made for the first who
// waits.
func (d *Deadline) waited() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inner == nil {
		d.inner, d.end = context.WithDeadline(d.Context, d.at)
	}
	return d.inner
}

// Release ends the context, and what it holds.
func (d *Deadline) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = time.Time{} // for whoever looks later
	if d.end != nil {
		d.end()
	}
}
