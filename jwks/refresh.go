package jwks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	refreshAhead = 0.8
	jitter       = 0.1
	minBackoff   = time.Second
	maxBackoff   = time.Minute
)

// Cause is why a fetch was made.
type Cause string

// The causes.
const (
	CauseInitial    Cause = "initial"     // no keys were held that may be used
	CauseRefresh    Cause = "refresh"     // the keys held were due
	CauseUnknownKey Cause = "unknown_key" // a key ID was not among them
)

// flight is one fetch that any number of callers wait for.
type flight struct {
	cause Cause
	done  chan struct{}
}

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refresh starts a fetch that nobody waits for, if it is time for one.
func (c *Cache) refresh(now time.Time) {
	if !c.mu.TryLock() { // somebody else is seeing to it
		return
	}
	defer c.mu.Unlock()
	if c.flight == nil && !now.Before(c.retryAt) && !now.Before(c.current.Load().refreshAt) {
		c.start(CauseRefresh)
	}
}

// await returns a snapshot that may be used, waiting for a fetch if need be.
func (c *Cache) await(ctx context.Context) (*snapshot, error) {
	f, err := c.join()
	if err != nil {
		return nil, err
	}
	if f != nil {
		if err := f.wait(ctx); err != nil {
			return nil, &UnavailableError{time.Second, err}
		}
	}
	if snap := c.current.Load(); snap.usable(time.Now()) {
		return snap, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return nil, c.unavailable(time.Now())
}

// join returns the fetch to wait for where no snapshot may be used, nil if one
// has arrived meanwhile.
func (c *Cache) join() (*flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.current.Load().usable(now) {
		return nil, nil
	}
	if c.flight == nil {
		if now.Before(c.retryAt) {
			return nil, c.unavailable(now)
		}
		c.start(CauseInitial)
	}
	return c.flight, nil
}

// unavailable is called with mu held.
func (c *Cache) unavailable(now time.Time) error {
	c.counts.unavailable++
	cause := c.lastErr
	if cause == nil {
		cause = errors.New("the keys held are too old")
	}
	return &UnavailableError{max(c.retryAt.Sub(now), time.Second), cause}
}

// lookupAgain looks a key up that the snapshot seen does not have, in a newer
// one: the keys may have been rotated. As keys are held, a fetch that fails
// leaves the key unknown; otherwise the sender of a token with an invented key
// ID could choose to be told that the service is unavailable.
func (c *Cache) lookupAgain(ctx context.Context, seen *snapshot, want fit) ([]*Key, error) {
	// A fetch that was under way already may have been answered before the
	// rotation, so one more may follow it.
	for range 2 {
		f, ours, refusal := c.joinForMissing(seen, want)
		if refusal != "" {
			return nil, c.refuse(want, refusal)
		}
		if f != nil {
			if err := f.wait(ctx); err != nil {
				return nil, fmt.Errorf("%w: %w", c.refuse(want, RefusalUnknownKey), err)
			}
		}
		newer := c.current.Load()
		keys, err := newer.set.Lookup(ctx, want.keyID, want.algorithm)
		if err != ErrUnknownKey { //nolint:errorlint // Set.Lookup returns it bare
			return keys, err
		}
		if ours {
			if newer != seen { // the fetch succeeded
				c.remember(want)
			}
			break
		}
		seen = newer
	}
	return nil, c.refuse(want, RefusalUnknownKey)
}

// joinForMissing returns the fetch to wait for where the snapshot seen lacks a
// key, and whether it is made for that; nil if there is a newer snapshot; or why
// none may be made.
func (c *Cache) joinForMissing(seen *snapshot, want fit) (f *flight, ours bool, why Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != seen {
		return nil, false, ""
	}
	if c.flight != nil {
		return c.flight, false, ""
	}
	now := time.Now()
	if c.missing.has(want, now) {
		c.counts.negative++
		return nil, false, RefusalKnownMissing
	}
	if now.Before(c.missAt) {
		c.counts.cooldown++
		return nil, false, RefusalCooldown
	}
	c.missAt = now.Add(c.cooldown)
	c.start(CauseUnknownKey)
	return c.flight, true, ""
}

func (c *Cache) remember(want fit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.missing.add(want, time.Now())
}

func (c *Cache) refuse(want fit, why Refusal) error {
	c.emit(Event{Kind: EventRefusal, Refusal: why, KeyID: shortID(want.keyID), Err: ErrUnknownKey})
	return ErrUnknownKey
}

// start begins a fetch. It is called with mu held and no flight.
func (c *Cache) start(cause Cause) {
	f := &flight{cause: cause, done: make(chan struct{})}
	c.flight = f
	c.counts.begin(cause, time.Now())
	go func() {
		began := time.Now()
		set, life, err := c.ask(cause == CauseUnknownKey)
		landed := c.land(set, life, err, cause)
		close(f.done)
		c.report(Event{
			Kind: EventFetch, Cause: cause, Duration: time.Since(began), Fault: FaultOf(err), Err: err,
		}, landed)
	}()
}

// answer is for how long what a source said may be relied on.
type answer struct {
	fresh  time.Duration
	backup bool // the first source failed
}

// ask asks the sources in order. Its context is not that of the caller that
// happened to be first, whose cancellation must not fail the others.
func (c *Cache) ask(force bool) (*Set, answer, error) {
	var errs []error
	for i, source := range c.sources {
		set, life, err := c.call(source, force)
		if err == nil && set != nil {
			life = min(max(firstOf(life, c.defaultMaxAge), minAge), maxAge)
			return set, answer{life, i > 0}, nil
		}
		if err == nil {
			err = &fault{FaultSource, errors.New("jwks: the source returned no key set")}
		}
		errs = append(errs, err)
	}
	return nil, answer{}, errors.Join(errs...)
}

// call asks one source. A panic there, over an answer from outside, is an error:
// in this goroutine it would end the process.
func (c *Cache) call(source Source, force bool) (set *Set, life time.Duration, err error) {
	defer func() {
		if recover() != nil {
			err = &fault{FaultSource, errors.New("jwks: the source panicked")}
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	return source.KeySet(ctx, force)
}

// landing is what a fetch changed.
type landing struct {
	before, after State
	old, set      *Set // the set before, nil if there was none, and the one now
}

// land takes the result of a fetch.
func (c *Cache) land(set *Set, life answer, err error, cause Cause) landing {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.flight = nil
	c.lastErr = err
	old := c.current.Load()
	landed := landing{before: c.state}
	if old != nil {
		landed.old, landed.set = old.set, old.set
	}
	switch {
	case err == nil:
		landed.set = c.replace(old, set, life, now)
	case cause == CauseUnknownKey:
		// What strangers' key IDs cause does not put off what is due.
		c.counts.faults[FaultOf(err)]++
	default:
		c.counts.faults[FaultOf(err)]++
		c.retryAt = now.Add(backoff(c.counts.failures))
		c.counts.failures++
	}
	c.state = c.stateAt(now)
	landed.after = c.state
	return landed
}

// replace puts a key set in the place of the one held and returns it, or the one
// held if they are equal. It is called with mu held.
func (c *Cache) replace(old *snapshot, set *Set, life answer, now time.Time) *Set {
	c.counts.failures = 0
	c.retryAt = now
	snap := &snapshot{
		set:        set,
		generation: 1,
		fetchedAt:  now,
		refreshAt:  now.Add(jittered(time.Duration(refreshAhead * float64(life.fresh)))),
		freshUntil: now.Add(life.fresh),
		staleUntil: now.Add(life.fresh + c.maxStale),
	}
	if life.backup { // ask for the better source again soon
		snap.refreshAt = now.Add(jittered(minAge))
	}
	if old != nil {
		snap.generation = old.generation + 1
		if old.set.thumbprint == set.thumbprint {
			snap.set, snap.generation = old.set, old.generation
		}
	}
	c.current.Store(snap)
	return snap.set
}

func backoff(failures int) time.Duration {
	return jittered(min(minBackoff<<min(failures, 6), maxBackoff))
}

// jittered spreads d by ±10 %, so that many instances do not ask at once.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*rand.Float64()))
}
