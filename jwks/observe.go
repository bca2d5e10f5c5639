package jwks

import (
	"log/slog"
	"slices"
	"time"
)

// EventKind is what an [Event] tells of.
type EventKind string

// The kinds.
const (
	// EventFetch is the end of a fetch: Cause, Duration, and Fault and Err if
	// it failed.
	EventFetch EventKind = "fetch"
	// EventRotation is a key set that differs from the one before, the first
	// one too: Added and Removed, by key ID.
	EventRotation EventKind = "rotation"
	// EventSkip is a key of a new key set that was left out: KeyID, SkipReason.
	EventSkip EventKind = "skip"
	// EventRefusal is a look-up that ended without a decision about the key:
	// Refusal, Err, and KeyID, which the sender of a token chose.
	EventRefusal EventKind = "refusal"
)

// Refusal is why a look-up ended without a key.
type Refusal string

// The refusals.
const (
	RefusalUnknownKey   Refusal = "unknown_key"   // a fetch did not bring it
	RefusalCooldown     Refusal = "cooldown"      // no fetch may be made for it yet
	RefusalKnownMissing Refusal = "known_missing" // a fetch did not bring it lately
	RefusalUnavailable  Refusal = "unavailable"   // no keys may be used
)

// Event is something that happened to a [Cache]. Fields that its kind does not
// name are zero. Key IDs are cut to 64 bytes.
type Event struct {
	Kind       EventKind
	Cause      Cause
	Duration   time.Duration
	Fault      Fault
	Refusal    Refusal
	KeyID      string
	SkipReason string
	Added      []string
	Removed    []string
	// Err is for operators: its text may name hosts and paths.
	Err error
}

// State is how far the keys of a [Cache] can be relied on.
type State string

// The states.
const (
	StateEmpty       State = "empty"       // nothing fetched yet
	StateFresh       State = "fresh"       // keys held, and the last fetch succeeded
	StateFailing     State = "failing"     // keys held and fresh, but fetching fails
	StateStale       State = "stale"       // keys held past freshness, still in use
	StateUnavailable State = "unavailable" // no keys that may be used
)

func (c *Cache) emit(event Event) {
	if c.observer != nil {
		c.observer(event)
	}
}

// stateAt is called with mu held.
func (c *Cache) stateAt(now time.Time) State {
	snap := c.current.Load()
	switch {
	case snap == nil && c.lastErr == nil:
		return StateEmpty
	case !snap.usable(now):
		return StateUnavailable
	case !now.Before(snap.freshUntil):
		return StateStale
	case c.lastErr != nil:
		return StateFailing
	}
	return StateFresh
}

// report tells the observer and the log of a fetch and what it changed. It is
// called without the mutex: both may be slow.
func (c *Cache) report(fetch Event, landed landing) {
	c.emit(fetch)
	if landed.set != landed.old {
		c.reportSet(landed.old, landed.set)
	}
	if landed.after == landed.before {
		return
	}
	attrs := []any{"issuer", c.name, "before", landed.before}
	if fetch.Fault != "" {
		attrs = append(attrs, "fault", fetch.Fault)
	}
	switch landed.after {
	case StateUnavailable:
		c.log().Error("jwks: no usable keys: tokens can not be verified", attrs...)
	case StateStale:
		c.log().Warn("jwks: fetching keys fails: stale ones are in use", attrs...)
	case StateFailing:
		c.log().Warn("jwks: fetching keys fails: those held are in use", attrs...)
	case StateFresh:
		if landed.before == StateEmpty {
			return // said above
		}
		c.log().Info("jwks: keys are current", attrs...)
	}
}

// reportSet tells of a key set and how it differs from the one before, nil if
// there was none.
func (c *Cache) reportSet(old, set *Set) {
	var before []string
	var skipped []Skipped
	if old != nil {
		before, skipped = old.keyIDs(), old.skipped
	}
	rotation := old == nil || old.thumbprint != set.thumbprint
	if rotation {
		after := set.keyIDs()
		event := Event{
			Kind: EventRotation, Added: less(after, before), Removed: less(before, after),
		}
		c.emit(event)
		c.log().Info("jwks: keys changed", "issuer", c.name, "thumbprint", set.thumbprint,
			"added", event.Added, "removed", event.Removed, "skipped", len(set.skipped))
	}
	if !rotation && slices.Equal(skipped, set.skipped) {
		return
	}
	for _, s := range set.skipped {
		c.emit(Event{Kind: EventSkip, KeyID: s.KeyID, SkipReason: s.Reason})
	}
}

func (c *Cache) log() *slog.Logger {
	if c.logger != nil {
		return c.logger
	}
	return slog.Default()
}

// less returns what of a is not in b, as events have it.
func less(a, b []string) []string {
	ids := []string{}
	for _, id := range a {
		if !slices.Contains(b, id) {
			ids = append(ids, shortID(id))
		}
	}
	return ids
}

func (s *Set) keyIDs() []string {
	ids := make([]string, len(s.keys))
	for i, k := range s.keys {
		ids[i] = k.id
	}
	return ids
}
