package revocation

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// Config says what a [Table] keeps. The zero value is useful: a table of one
// process.
type Config struct {
	// MaxTokenLife is the longest that a token lives, of any issuer, by its
	// "exp": an [Entry] is kept so long, and 5 minutes for the clocks. What was
	// revoked is accepted again after it if the token lives longer, so hold the
	// issuers to it with claims.Config.MaxLifetime. Zero means 24 hours; at
	// most a year.
	MaxTokenLife time.Duration

	// MaxEntries is how many entries are kept, of about 300 bytes and their
	// text. A full table refuses more tokens, never fewer: all entries of the
	// issuer that has most become one, which ends everything of that issuer
	// issued until the last of them. The log says so, and [Stats].Widened. Zero
	// means 250,000; at least 2, at most 16 million.
	MaxEntries int

	// Leeway is how far the clocks of issuers may be ahead of ours: a token
	// that was issued so long after an [Entry]'s Before by its "iat" has ended
	// too. Who signs in again meanwhile is refused as well. Zero means none but
	// the second that "iat" is rounded to; at most 5 minutes.
	Leeway time.Duration

	// Store shares entries with other replicas. Nil means that there are none.
	Store Store

	// Logger is told each piece of news in one line, and when the table is
	// full. The lines have subjects, sessions and token IDs, which may be
	// personal data. Nil means [slog.Default].
	Logger *slog.Logger
}

// Store shares entries between the tables of replicas. It is fed by
// [Table.Revoke], and feeds each table by [Table.Apply], [Table.Confirm] and,
// for what the others lack, [Table.Entries].
type Store interface {
	// Share stores an entry until its end, Entry.Until, and tells all replicas.
	// This replica may be told too.
	Share(ctx context.Context, e Entry) error
}

const (
	defaultTokenLife  = 24 * time.Hour
	longestTokenLife  = 366 * 24 * time.Hour
	defaultMaxEntries = 250_000
	fewestEntries     = 2 // of which one may stand for all
	mostEntries       = 16_000_000
	maxLeeway         = 5 * time.Minute
)

// validate returns all that is wrong.
func (c Config) validate() error {
	var errs []error
	if c.MaxTokenLife < 0 || c.MaxTokenLife > longestTokenLife {
		errs = append(errs, fmt.Errorf("revocation: NewTable: "+
			"Config.MaxTokenLife of %s is not between 0 and a year", c.MaxTokenLife))
	}
	if c.MaxEntries != 0 && (c.MaxEntries < fewestEntries || c.MaxEntries > mostEntries) {
		errs = append(errs, fmt.Errorf("revocation: NewTable: "+
			"Config.MaxEntries of %d is not between %d and %d",
			c.MaxEntries, fewestEntries, mostEntries))
	}
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		errs = append(errs, fmt.Errorf("revocation: NewTable: "+
			"Config.Leeway of %s is not between 0 and %s", c.Leeway, maxLeeway))
	}
	return errors.Join(errs...)
}

// Table is a [claims.Revocations]: what has ended. It is safe for concurrent
// use. [NewTable] makes one; with a zero Table nothing can be decided.
type Table struct {
	config Config
	hasher hasher
	shelf  atomic.Pointer[shelf]
	latest atomic.Pointer[claims.News]
	heard  atomic.Pointer[time.Time] // nil for never
	used   [kinds]atomic.Int64       // entries of each kind

	mu      sync.Mutex // guards the fields below, and is held while entries change
	ends    ends
	issuers map[string]int // how many entries each has
	stats   Stats
	told    map[*func()]struct{}
}

// NewTable returns an empty Table. The error reports everything that is wrong
// with the Config.
func NewTable(cfg Config) (*Table, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.MaxTokenLife == 0 {
		cfg.MaxTokenLife = defaultTokenLife
	}
	if cfg.MaxEntries == 0 {
		cfg.MaxEntries = defaultMaxEntries
	}
	t := &Table{
		config: cfg, hasher: hasher{maphash.MakeSeed()},
		issuers: map[string]int{}, told: map[*func()]struct{}{},
	}
	t.shelf.Store(newShelf(1))
	return t, nil
}

func newShelf(entries int) *shelf {
	size := 64
	for size < entries {
		size *= 2
	}
	s := make(shelf, size)
	return &s
}

// ErrNotShared means that the [Store] failed: what [Table.Revoke] was told of
// has ended on this replica alone, and it is to be called again.
var ErrNotShared = errors.New("revocation: Revoke: revoked on this replica alone")

var errNotMade = errors.New("revocation: the Table was not made by NewTable")

func (t *Table) isMade() bool { return t != nil && t.shelf.Load() != nil }

// Revoke ends what e names: here at once, on the next use of a token and in
// what is open, and on all replicas by Config.Store. The error says what is
// wrong with e, and then nothing is revoked, or matches [ErrNotShared].
func (t *Table) Revoke(ctx context.Context, e Entry) error {
	complete, err := t.apply(e)
	if err != nil {
		return fmt.Errorf("revocation: Revoke: %w", err)
	}
	if t.config.Store == nil {
		return nil
	}
	if err := t.config.Store.Share(ctx, complete); err != nil {
		return fmt.Errorf("%w: %w", ErrNotShared, err)
	}
	return nil
}

// Apply is Revoke for what a [Store] brings, with which nothing is shared.
func (t *Table) Apply(e Entry) error {
	if _, err := t.apply(e); err != nil {
		return fmt.Errorf("revocation: Apply: %w", err)
	}
	return nil
}

// Confirm says that everything which all replicas knew at a time has been
// applied: [Table.Heard] returns it from then on. A [Store] calls it.
func (t *Table) Confirm(at time.Time) {
	for {
		before := t.heard.Load()
		if before != nil && !at.After(*before) || t.heard.CompareAndSwap(before, &at) {
			return
		}
	}
}

// Heard returns the time up to which all news is known: now without a Store,
// otherwise what [Table.Confirm] was told last, zero if nothing.
func (t *Table) Heard() time.Time {
	if !t.isMade() {
		return time.Time{}
	}
	if t.config.Store == nil {
		return time.Now()
	}
	if at := t.heard.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// Entries returns the entries that have not ended, in no order, as they are
// when it is walked.
func (t *Table) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		if !t.isMade() {
			return
		}
		t.mu.Lock()
		all, now := slices.Clone(t.ends), time.Now()
		t.mu.Unlock()
		for _, k := range all {
			if now.Before(k.Until) && k.Issuer != "" && !yield(k.Entry) {
				return
			}
		}
	}
}

// Subscribe has told called after each piece of news until cancel is called.
func (t *Table) Subscribe(told func()) (cancel func()) {
	if !t.isMade() {
		return func() {}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told[&told] = struct{}{}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.told, &told)
	}
}

// apply adds an entry and tells of it, unless it says nothing new. It returns
// the entry with its times.
func (t *Table) apply(e Entry) (Entry, error) {
	if !t.isMade() {
		return Entry{}, errNotMade
	}
	now := time.Now()
	e, err := e.complete(now, t.config.MaxTokenLife)
	if err != nil {
		return Entry{}, err
	}
	// What they are part of may be much larger.
	for _, text := range []*string{&e.Issuer, &e.Token, &e.Session, &e.Subject, &e.ClientID} {
		*text = strings.Clone(*text)
	}
	t.tell(t.add(e, now))
	return e, nil
}

// news is what a new entry means for others, zero if it says nothing new.
type news struct {
	*kept
	entries int
	widened []widened
	told    []func()
}

// add adds an entry.
func (t *Table) add(e Entry, now time.Time) (n news) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropEnded(now)
	if !now.Before(e.Until) {
		return news{} // no token is left
	}
	hash := t.hasher.entry(&e)
	if same := t.shelf.Load().find(&e, hash); same != nil {
		if same.covers(&e) {
			return news{}
		}
		e = same.with(&e)
		t.remove(same)
	}
	for len(t.ends) >= t.config.MaxEntries {
		n.widened = append(n.widened, t.widen(now))
	}
	n.kept = t.keep(e)
	n.entries = len(t.ends)
	t.stats.News, t.stats.LastNews = t.stats.News+1, now
	for told := range t.told {
		n.told = append(n.told, *told)
	}
	t.latest.Store(&claims.News{Time: now}) // last, as whoever sees it looks for the entry
	return n
}

// tell logs the news and tells those who subscribed.
func (t *Table) tell(n news) {
	if n.kept == nil {
		return
	}
	for _, told := range n.told {
		told()
	}
	logger := t.config.Logger
	if logger == nil {
		logger = slog.Default()
	}
	for _, w := range n.widened {
		logger.Error("revocation: the table is full, so more tokens end than were named",
			"ended", w.by.String(), "instead_of", w.entries, "max_entries", t.config.MaxEntries)
	}
	logger.Info("revocation: news",
		"ended", n.String(), "until", n.Until, "entries", n.entries)
}
