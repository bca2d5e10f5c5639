package jwks

import (
	"maps"
	"slices"
	"time"
)

// Stats is what a [Cache] holds and has done, at one moment: for humans and
// metrics.
type Stats struct {
	State State

	// Thumbprint is [Set.Thumbprint] of the keys held, KeyIDs are their IDs,
	// and Skipped is what was left out. Generation counts the key sets that
	// differed from the one before, from 1.
	Thumbprint string
	Generation uint64
	KeyIDs     []string
	Skipped    []Skipped

	// Age is the time since the keys held were fetched, FreshFor how long they
	// are still fresh, negative if they are not, and UsableFor how long they
	// may still be used.
	Age, FreshFor, UsableFor time.Duration

	// LastAttempt is when the last fetch began, zero if there was none, and
	// LastFault the kind of its error, empty if it succeeded or is under way
	// for the first time. Failures counts the scheduled fetches that failed
	// since the last success; the next is not made before NextAttempt.
	LastAttempt time.Time
	LastFault   Fault
	Failures    int
	NextAttempt time.Time

	// Fetches counts the fetches by cause, Faults those that failed by kind.
	Fetches map[Cause]uint64
	Faults  map[Fault]uint64

	// CooldownHits and MissHits count the look-ups that found no key, or none
	// that verifies the token, and waited for no fetch: because one was made
	// lately or too many wait for it, or because it did not bring this key.
	// Unavailable counts the look-ups, of whatever key, that ended in
	// ErrUnavailable.
	CooldownHits, MissHits, Unavailable uint64
}

// counts are what Stats counts, guarded by the cache's mutex.
type counts struct {
	lastAttempt                     time.Time
	failures                        int
	initial, refresh, unknown       uint64
	faults                          map[Fault]uint64
	cooldown, negative, unavailable uint64
}

func (n *counts) begin(cause Cause, now time.Time) {
	n.lastAttempt = now
	switch cause {
	case CauseInitial:
		n.initial++
	case CauseRefresh:
		n.refresh++
	case CauseUnknownKey:
		n.unknown++
	}
}

// Stats returns what the cache holds and has done. It starts no fetch.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	s := Stats{
		State:       c.stateAt(now),
		LastAttempt: c.counts.lastAttempt,
		LastFault:   FaultOf(c.lastErr),
		Failures:    c.counts.failures,
		NextAttempt: c.retryAt.steady,
		Fetches: map[Cause]uint64{
			CauseInitial:    c.counts.initial,
			CauseRefresh:    c.counts.refresh,
			CauseUnknownKey: c.counts.unknown,
		},
		Faults:       maps.Clone(c.counts.faults),
		CooldownHits: c.counts.cooldown,
		MissHits:     c.counts.negative,
		Unavailable:  c.counts.unavailable,
	}
	snap := c.current.Load()
	if !snap.usable(now) {
		s.NextAttempt = c.emptyAt.steady
	}
	if snap == nil {
		return s
	}
	if c.counts.failures == 0 {
		s.NextAttempt = snap.refreshAt.steady
	}
	s.Thumbprint = snap.set.thumbprint
	s.Generation = snap.generation
	s.KeyIDs = snap.set.keyIDs()
	s.Skipped = slices.Clone(snap.set.skipped)
	s.Age = -snap.fetchedAt.left(now)
	s.FreshFor = snap.freshUntil.left(now)
	s.UsableFor = max(snap.staleUntil.left(now), 0)
	return s
}
