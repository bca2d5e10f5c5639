package jwks

import (
	"context"
	"log/slog"
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
	// EventRefusal is a look-up that ended without a key, or without one more
	// where those found did not verify the token: Refusal, Err, and KeyID,
	// which the sender of the token chose.
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
	StateIdle        State = "idle"        // past freshness, as nobody has asked since it succeeded
	StateFailing     State = "failing"     // keys held and fresh, but fetching fails
	StateStale       State = "stale"       // fetching fails, and keys past freshness are in use
	StateUnavailable State = "unavailable" // fetching fails, and no keys may be used
)

// stateAt is called with mu held.
func (c *Cache) stateAt(now time.Time) State {
	snap := c.current.Load()
	switch {
	case snap == nil && c.lastErr == nil:
		return StateEmpty
	case c.lastErr == nil && snap.freshUntil.reached(now):
		return StateIdle
	case !snap.usable(now):
		return StateUnavailable
	case snap.freshUntil.reached(now):
		return StateStale
	case c.lastErr != nil:
		return StateFailing
	}
	return StateFresh
}

// panicPause is the least time between two lines about panics of the Observer,
// which may be called for each request.
const panicPause = time.Minute

func (c *Cache) emit(ctx context.Context, event Event) {
	if c.observer == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil && c.mayTellOfPanic() {
			c.log(ctx, slog.LevelError, "jwks: the Observer panicked",
				"event", event.Kind, "err", cut(panicked("the Observer", p).Error()))
		}
	}()
	c.observer(ctx, event)
}

func (c *Cache) mayTellOfPanic() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.quietAt.reached(now) {
		return false
	}
	c.quietAt = instantOf(now).add(panicPause)
	return true
}
