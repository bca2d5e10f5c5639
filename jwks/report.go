package jwks

import (
	"context"
	"log/slog"
	"slices"
	"strings"
)

// maxLogged is how much of an error a line of the log has: room for the stack
// of a panic.
const maxLogged = 8 << 10

// report tells the observer and the log of a fetch and what it changed. It is
// called without the mutex: both may be slow.
func (c *Cache) report(fetch Event, landed landing) {
	ctx := context.Background() // not that of whoever came first
	c.emit(ctx, fetch)
	if landed.set != landed.old {
		c.reportSet(ctx, landed.old, landed.set)
	}
	failsOtherwise := fetch.Err != nil && landed.fault != fetch.Fault
	if landed.after == landed.before && !failsOtherwise {
		return
	}
	attrs := []any{"issuer", c.name, "before", landed.before}
	if fetch.Err != nil {
		attrs = append(attrs, "fault", fetch.Fault, "err", cut(fetch.Err.Error()))
	}
	switch landed.after {
	case StateUnavailable:
		c.log(ctx, slog.LevelError, "jwks: no usable keys: tokens cannot be verified", attrs...)
	case StateStale:
		c.log(ctx, slog.LevelWarn, "jwks: fetching keys fails: stale ones are in use", attrs...)
	case StateFailing:
		c.log(ctx, slog.LevelWarn, "jwks: fetching keys fails: those held are in use", attrs...)
	case StateFresh:
		if landed.before == StateEmpty {
			return // said above
		}
		c.log(ctx, slog.LevelInfo, "jwks: keys are current", attrs...)
	}
}

// reportSet tells of a key set and how it differs from the one before, nil if
// there was none.
func (c *Cache) reportSet(ctx context.Context, old, set *Set) {
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
		c.emit(ctx, event)
		c.log(ctx, slog.LevelInfo, "jwks: keys changed", "issuer", c.name,
			"thumbprint", set.thumbprint, "added", event.Added, "removed", event.Removed,
			"skipped", len(set.skipped))
	}
	if !rotation && slices.Equal(skipped, set.skipped) {
		return
	}
	for _, s := range set.skipped {
		c.emit(ctx, Event{Kind: EventSkip, KeyID: s.KeyID, SkipReason: s.Reason})
		if s.Reason == reasonTooMany {
			c.log(ctx, slog.LevelWarn, "jwks: the key set has more keys than are taken",
				"issuer", c.name, "taken", maxKeys, "key", s.KeyID, "index", s.Index)
		}
	}
}

// log writes a line. A handler of the user's that panics loses it, and does not
// end the process.
func (c *Cache) log(ctx context.Context, level slog.Level, text string, attrs ...any) {
	defer func() { _ = recover() }()
	logger := c.logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.Log(ctx, level, text, attrs...)
}

func cut(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxLogged)], "")
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
