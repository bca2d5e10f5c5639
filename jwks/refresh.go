package jwks

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

const (
	refreshAhead = 0.8
	jitter       = 0.1
	minBackoff   = time.Second
	maxBackoff   = time.Minute
	// maxEmptyBackoff is the longest pause while there are no keys: every
	// request is refused for as long.
	maxEmptyBackoff = 8 * time.Second
)

// maxWaiting is how many look-ups wait for one fetch: each holds a request that
// somebody may have sent for that.
const (
	maxWaiting = 256
	noLimit    = math.MaxInt
)

// Cause is why a fetch was made.
type Cause string

// The causes.
const (
	CauseInitial    Cause = "initial"     // no keys were held that may be used
	CauseRefresh    Cause = "refresh"     // the keys held were due
	CauseUnknownKey Cause = "unknown_key" // none of the keys held was a token's
)

// flight is one fetch that any number of callers wait for.
type flight struct {
	cause Cause
	begun time.Time
	done  chan struct{}

	// The cache's mu guards these.
	waiting int // look-ups
	missing fit // the key that the fetch is made for, if it has an ID
}

// wait waits for a fetch that the caller has joined.
func (c *Cache) wait(ctx context.Context, f *flight) error {
	defer c.leave(f)
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Cache) leave(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
}

// refresh starts a fetch that nobody waits for, if it is time for one.
func (c *Cache) refresh(now time.Time) {
	if !c.mu.TryLock() { // somebody else is seeing to it
		return
	}
	defer c.mu.Unlock()
	if c.flight == nil && c.retryAt.reached(now) && c.current.Load().refreshAt.reached(now) {
		c.start(CauseRefresh, false)
	}
}

// await returns a snapshot that may be used, waiting for a fetch if need be and
// fewer than limit others do.
func (c *Cache) await(ctx context.Context, limit int) (*snapshot, error) {
	f, err := c.join(limit)
	if err != nil {
		return nil, err
	}
	if f != nil {
		if err := c.wait(ctx, f); err != nil {
			return nil, &UnavailableError{time.Second, c.name, err}
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
func (c *Cache) join(limit int) (*flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch {
	case c.current.Load().usable(now):
		return nil, nil
	case c.flight != nil:
	case len(c.sources) == 0 || !c.emptyAt.reached(now):
		return nil, c.unavailable(now)
	default:
		c.start(CauseInitial, false)
	}
	if c.flight.waiting >= limit {
		return nil, &UnavailableError{time.Second, c.name, fmt.Errorf(
			"the first keys are being fetched, and %d look-ups wait for them already", limit)}
	}
	c.flight.waiting++
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
	switch {
	case len(c.sources) == 0:
		cause = errors.New("the Cache was not made by NewCache")
	case cause == nil:
		cause = errors.New("the keys held are too old")
	}
	return &UnavailableError{max(c.emptyAt.left(now), time.Second), c.name, cause}
}

// start begins a fetch. It is called with mu held and no flight.
func (c *Cache) start(cause Cause, force bool) {
	now := time.Now()
	f := &flight{cause: cause, begun: now, done: make(chan struct{})}
	c.flight = f
	c.counts.begin(cause, now)
	sources := c.sources
	if snap := c.current.Load(); snap != nil && !snap.backup && !snap.freshUntil.reached(now) {
		sources = sources[:1] // a failure of the first costs nothing yet
	}
	go func() {
		set, life, err := c.ask(sources, force)
		landed := c.land(f, set, life, err)
		close(f.done)
		c.report(Event{
			Kind: EventFetch, Cause: cause, Duration: time.Since(now),
			Fault: FaultOf(err), Err: err,
		}, landed)
	}()
}

// landing is what a fetch changed.
type landing struct {
	before, after State
	old, set      *Set  // the set before, nil if there was none, and the one now
	fault         Fault // of the fetch before
}

// land takes the result of a fetch.
func (c *Cache) land(f *flight, set *Set, life answer, err error) landing {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.flight = nil
	landed := landing{before: c.state, fault: FaultOf(c.lastErr)}
	c.lastErr = err
	old := c.current.Load()
	if old != nil {
		landed.old, landed.set = old.set, old.set
	}
	if err != nil {
		c.counts.faults[FaultOf(err)]++
	}
	switch {
	case set != nil:
		landed.set = set
		c.replace(f, set, life, now)
		c.remember(f.missing, set, now)
	case f.cause != CauseUnknownKey:
		// What strangers' key IDs cause does not put off what is due.
		pause := minBackoff << min(c.counts.failures, 6)
		c.retryAt = instantOf(now).add(jittered(min(pause, maxBackoff)))
		c.emptyAt = instantOf(now).add(jittered(min(pause, maxEmptyBackoff)))
		c.counts.failures++
	}
	c.state = c.stateAt(now)
	landed.after = c.state
	return landed
}

// replace puts a key set in the place of the one held. It is called with mu
// held.
func (c *Cache) replace(f *flight, set *Set, life answer, now time.Time) {
	c.counts.failures = 0
	c.retryAt, c.emptyAt = instantOf(now), instantOf(now)
	due := life.fresh
	if life.backup { // ask for the better source again soon
		due = minAge
	}
	fetched := instantOf(now)
	snap := &snapshot{
		set:        set,
		backup:     life.backup,
		generation: 1,
		askedAt:    f.begun,
		fetchedAt:  fetched,
		refreshAt:  fetched.add(jittered(time.Duration(refreshAhead * float64(due)))),
		freshUntil: fetched.add(life.fresh),
		staleUntil: fetched.add(life.fresh + c.maxStale),
	}
	if old := c.current.Load(); old != nil {
		snap.generation = old.generation
		if old.set.thumbprint != set.thumbprint {
			snap.generation++
		}
	}
	c.current.Store(snap)
}

// jittered spreads d by ±10 %, so that many instances do not ask at once.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*rand.Float64()))
}
