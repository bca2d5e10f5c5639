package jwks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultMaxAge   = 10 * time.Minute
	minAge          = time.Minute
	maxAge          = 24 * time.Hour
	defaultMaxStale = time.Hour
	defaultCooldown = 30 * time.Second
	maxCooldown     = time.Hour
)

// Config says where a [Cache] finds its keys and how long it relies on them. One
// of Issuer, URL and Sources is needed; the rest has safe defaults.
type Config struct {
	// Issuer is the issuer identifier (RFC 8414 section 2): an https URL, or
	// http on a loopback address, without query and fragment. Where URL is
	// empty, the issuer's metadata says where its keys are.
	Issuer string

	// MetadataURL is where the issuer's metadata is, if it is neither where
	// OpenID Connect Discovery nor where RFC 8414 has it. The issuer that the
	// metadata names must equal Issuer all the same.
	MetadataURL string

	// URL is where the key set is, for issuers without metadata. Empty means
	// that it is discovered.
	URL string

	// Client makes the requests: for a proxy or a private certificate
	// authority. Its transport, cookies and timeout are used; its CheckRedirect
	// is not, as redirects are followed only within an origin. Nil means
	// [http.DefaultTransport] without cookies.
	Client *http.Client

	// Sources are where the keys come from instead. The first one's are used
	// while they are fresh; only past that, or where there are none, are the
	// others asked in turn if it fails, and it is asked again within a minute.
	// With Sources, the fields above must be empty; [NewRemote] makes a Source of
	// them.
	Sources []Source

	// Timeout bounds each request, and each call of a Source to three times as
	// much, after which nobody waits for it. Zero means 5 seconds; at most 1
	// minute.
	Timeout time.Duration

	// DefaultMaxAge is for how long a key set is fresh whose source does not
	// say: from 1 minute to 24 hours. Zero means 10 minutes.
	DefaultMaxAge time.Duration

	// MaxStale is for how long after that the keys go on serving while no fetch
	// succeeds, or until the fetch ends that the first look-up after a quiet time
	// starts: the longer, the longer an outage of the issuer is survived, and the
	// longer a key that was withdrawn in that time is believed. Zero means 1
	// hour, a negative value not at all; at most 24 hours.
	MaxStale time.Duration

	// Cooldown is how long after a fetch for an unknown key ID the next one is
	// made: what a rotation without notice may take to be seen while somebody
	// sends invented key IDs, and the least time between two fetches that he can
	// cause. A key ID that a fetch did not bring causes no other for twice as
	// long. Zero means 30 seconds; from 1 second to 1 hour.
	Cooldown time.Duration

	// Observer is told of each [Event], nil if nobody is. It is called by the
	// goroutine that the event happens on, a request's for [EventRefusal], and
	// must be quick and safe for concurrent use.
	Observer func(Event)

	// Logger gets a line for each change of state and each rotation, none per
	// request. Nil means [slog.Default]; slog.New(slog.DiscardHandler) is
	// silence.
	Logger *slog.Logger
}

// Cache holds the keys of one issuer and sees to it that they are current, as
// the package comment describes. It is safe for concurrent use. It needs no
// closing: a Cache that nobody uses does nothing.
type Cache struct {
	name          string // for logs
	sources       []Source
	timeout       time.Duration // of a call of a source
	defaultMaxAge time.Duration
	maxStale      time.Duration
	cooldown      time.Duration
	observer      func(Event)
	logger        *slog.Logger

	current atomic.Pointer[snapshot]

	mu      sync.Mutex // guards the fields below, never held over I/O
	flight  *flight    // the fetch under way, nil if there is none
	deaf    []bool     // the sources whose last call is given up and goes on
	retryAt time.Time  // no scheduled fetch before it
	missAt  time.Time  // no fetch for an unknown key ID before it
	missing *misses
	lastErr error // of the last fetch
	counts  counts
	state   State // as the last fetch left it
}

// snapshot is a key set and the times that rule its use. It is immutable.
type snapshot struct {
	set        *Set
	backup     bool   // not from the first source
	generation uint64 // counts the sets that differ, from 1
	fetchedAt  time.Time
	refreshAt  time.Time // a fetch is due
	freshUntil time.Time
	staleUntil time.Time // no longer used
}

func (s *snapshot) usable(now time.Time) bool { return s != nil && now.Before(s.staleUntil) }

// UnavailableError says that no key set is known that could decide, and when it
// is worth asking again. It matches [ErrUnavailable].
type UnavailableError struct {
	// RetryAfter is when the next fetch may have brought keys: at least 1
	// second.
	RetryAfter time.Duration
	cause      error
}

// Error says what went wrong, for operators: it may name hosts and paths, and is
// not for clients.
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
	cfg.Sources = slices.Clone(cfg.Sources)
	errs := cfg.validate()
	sources := cfg.Sources
	if len(sources) == 0 {
		remote, err := newRemote(RemoteConfig{
			Issuer: cfg.Issuer, MetadataURL: cfg.MetadataURL, URL: cfg.URL,
			Client: cfg.Client, Timeout: max(cfg.Timeout, 0),
		})
		errs = append(errs, err)
		sources = []Source{remote}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	c := &Cache{
		name:          withoutQuery(firstOf(cfg.Issuer, cfg.URL, "sources")),
		sources:       sources,
		deaf:          make([]bool, len(sources)),
		timeout:       3 * firstOf(cfg.Timeout, defaultTimeout),
		defaultMaxAge: firstOf(cfg.DefaultMaxAge, defaultMaxAge),
		maxStale:      max(firstOf(cfg.MaxStale, defaultMaxStale), 0),
		cooldown:      firstOf(cfg.Cooldown, defaultCooldown),
		observer:      cfg.Observer,
		logger:        cfg.Logger,
		missing:       newMisses(2 * firstOf(cfg.Cooldown, defaultCooldown)),
		counts:        counts{faults: map[Fault]uint64{}},
		state:         StateEmpty,
	}
	return c, nil
}

func (cfg Config) validate() []error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("jwks: Config."+format, args...))
	}
	if len(cfg.Sources) > 0 &&
		(cfg.Issuer != "" || cfg.URL != "" || cfg.MetadataURL != "" || cfg.Client != nil) {
		report("Sources takes the place of Issuer, MetadataURL, URL and Client")
	}
	for i, source := range cfg.Sources {
		if source == nil {
			report("Sources[%d] is nil", i)
		}
	}
	if cfg.Timeout < 0 || cfg.Timeout > time.Minute {
		report("Timeout of %v is not between 0 and %v", cfg.Timeout, time.Minute)
	}
	if d := cfg.DefaultMaxAge; d != 0 && (d < minAge || d > maxAge) {
		report("DefaultMaxAge of %v is not between %v and %v", d, minAge, maxAge)
	}
	if cfg.MaxStale > 24*time.Hour {
		report("MaxStale of %v is more than %v", cfg.MaxStale, 24*time.Hour)
	}
	if d := cfg.Cooldown; d != 0 && (d < time.Second || d > maxCooldown) {
		report("Cooldown of %v is not between %v and %v", d, time.Second, maxCooldown)
	}
	return errs
}

// SameConfig reports whether two caches have their keys from the same place and
// rely on them for as long: whether one can stand for the other. The place is the
// same if it is the same by its config, HTTP client included, or, for Sources of
// one's own, if the values are equal. Who observes them does not matter.
func (c *Cache) SameConfig(other *Cache) bool {
	return slices.EqualFunc(c.sources, other.sources, sameSource) &&
		c.timeout == other.timeout && c.defaultMaxAge == other.defaultMaxAge &&
		c.maxStale == other.maxStale && c.cooldown == other.cooldown
}

func sameSource(a, b Source) bool {
	switch a := a.(type) {
	case *remote:
		b, ok := b.(*remote)
		return ok && a.cfg == b.cfg
	case *file:
		b, ok := b.(*file)
		return ok && a.path == b.path
	}
	// Of a value that can not be compared, == panics.
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// firstOf returns the first of values that is not zero.
func firstOf[T comparable](values ...T) T {
	var zero T
	for _, value := range values {
		if value != zero {
			return value
		}
	}
	return zero
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
			c.countUnavailable()
			c.emit(Event{Kind: EventRefusal, Refusal: RefusalUnavailable, Err: err})
			return nil, err
		}
	case !now.Before(snap.refreshAt):
		c.refresh(now)
	}
	keys, err := snap.set.Lookup(ctx, keyID, algorithm)
	if err == ErrUnknownKey { // Set.Lookup returns it bare
		return c.lookupAgain(ctx, snap, fit{keyID, algorithm})
	}
	return keys, err
}

// Ready waits until there is a key set that may be used and returns nil, or
// [ErrUnavailable] if a fetch brought none or failed too lately to try again.
// It is for readiness probes: it makes the first fetch, so that readiness does
// not wait for a token to arrive, and starts those that are due.
func (c *Cache) Ready(ctx context.Context) error {
	now := time.Now()
	if snap := c.current.Load(); snap.usable(now) {
		if !now.Before(snap.refreshAt) { // a replica in waiting has keys in reserve too
			c.refresh(now)
		}
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
