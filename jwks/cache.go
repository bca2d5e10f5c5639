package jwks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Cache holds the keys of one issuer and sees to it that they are current, as
// the package comment describes. It is safe for concurrent use. It needs no
// closing: a Cache that nobody uses does nothing. A zero Cache has nowhere to
// ask and is only unavailable; [NewCache] makes one.
type Cache struct {
	issuer        string
	name          string // for logs and errors
	sources       []Source
	timeout       time.Duration // of a fetch
	defaultMaxAge time.Duration
	maxStale      time.Duration
	cooldown      time.Duration
	observer      func(context.Context, Event)
	logger        *slog.Logger

	current atomic.Pointer[snapshot]

	mu      sync.Mutex // guards the fields below, never held over I/O
	flight  *flight    // the fetch under way, nil if there is none
	deaf    []bool     // the sources whose last call is given up and goes on
	retryAt instant    // no scheduled fetch before it while keys are held
	emptyAt instant    // nor before this one while none are
	missAt  instant    // no fetch that a token causes before it
	renewAt instant    // no fetch for who must not rely on older keys before it
	quietAt instant    // no line about a panic of the Observer before it
	missing *misses
	lastErr error // of the last fetch
	counts  counts
	state   State // as the last fetch left it
}

// snapshot is a key set and the times that rule its use, in this order. It is
// immutable.
type snapshot struct {
	set        *Set
	backup     bool   // not from the first source
	generation uint64 // counts the sets that differ, from 1
	askedAt    time.Time
	fetchedAt  instant
	refreshAt  instant // a fetch is due
	freshUntil instant
	staleUntil instant // no longer used
}

func (s *snapshot) usable(now time.Time) bool { return s != nil && !s.staleUntil.reached(now) }

// UnavailableError says that no key set is known that could decide, and when it
// is worth asking again. It matches [ErrUnavailable].
type UnavailableError struct {
	// RetryAfter is when the next fetch may have brought keys: at least 1
	// second.
	RetryAfter time.Duration
	of         string // the issuer
	cause      error
}

// Error says whose keys are missing and what went wrong, for operators: it may
// name hosts and paths, and is not for clients.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%v: of %s: %v", ErrUnavailable, e.of, e.cause)
}

// Is reports whether target is [ErrUnavailable].
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// Unwrap returns the error of the last fetch, or of the caller's context.
func (e *UnavailableError) Unwrap() error { return e.cause }

// NewCache returns a cache that has fetched nothing yet. The error reports
// everything that is wrong with cfg.
func NewCache(cfg Config) (*Cache, error) {
	cfg.Sources = slices.Clone(cfg.Sources)
	if err := errors.Join(cfg.validate()...); err != nil {
		return nil, err
	}
	sources := cfg.Sources
	if len(sources) == 0 {
		sources = []Source{newRemote(cfg.remote())}
	}
	cooldown := cmp.Or(cfg.Cooldown, defaultCooldown)
	c := &Cache{
		issuer:        issuerOf(sources),
		sources:       sources,
		deaf:          make([]bool, len(sources)),
		timeout:       cmp.Or(cfg.Timeout, defaultTimeout),
		defaultMaxAge: cmp.Or(cfg.DefaultMaxAge, defaultMaxAge),
		maxStale:      max(cmp.Or(cfg.MaxStale, defaultMaxStale), 0),
		cooldown:      cooldown,
		observer:      cfg.Observer,
		logger:        cfg.Logger,
		missing:       newMisses(2 * cooldown),
		counts:        counts{faults: map[Fault]uint64{}},
		state:         StateEmpty,
	}
	c.name = cmp.Or(c.issuer, withoutQuery(cfg.URL), "sources")
	return c, nil
}

// issuerOf returns the issuer that the first source names which names one.
func issuerOf(sources []Source) string {
	for _, source := range sources {
		if r, ok := source.(*remote); ok && r.cfg.Issuer != "" {
			return r.cfg.Issuer
		}
	}
	return ""
}

// Issuer returns the issuer whose keys the cache holds: that of its [Config],
// or of the first of its Sources that [NewRemote] made for one. It is empty if
// the cache was told of none. Do not use it for tokens of another issuer.
func (c *Cache) Issuer() string { return c.issuer }

// SameConfig reports whether two caches have their keys from the same place and
// rely on them for as long: whether one can stand for the other. The place is
// the same if it is the same by its config, HTTP client included, or, for
// Sources of one's own, if the values are equal. Who observes them does not
// matter.
func (c *Cache) SameConfig(other *Cache) bool {
	return slices.EqualFunc(c.sources, other.sources, sameSource) &&
		c.timeout == other.timeout && c.defaultMaxAge == other.defaultMaxAge &&
		c.maxStale == other.maxStale && c.cooldown == other.cooldown
}

func sameSource(a, b Source) bool {
	switch a := a.(type) {
	case *remote:
		b, ok := b.(*remote)
		return ok && a.same(b)
	case *file:
		b, ok := b.(*file)
		return ok && a.path == b.path
	case *Set:
		b, ok := b.(*Set)
		return ok && a.thumbprint == b.thumbprint
	}
	// Of a value that cannot be compared, == panics.
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// Lookup is [Set.Lookup] on the current key set. Where none is held that may be
// used, or it has no key that fits, it waits for a fetch within the limits that
// the package comment gives, one Timeout in all, and no longer than ctx allows.
//
// The error is [ErrUnknownKey], [ErrKeyMismatch] or [ErrUnavailable]; the last
// only while no key set may be used, whatever was looked up.
func (c *Cache) Lookup(ctx context.Context, keyID, algorithm string) ([]*Key, error) {
	now := time.Now()
	snap := c.current.Load()
	if snap == nil || snap.refreshAt.reached(now) { // nothing else is over before
		var err error
		if snap, err = c.renewed(ctx, snap, now); err != nil {
			return nil, err
		}
	}
	keys, err := snap.set.Lookup(ctx, keyID, algorithm)
	if err != nil {
		s := search{want: fit{keyID, algorithm}, since: now}
		return c.lookupAgain(ctx, snap, s, err)
	}
	return keys, nil
}

// Holds reports whether the current key set has this very key, by [Key.Equal],
// and counts as a use of the set: one that is due is fetched. It waits for
// nothing and is false where no set is held that may be used. now is
// [time.Now], which who asks for each request has read already.
func (c *Cache) Holds(key *Key, now time.Time) bool {
	snap := c.current.Load()
	if snap == nil || snap.refreshAt.reached(now) {
		if !snap.usable(now) {
			return false
		}
		c.refresh(now)
	}
	_, held := snap.set.held[key.identity]
	return held
}

// renewed returns the snapshot to look in where seen is due or missing.
func (c *Cache) renewed(ctx context.Context, seen *snapshot, now time.Time) (*snapshot, error) {
	if seen.usable(now) {
		c.refresh(now)
		return seen, nil
	}
	snap, err := c.await(ctx, maxWaiting)
	if err != nil {
		c.countUnavailable()
		c.emit(ctx, Event{Kind: EventRefusal, Refusal: RefusalUnavailable, Err: err})
		return nil, err
	}
	return snap, nil
}

// Ready waits until there is a key set that may be used and returns nil, or
// [ErrUnavailable] if a fetch brought none or failed too lately to try again.
// It is for readiness probes: it makes the first fetch, so that readiness does
// not wait for a token to arrive, and starts those that are due. However many
// look-ups wait, it can wait too.
func (c *Cache) Ready(ctx context.Context) error {
	now := time.Now()
	if snap := c.current.Load(); snap.usable(now) {
		if snap.refreshAt.reached(now) { // a replica in waiting has keys in reserve too
			c.refresh(now)
		}
		return nil
	}
	_, err := c.await(ctx, noLimit)
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
