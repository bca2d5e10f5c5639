package jwks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	refreshAhead  = 0.8
	staleLimit    = time.Hour
	missCooldown  = 30 * time.Second
	minBackoff    = time.Second
	maxBackoff    = time.Minute
	jitter        = 0.1
	giveUpRetryIn = time.Second // for a caller whose own context ended first
)

// Config says where a [Cache] finds its keys. At least one of Issuer and URL is
// needed.
type Config struct {
	// Issuer is the issuer identifier (RFC 8414 section 2): an https URL, or
	// http on a loopback address, without query and fragment. Where URL is
	// empty, its metadata says where the keys are.
	Issuer string

	// URL is where the key set is, for issuers without metadata. Empty means
	// that it is discovered.
	URL string

	// Client makes the requests: for a proxy or a private certificate
	// authority. Its transport, cookies and timeout are used; its CheckRedirect
	// is not, as redirects are followed only within an origin. Nil means
	// [http.DefaultTransport] without cookies. Each request is given 5 seconds
	// whatever the client allows.
	Client *http.Client
}

// Cache holds the keys of one issuer and sees to it that they are current, as
// the package comment describes. It is safe for concurrent use. It needs no
// closing: a Cache that nobody uses does nothing.
type Cache struct {
	remote  *remote
	current atomic.Pointer[snapshot]

	mu       sync.Mutex // guards the fields below, never held over I/O
	flight   *flight    // the fetch under way, nil if there is none
	failures int        // since the last success
	retryAt  time.Time  // no scheduled fetch before it
	missAt   time.Time  // no fetch for an unknown key ID before it
	lastErr  error      // of the last fetch
}

// snapshot is a key set and the times that rule its use.
type snapshot struct {
	set       *Set
	refreshAt time.Time
	staleAt   time.Time
}

func (s *snapshot) usable(now time.Time) bool { return s != nil && now.Before(s.staleAt) }

// flight is one fetch that any number of callers wait for.
type flight struct{ done chan struct{} }

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// UnavailableError says that no key set is known that could decide, and when it
// is worth asking again. It matches [ErrUnavailable].
type UnavailableError struct {
	// RetryAfter is when the next fetch may have brought keys: at least 1
	// second.
	RetryAfter time.Duration
	cause      error
}

// Error says what went wrong, for operators: it names URLs and is not for
// clients.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%v: %v", ErrUnavailable, e.cause)
}

// Is reports whether target is [ErrUnavailable].
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// Unwrap returns the error of the last fetch, or of the caller's context.
func (e *UnavailableError) Unwrap() error { return e.cause }

// NewCache returns a cache that has fetched nothing yet. The error reports
// everything that is wrong with cfg.
func NewCache(cfg Config) (*Cache, error) {
	r, err := newRemote(cfg)
	if err != nil {
		return nil, err
	}
	return &Cache{remote: r}, nil
}

// Lookup is [Set.Lookup] on the current key set. Where none is held that may be
// used, or the key is unknown, it waits for a fetch within the limits that the
// package comment gives, and no longer than ctx allows.
//
// The error is [ErrUnknownKey], [ErrKeyMismatch] or [ErrUnavailable]; the last
// only while no key set may be used, whatever was looked up.
func (c *Cache) Lookup(ctx context.Context, keyID, algorithm string) ([]*Key, error) {
	now := time.Now()
	snap := c.current.Load()
	switch {
	case !snap.usable(now):
		var err error
		if snap, err = c.await(ctx); err != nil {
			return nil, err
		}
	case now.After(snap.refreshAt):
		c.refresh(now)
	}
	keys, err := snap.set.Lookup(ctx, keyID, algorithm)
	if err == ErrUnknownKey { //nolint:errorlint // Set.Lookup returns it bare
		return c.lookupAgain(ctx, snap, keyID, algorithm)
	}
	return keys, err
}

// Ready waits until there is a key set that may be used and returns nil, or
// [ErrUnavailable] if a fetch brought none or failed too lately to try again.
// It is for readiness probes: it makes the first fetch, so that readiness does
// not wait for a token to arrive.
func (c *Cache) Ready(ctx context.Context) error {
	if c.current.Load().usable(time.Now()) {
		return nil
	}
	_, err := c.await(ctx)
	return err
}

// Set returns the current key set, nil if none is held that may be used. It
// starts no fetch.
func (c *Cache) Set() *Set {
	snap := c.current.Load()
	if !snap.usable(time.Now()) {
		return nil
	}
	return snap.set
}

// refresh starts a fetch that nobody waits for, if it is time for one.
func (c *Cache) refresh(now time.Time) {
	if !c.mu.TryLock() { // somebody else is seeing to it
		return
	}
	defer c.mu.Unlock()
	if c.flight == nil && !now.Before(c.retryAt) && !now.Before(c.current.Load().refreshAt) {
		c.start()
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
			return nil, &UnavailableError{giveUpRetryIn, err}
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
		c.start()
	}
	return c.flight, nil
}

// unavailable is called with mu held.
func (c *Cache) unavailable(now time.Time) error {
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
func (c *Cache) lookupAgain(
	ctx context.Context, seen *snapshot, keyID, algorithm string,
) ([]*Key, error) {
	// A fetch that was under way already may have been answered before the
	// rotation, so one more may follow it.
	for range 2 {
		f, ours := c.joinForMissing(seen)
		if f != nil {
			if err := f.wait(ctx); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrUnknownKey, err)
			}
		}
		newer := c.current.Load()
		if newer == seen && (f == nil || ours) {
			break
		}
		seen = newer
		keys, err := seen.set.Lookup(ctx, keyID, algorithm)
		if err != ErrUnknownKey { //nolint:errorlint // Set.Lookup returns it bare
			return keys, err
		}
		if ours {
			break
		}
	}
	return nil, ErrUnknownKey
}

// joinForMissing returns the fetch to wait for where the snapshot seen lacks a
// key, and whether it was started for it; nil if there is a newer snapshot, or
// none may be fetched.
func (c *Cache) joinForMissing(seen *snapshot) (f *flight, ours bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != seen {
		return nil, false
	}
	if c.flight != nil {
		return c.flight, false
	}
	now := time.Now()
	if now.Before(c.missAt) {
		return nil, false
	}
	c.missAt = now.Add(missCooldown)
	c.start()
	return c.flight, true
}

// start begins a fetch. It is called with mu held and no flight.
func (c *Cache) start() {
	f := &flight{done: make(chan struct{})}
	c.flight = f
	go func() {
		// Not the context of the caller that happened to be first: its
		// cancellation must not fail the others.
		set, life, err := c.remote.fetch(context.Background())
		c.land(set, life, err)
		close(f.done)
	}()
}

// land takes the result of a fetch.
func (c *Cache) land(set *Set, life time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.flight = nil
	c.lastErr = err
	if err != nil {
		c.retryAt = now.Add(jittered(min(minBackoff<<min(c.failures, 6), maxBackoff)))
		c.failures++
		return
	}
	c.failures = 0
	c.retryAt = now
	c.current.Store(&snapshot{
		set:       set,
		refreshAt: now.Add(jittered(time.Duration(refreshAhead * float64(life)))),
		staleAt:   now.Add(life + staleLimit),
	})
}

// jittered spreads d by ±10 %, so that many instances do not ask at once.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*rand.Float64()))
}
