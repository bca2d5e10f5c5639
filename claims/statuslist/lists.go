package statuslist

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

// Config says whose lists are read, and how. Issuers is required; the rest has
// safe defaults.
type Config struct {
	// Issuers are those whose tokens may have a status. Tokens of others pass.
	Issuers []Issuer

	// Client makes the requests: its transport, cookies and timeout are used,
	// its CheckRedirect is not, as redirects are followed only to what is below
	// a prefix. Nil means [http.DefaultTransport] without cookies.
	Client *http.Client

	// Timeout bounds a fetch. Zero means 3 seconds; at most 1 minute, though a
	// Verifier waits for a Check no longer than 5 seconds.
	Timeout time.Duration

	// DefaultTTL is for how long a list is fresh that does not say. Zero means
	// 5 minutes; from 1 second to 24 hours.
	DefaultTTL time.Duration

	// MaxStale is for how long after that a list goes on serving while no fetch
	// succeeds, though never past its "exp": the longer, the longer a token is
	// accepted that ended in the outage. Zero means 10 minutes, a negative
	// value not at all; at most 24 hours.
	MaxStale time.Duration

	// MaxLists is how many lists are kept, the ones used last. Zero means 64;
	// at most 10,000.
	MaxLists int

	// MaxListSize is how long a list may be, in bytes, once it is decompressed:
	// eight tokens each at one bit for a token. Zero means 1 MiB; at most 64
	// MiB.
	MaxListSize int64
}

const (
	defaultTimeout  = 3 * time.Second
	maxTimeout      = time.Minute
	defaultTTL      = 5 * time.Minute
	shortestTTL     = time.Second
	longest         = 24 * time.Hour
	defaultMaxStale = 10 * time.Minute
	defaultMaxLists = 64
	mostLists       = 10_000
	defaultMaxSize  = 1 << 20
	largestSize     = 64 << 20
	// retry is when a fetch is tried again that has failed.
	retry = 5 * time.Second
)

// key names a list: that of another issuer at the same URL is another.
type key struct{ issuer, uri string }

// kept is a list that is kept.
type kept struct {
	list *statuses
	term asked.Term
	used uint64 // when, in look-ups
}

// Lists knows the statuses of tokens. It is safe for concurrent use. [New]
// makes one.
type Lists struct {
	cfg     Config
	issuers map[string]*issuer
	client  *http.Client
	line    *asked.Line
	desk    *asked.Desk[key, *statuses]
	lookups uint64        // guarded by the desk's lock, as is kept
	kept    map[key]*kept // at most cfg.MaxLists

	fetches, failures atomic.Uint64
}

// New returns a Lists. It does no I/O. The error reports everything that is
// wrong with cfg.
func New(cfg Config) (*Lists, error) {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("statuslist: New: Config."+format, args...))
	}
	l := &Lists{issuers: map[string]*issuer{}, kept: map[key]*kept{}}
	if len(cfg.Issuers) == 0 {
		report("Issuers is required")
	}
	for n, i := range cfg.Issuers {
		of := func(format string, args ...any) {
			report("Issuers[%d]."+format, append([]any{n}, args...)...)
		}
		if l.issuers[i.Issuer] != nil && i.Issuer != "" {
			of("Issuer %q is there twice", i.Issuer)
		}
		l.issuers[i.Issuer] = i.compile(of)
	}
	l.cfg = cfg.withDefaults(report)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	l.client = l.newClient()
	l.line = asked.NewLine(asked.Limits{
		Calls: 4, Keys: l.cfg.MaxLists, Requests: 1000,
		Patience: l.cfg.Timeout, Timeout: l.cfg.Timeout, Total: 2 * l.cfg.Timeout,
	})
	l.desk = asked.New("statuslist: a fetch", l.fetch, l.settle)
	return l, nil
}

func (cfg Config) withDefaults(report func(format string, args ...any)) Config {
	duration := func(name string, value *time.Duration, usual, least, most time.Duration) {
		if *value == 0 {
			*value = usual
		}
		if *value < least || *value > most {
			report("%s of %s is not between %s and %s", name, *value, least, most)
		}
	}
	duration("Timeout", &cfg.Timeout, defaultTimeout, 1, maxTimeout)
	duration("DefaultTTL", &cfg.DefaultTTL, defaultTTL, shortestTTL, longest)
	if cfg.MaxStale < 0 {
		cfg.MaxStale = 0
	} else {
		duration("MaxStale", &cfg.MaxStale, defaultMaxStale, 0, longest)
	}
	if cfg.MaxLists == 0 {
		cfg.MaxLists = defaultMaxLists
	}
	if cfg.MaxLists < 0 || cfg.MaxLists > mostLists {
		report("MaxLists of %d is not between 1 and %d", cfg.MaxLists, mostLists)
	}
	if cfg.MaxListSize == 0 {
		cfg.MaxListSize = defaultMaxSize
	}
	if cfg.MaxListSize < 0 || cfg.MaxListSize > largestSize {
		report("MaxListSize of %d is not between 1 and %d", cfg.MaxListSize, largestSize)
	}
	return cfg
}

// Stats counts what was fetched.
type Stats struct {
	Lists             int    // that are kept
	Fetches, Failures uint64 // those that failed are fetches too
}

// Stats returns what is kept and was fetched so far.
func (l *Lists) Stats() Stats {
	l.desk.Lock()
	defer l.desk.Unlock()
	return Stats{len(l.kept), l.fetches.Load(), l.failures.Load()}
}

// Check refuses a token whose status in its issuer's list is any other than
// VALID, that has no place in the list, or whose list may not be fetched. It is
// a [claims.Config].Check. The error matches [claims.ErrUnavailable] where the
// list cannot be had.
func (l *Lists) Check(ctx context.Context, caller *claims.Claims) error {
	of := l.issuers[caller.Issuer()]
	if of == nil {
		return nil
	}
	at, err := placeOf(caller)
	switch {
	case err != nil:
		return err
	case at == nil && of.Required:
		return errors.New("statuslist: the token has no status_list")
	case at == nil:
		return nil
	}
	if err := of.checkURI(at.uri); err != nil {
		return err
	}
	list, err := l.find(ctx, key{of.Issuer.Issuer, at.uri})
	if err != nil {
		return claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
			fmt.Errorf("statuslist: %w", err))
	}
	status, err := list.at(at.index)
	if err != nil {
		return err
	}
	if status != valid {
		return fmt.Errorf("statuslist: the token is %s by its list", nameOf(status))
	}
	return nil
}

const valid = 0 // section 7.1

// nameOf returns the name of a status (section 7.1), for operators.
func nameOf(status byte) string {
	switch status {
	case 1:
		return "INVALID"
	case 2:
		return "SUSPENDED"
	}
	return fmt.Sprintf("of status %d", status)
}

// find returns a list, fetching it if need be.
func (l *Lists) find(ctx context.Context, k key) (*statuses, error) {
	list, _, err := l.desk.Answer(ctx, func() (*statuses, *asked.Question[*statuses], error) {
		l.lookups++
		own := func(k key) key { return key{k.issuer, strings.Clone(k.uri)} }
		if entry := l.kept[k]; entry != nil {
			entry.used = l.lookups
			return l.desk.Find(k, own, entry.list, &entry.term, l.line)
		}
		return l.desk.Find(k, own, nil, nil, l.line)
	})
	if err == nil && list.err != nil {
		return nil, list.err
	}
	return list, err
}

// settle keeps the answer of a fetch. It is called with the desk's lock held.
func (l *Lists) settle(k key, list *statuses, err error) (*statuses, error) {
	now := clock.Now()
	entry := l.kept[k]
	if err != nil {
		l.failures.Add(1)
		if entry != nil && entry.term.State(now) != asked.Expired && entry.list.err == nil {
			entry.term.Failed(now, retry)
			return entry.list, nil
		}
		// That it cannot be had is remembered too: nobody waits for it again
		// and again.
		l.keep(k, &statuses{err: err}, retry, retry)
		return nil, err
	}
	ttl := list.ttl
	if ttl == 0 {
		ttl = l.cfg.DefaultTTL
	}
	ttl = min(max(ttl, shortestTTL), longest)
	until := ttl + l.cfg.MaxStale
	if !list.expires.IsZero() {
		left := time.Until(list.expires) + leeway
		ttl, until = min(ttl, left), min(until, left)
	}
	l.keep(k, list, ttl, until)
	return list, nil
}

// keep keeps a list in the place of the one before, or of the one that nobody
// has used for longest.
func (l *Lists) keep(k key, list *statuses, due, until time.Duration) {
	entry := &kept{list: list, used: l.lookups}
	if _, again := l.kept[k]; !again && len(l.kept) >= l.cfg.MaxLists {
		var oldest key
		used := l.lookups + 1
		for other, e := range l.kept {
			if e.used < used {
				oldest, used = other, e.used
			}
		}
		delete(l.kept, oldest)
	}
	entry.term.Begin(clock.Now(), due, until)
	l.kept[k] = entry
}
