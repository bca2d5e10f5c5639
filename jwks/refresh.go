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
	cause   Cause
	done    chan struct{}
	missing []fit // unknown keys whose look-ups wait, guarded by the cache's mu
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

func (c *Cache) countUnavailable() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.unavailable++
}

// unavailable is called with mu held.
func (c *Cache) unavailable(now time.Time) error {
	cause := c.lastErr
	if cause == nil {
		cause = errors.New("the keys held are too old")
	}
	return &UnavailableError{max(c.retryAt.Sub(now), time.Second), cause}
}

// start begins a fetch. It is called with mu held and no flight.
func (c *Cache) start(cause Cause) {
	f := &flight{cause: cause, done: make(chan struct{})}
	c.flight = f
	now := time.Now()
	c.counts.begin(cause, now)
	sources := c.sources
	if snap := c.current.Load(); snap != nil && !snap.backup && now.Before(snap.freshUntil) {
		sources = sources[:1] // a failure of the first costs nothing yet
	}
	go func() {
		set, life, err := c.ask(sources, cause == CauseUnknownKey)
		landed := c.land(f, set, life, err)
		close(f.done)
		c.report(Event{
			Kind: EventFetch, Cause: cause, Duration: time.Since(now), Fault: FaultOf(err), Err: err,
		}, landed)
	}()
}

// answer is for how long what a source said may be relied on.
type answer struct {
	fresh  time.Duration
	backup bool // the first source failed
}

// ask asks the sources in order. The error is that of those that failed, also
// where a later one answered.
func (c *Cache) ask(sources []Source, force bool) (*Set, answer, error) {
	var errs []error
	for i := range sources {
		set, life, err := c.call(i, force)
		if err == nil {
			life = min(max(firstOf(life, c.defaultMaxAge), minAge), maxAge)
			return set, answer{life, i > 0}, errors.Join(errs...)
		}
		errs = append(errs, err)
	}
	return nil, answer{}, errors.Join(errs...)
}

// call asks one source, and waits no longer than it may take even if it does not
// heed its context, which is not that of the caller that happened to be first:
// its cancellation must not fail the others. A source is not asked again while
// it has not returned.
func (c *Cache) call(i int, force bool) (*Set, time.Duration, error) {
	if c.isDeaf(i) {
		return nil, 0, &fault{FaultTimeout, errors.New("jwks: the source has not returned yet")}
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	type result struct {
		set  *Set
		life time.Duration
		err  error
	}
	done := make(chan result, 1)
	c.setDeaf(i, true) // until it has returned
	go func() {
		r := result{err: &fault{FaultSource, errors.New("jwks: the source did not return")}}
		// A panic here, over an answer from outside, would end the process.
		defer func() {
			if p := recover(); p != nil {
				r.err = &fault{FaultSource, fmt.Errorf("jwks: the source panicked: %v", p)}
			}
			c.setDeaf(i, false)
			done <- r
		}()
		set, life, err := c.sources[i].KeySet(ctx, force)
		if err == nil && set == nil {
			err = &fault{FaultSource, errors.New("jwks: the source returned no key set")}
		}
		r = result{set, life, err}
	}()
	select {
	case r := <-done:
		return r.set, r.life, r.err
	case <-ctx.Done():
		return nil, 0, &fault{FaultTimeout, fmt.Errorf("jwks: the source: %w", ctx.Err())}
	}
}

func (c *Cache) isDeaf(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deaf[i]
}

func (c *Cache) setDeaf(i int, deaf bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf[i] = deaf
}

// landing is what a fetch changed.
type landing struct {
	before, after State
	old, set      *Set // the set before, nil if there was none, and the one now
}

// land takes the result of a fetch.
func (c *Cache) land(f *flight, set *Set, life answer, err error) landing {
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
	if err != nil {
		c.counts.faults[FaultOf(err)]++
	}
	switch {
	case set != nil:
		landed.set = set
		c.replace(old, set, life, now)
		if f.cause == CauseUnknownKey {
			c.remember(f.missing, set, now)
		}
	case f.cause != CauseUnknownKey:
		// What strangers' key IDs cause does not put off what is due.
		c.retryAt = now.Add(backoff(c.counts.failures))
		c.counts.failures++
	}
	c.state = c.stateAt(now)
	landed.after = c.state
	return landed
}

// replace puts a key set in the place of the one held. It is called with mu held.
func (c *Cache) replace(old *snapshot, set *Set, life answer, now time.Time) {
	c.counts.failures = 0
	c.retryAt = now
	due := life.fresh
	if life.backup { // ask for the better source again soon
		due = minAge
	}
	snap := &snapshot{
		set:        set,
		backup:     life.backup,
		generation: 1,
		fetchedAt:  now,
		refreshAt:  now.Add(jittered(time.Duration(refreshAhead * float64(due)))),
		freshUntil: now.Add(life.fresh),
		staleUntil: now.Add(life.fresh + c.maxStale),
	}
	if old != nil {
		snap.generation = old.generation
		if old.set.thumbprint != set.thumbprint {
			snap.generation++
		}
	}
	c.current.Store(snap)
}

func backoff(failures int) time.Duration {
	return jittered(min(minBackoff<<min(failures, 6), maxBackoff))
}

// jittered spreads d by ±10 %, so that many instances do not ask at once.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*rand.Float64()))
}
