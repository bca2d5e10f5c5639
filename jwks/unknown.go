package jwks

import (
	"context"
	"fmt"
	"time"
)

// maxMissing is how many look-ups of unknown keys wait for one fetch: each holds a
// request that somebody may have sent for that.
const maxMissing = 256

// Refuses reports whether [Cache.Lookup] would answer [ErrUnknownKey] now and
// without waiting: there is no such key, and no fetch is to be made for it. It
// counts as such a look-up if so, and otherwise as none. An empty keyID is never
// refused.
func (c *Cache) Refuses(keyID, algorithm string) bool {
	now := time.Now()
	snap := c.current.Load()
	if keyID == "" || !snap.usable(now) || !now.Before(snap.refreshAt) {
		return false
	}
	if _, known := snap.set.ids[keyID]; known {
		return false
	}
	want := fit{keyID, algorithm}
	why := c.refusal(snap, want, now)
	if why == "" {
		return false
	}
	c.refuse(want, why)
	return true
}

// lookupAgain looks a key up that the snapshot seen does not have, in a newer
// one: the keys may have been rotated. As keys are held, a fetch that fails
// leaves the key unknown; otherwise the sender of a token with an invented key
// ID could choose to be told that the service is unavailable.
func (c *Cache) lookupAgain(ctx context.Context, seen *snapshot, want fit) ([]*Key, error) {
	// A fetch that was under way already may have been answered before the
	// rotation, so one more may follow it.
	for range 2 {
		f, ours, refusal := c.joinForMissing(seen, want)
		if refusal != "" {
			return nil, c.refuse(want, refusal)
		}
		if f != nil {
			if err := f.wait(ctx); err != nil {
				return nil, fmt.Errorf("%w: %w", c.refuse(want, RefusalUnknownKey), err)
			}
		}
		newer := c.current.Load()
		keys, err := newer.set.Lookup(ctx, want.keyID, want.algorithm)
		if err != ErrUnknownKey { // Set.Lookup returns it bare
			return keys, err
		}
		if ours {
			break
		}
		seen = newer
	}
	return nil, c.refuse(want, RefusalUnknownKey)
}

// joinForMissing returns the fetch to wait for where the snapshot seen lacks a
// key, and whether it is made for that; nil if there is a newer snapshot; or why
// none may be made.
func (c *Cache) joinForMissing(seen *snapshot, want fit) (f *flight, ours bool, why Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != seen {
		return nil, false, ""
	}
	now := time.Now()
	if c.missing.has(want, now) {
		c.counts.negative++
		return nil, false, RefusalKnownMissing
	}
	if c.flight == nil && !now.Before(c.missAt) {
		c.missAt = now.Add(c.cooldown)
		c.start(CauseUnknownKey)
		ours = true
	}
	if c.flight == nil || len(c.flight.missing) >= maxMissing {
		c.counts.cooldown++
		return nil, false, RefusalCooldown
	}
	c.flight.missing = append(c.flight.missing, want)
	return c.flight, ours, ""
}

// refusal returns why no fetch is made for a key that the snapshot seen lacks, and
// counts it; empty if one may be made, or is under way.
func (c *Cache) refusal(seen *snapshot, want fit, now time.Time) Refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.current.Load() != seen || c.flight != nil:
		return ""
	case c.missing.has(want, now):
		c.counts.negative++
		return RefusalKnownMissing
	case now.Before(c.missAt):
		c.counts.cooldown++
		return RefusalCooldown
	}
	return ""
}

func (c *Cache) refuse(want fit, why Refusal) error {
	if c.observer != nil { // whoever floods need not cost a copy each time as well
		c.observer(Event{
			Kind: EventRefusal, Refusal: why, KeyID: shortID(want.keyID), Err: ErrUnknownKey,
		})
	}
	return ErrUnknownKey
}

// remember takes note of the keys that a fetch was made for and did not bring. It
// is called with mu held.
func (c *Cache) remember(missing []fit, set *Set, now time.Time) {
	for _, f := range missing {
		if len(set.fitting[f]) == 0 {
			c.missing.add(f, now)
		}
	}
}
