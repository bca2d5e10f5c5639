package jwks

import (
	"context"
	"fmt"
	"time"
)

// renewEvery is how often keys are fetched, at most, because somebody must not
// rely on older ones.
const renewEvery = time.Second

// FreshWithin waits until the keys held are those of at most d ago, within the
// limits of [Cache.Lookup]: for what must not rely on older ones, whatever
// their max-age. It returns nil or [ErrUnavailable]. Such fetches are one a
// second at most, and none where the keys are young enough.
func (c *Cache) FreshWithin(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(c.timeout)
	for range 2 { // a fetch that was under way may have been asked for too early
		f, err := c.joinRenewal(d)
		if f == nil {
			return err
		}
		if err := c.waitUntil(ctx, f, end); err != nil {
			return &UnavailableError{time.Second, c.name, err}
		}
	}
	if snap := c.current.Load(); !snap.within(d, time.Now()) {
		return &UnavailableError{time.Second, c.name, errOldKeys(d)}
	}
	return nil
}

func errOldKeys(d time.Duration) error {
	return fmt.Errorf("the keys held were fetched more than %s ago", d)
}

// within reports whether the keys are those of at most d ago.
func (s *snapshot) within(d time.Duration, now time.Time) bool {
	return s.usable(now) && !instantOf(s.askedAt).add(d).reached(now)
}

// joinRenewal returns the fetch to wait for where the keys held are older than
// d, nil if they are not, or why there is none.
func (c *Cache) joinRenewal(d time.Duration) (*flight, error) {
	now := time.Now()
	if c.current.Load().within(d, now) {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load().within(d, now) {
		return nil, nil
	}
	if c.flight == nil && len(c.sources) > 0 && c.renewAt.reached(now) {
		c.renewAt = instantOf(now).add(renewEvery)
		c.start(CauseRefresh, true)
	}
	if c.flight == nil || c.flight.waiting >= maxWaiting {
		return nil, &UnavailableError{time.Second, c.name, errOldKeys(d)}
	}
	c.flight.waiting++
	return c.flight, nil
}
