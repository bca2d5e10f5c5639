package jwks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

var errSlow = errors.New("jwks: the fetch takes too long to be waited for")

// search is a look-up that the keys held do not answer.
type search struct {
	want  fit
	tried []*Key // the keys that were found and do not verify the signature
	since time.Time
}

// in returns the keys of a set that were not tried.
func (s *search) in(set *Set) ([]*Key, error) {
	keys, err := set.find(s.want)
	if err != nil || len(s.tried) == 0 {
		return keys, err
	}
	tried := func(key *Key) bool { return slices.ContainsFunc(s.tried, key.Equal) }
	if keys = slices.DeleteFunc(slices.Clone(keys), tried); len(keys) == 0 {
		return nil, ErrUnknownKey
	}
	return keys, nil
}

// Refuses reports whether [Cache.Lookup] would answer [ErrUnknownKey] now and
// without waiting: there is no such key, and no fetch is to be made for it. It
// counts as such a look-up if so, and otherwise as none. An empty keyID is
// never refused.
func (c *Cache) Refuses(keyID, algorithm string) bool {
	now := time.Now()
	snap := c.current.Load()
	if keyID == "" || snap == nil || snap.refreshAt.reached(now) {
		return false
	}
	s := search{want: fit{keyID, algorithm}}
	if _, err := s.in(snap.set); err != ErrUnknownKey { // find returns it bare
		return false
	}
	why := c.refusal(snap, s.want, now)
	if why == "" {
		return false
	}
	_ = c.refuse(context.Background(), s, why, ErrUnknownKey)
	return true
}

// LookupAgain is for a signature that none of the keys verifies which
// [Cache.Lookup] returned for the same key ID and algorithm: the issuer may
// have replaced a key that has no ID, or used an ID twice. It returns keys that
// are not in tried, from the key set held or from one more fetch. Such fetches
// and those for unknown key IDs are one per Cooldown together, so that nobody
// can cause more by inventing signatures. since is when the caller began to
// look the key up: at most one Timeout from then is waited.
//
// The error is [ErrUnknownKey], or [ErrKeyMismatch], if there is no other key.
func (c *Cache) LookupAgain(
	ctx context.Context, since time.Time, keyID, algorithm string, tried []*Key,
) ([]*Key, error) {
	snap := c.current.Load()
	if snap == nil {
		return nil, ErrUnknownKey
	}
	s := search{want: fit{keyID, algorithm}, tried: tried, since: since}
	keys, err := s.in(snap.set)
	if err != nil {
		return c.lookupAgain(ctx, snap, s, err)
	}
	return keys, nil
}

// lookupAgain looks a key up that the snapshot seen does not have, in a newer
// one: the keys may have been rotated. As keys are held, a fetch that fails
// leaves the key unknown, as err says; otherwise the sender of a token with an
// invented key ID could choose to be told that the service is unavailable.
func (c *Cache) lookupAgain(
	ctx context.Context, seen *snapshot, s search, err error,
) ([]*Key, error) {
	// A fetch that was under way already may have been answered before the
	// rotation, so one more may follow it.
	for range 2 {
		if seen.answers(s, err) {
			return nil, err
		}
		f, ours, refusal := c.joinFor(seen, s)
		if refusal != "" {
			return nil, c.refuse(ctx, s, refusal, err)
		}
		if f != nil {
			if e := c.waitUntil(ctx, f, s.since.Add(c.timeout)); e != nil {
				return nil, fmt.Errorf("%w: %w", c.refuse(ctx, s, RefusalUnknownKey, err), e)
			}
		}
		newer := c.current.Load()
		var keys []*Key
		if keys, err = s.in(newer.set); err == nil {
			return keys, nil
		}
		if ours {
			break
		}
		seen = newer
	}
	return nil, c.refuse(ctx, s, RefusalUnknownKey, err)
}

// answers reports whether a key that does not do was asked for after the
// look-up began: it cannot have been replaced since then.
func (s *snapshot) answers(look search, err error) bool {
	replaced := len(look.tried) > 0 || err == ErrKeyMismatch
	return replaced && s.askedAt.After(look.since)
}

// waitUntil is wait, and no longer than to an end.
func (c *Cache) waitUntil(ctx context.Context, f *flight, end time.Time) error {
	ctx, cancel := context.WithDeadlineCause(ctx, end, errSlow)
	defer cancel()
	if err := c.wait(ctx, f); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// joinFor returns the fetch to wait for where the snapshot seen lacks a key,
// and whether it is made for that; nil if there is a newer snapshot; or why
// none may be made.
func (c *Cache) joinFor(seen *snapshot, s search) (f *flight, ours bool, why Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != seen {
		return nil, false, ""
	}
	now := time.Now()
	if len(s.tried) == 0 && c.missing.has(s.want, now) {
		c.counts.negative++
		return nil, false, RefusalKnownMissing
	}
	if c.flight == nil && c.missAt.reached(now) {
		c.missAt = instantOf(now).add(c.cooldown)
		c.start(CauseUnknownKey, true)
		c.flight.missing = s.want
		ours = true
	}
	if c.flight == nil || c.flight.waiting >= maxWaiting {
		c.counts.cooldown++
		return nil, false, RefusalCooldown
	}
	c.flight.waiting++
	return c.flight, ours, ""
}

// refusal returns why no fetch is made for a key that the snapshot seen lacks,
// and counts it; empty if one may be made, or is under way.
func (c *Cache) refusal(seen *snapshot, want fit, now time.Time) Refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.current.Load() != seen || c.flight != nil:
		return ""
	case c.missing.has(want, now):
		c.counts.negative++
		return RefusalKnownMissing
	case !c.missAt.reached(now):
		c.counts.cooldown++
		return RefusalCooldown
	}
	return ""
}

func (c *Cache) refuse(ctx context.Context, s search, why Refusal, err error) error {
	if c.observer != nil { // whoever floods need not cost a copy each time as well
		c.emit(ctx, Event{Kind: EventRefusal, Refusal: why, KeyID: shortID(s.want.keyID), Err: err})
	}
	return err
}

// remember takes note of the key that a fetch was made for and did not bring.
// Of those without ID each might be another. It is called with mu held.
func (c *Cache) remember(missing fit, set *Set, now time.Time) {
	if missing.keyID == "" {
		return
	}
	if _, err := set.find(missing); err != nil {
		c.missing.add(missing, now)
	}
}
