package claims

import (
	"context"
	"strings"
	"sync"
	"time"
)

// PermissionCache remembers for a while what a [PermissionSource] says. It is one
// itself, and safe for concurrent use; one serves both transports.
//
// Requests of one principal that arrive together ask once. A failure is kept for a
// second, in which the principal's requests that need an answer are [ErrUnavailable];
// an answer that still counts goes on counting. What it asks has a context of its own,
// which ends with no request. A transport has to be given the PermissionCache itself,
// not what wraps it, to see at once what is forgotten. To look up a caller whose token
// is remembered takes no lock and no allocation.
type PermissionCache struct {
	source  PermissionSource
	ttl     time.Duration
	max     int
	timeout time.Duration
	turns   chan struct{} // one element for each call of source

	mu      sync.Mutex // guards the fields below
	answers map[Principal]*answer
	size    int // of answers
	asking  map[Principal]*inquiry
}

// inquiry is a call of the source that any number of requests wait for.
type inquiry struct {
	done   chan struct{}
	answer *answer // once it is done; nil if it was forgotten meanwhile
}

var _ PermissionSource = (*PermissionCache)(nil)

// Permissions returns what the source says of a principal, or has said lately.
func (c *PermissionCache) Permissions(ctx context.Context, who Principal) (Grants, error) {
	a, _ := c.answer(ctx, who)
	if a.err != nil {
		return Grants{}, a.err
	}
	return a.grants(), nil
}

// Forget ends the reliance on what was said of the principals that match: the next
// request asks anew, and so do those that wait for an answer. An empty field matches
// any, so Forget(Principal{}) forgets all. It looks at every principal that is held.
func (c *PermissionCache) Forget(who Principal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for principal, a := range c.answers {
		if who.matches(principal) {
			a.standing.forgotten.Store(true)
			c.drop(principal, a)
		}
	}
	for principal := range c.asking {
		if who.matches(principal) {
			delete(c.asking, principal) // what is being asked was asked before
		}
	}
}

// Len returns how many principals are remembered.
func (c *PermissionCache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.answers)
}

// recall returns the answer about a caller whose token was met before, nil if it does
// not count any more or the next is due.
func (c *PermissionCache) recall(caller *Claims) *answer {
	s := caller.of().answer.Load()
	if s == nil || s.by != c {
		return nil
	}
	a, now := s.answer.Load(), time.Now()
	if a == nil || !now.Before(a.until) || now.UnixNano() >= s.dueAt.Load() {
		return nil
	}
	return a
}

// answer returns what the source says of a principal, asking it if need be.
func (c *PermissionCache) answer(ctx context.Context, who Principal) (*answer, PermissionOrigin) {
	origin := OriginCache
	for round := 0; ; round++ {
		if round == 1 { // forgotten meanwhile, which may go on
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.timeout)
			defer cancel()
		}
		a, q := c.find(who)
		switch {
		case a != nil:
			return a, origin
		case q == nil:
			return failure(errTooBusy), OriginSource
		}
		origin = OriginSource
		select {
		case <-q.done:
			if q.answer != nil {
				return q.answer, origin
			}
		case <-ctx.Done():
			return failure(ctx.Err()), origin
		}
	}
}

// find returns the answer that counts, or else the call that brings one; neither if
// too many are under way.
func (c *PermissionCache) find(who Principal) (*answer, *inquiry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	a := c.answers[who]
	if a != nil && !now.Before(a.until) {
		a = nil
	}
	due := a == nil || now.UnixNano() >= a.standing.dueAt.Load()
	q := c.asking[who]
	if q == nil && due && len(c.asking) < maxAskedAbout {
		q = c.startAsking(who)
	}
	if a != nil && due {
		a.standing.dueAt.Store(a.until.UnixNano()) // it has been asked for
	}
	return a, q
}

// startAsking is called with mu held.
func (c *PermissionCache) startAsking(who Principal) *inquiry {
	// Copies: what they are from may be much larger, and gone before.
	who = Principal{
		strings.Clone(who.Issuer), strings.Clone(who.Subject), strings.Clone(who.ClientID),
	}
	q := &inquiry{done: make(chan struct{})}
	c.asking[who] = q
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
		defer cancel()
		answered := make(chan *answer, 1)
		go func() {
			a := failure(errNoAnswer)
			defer func() { answered <- a }() // even if the source ends the goroutine
			a = c.ask(ctx, who)
		}()
		select {
		case a := <-answered:
			c.settle(who, q, a)
		case <-ctx.Done(): // which the source may not heed
			c.settle(who, q, failure(errNoneInTime))
		}
	}()
	return q
}

// ask calls the source when it is its turn.
func (c *PermissionCache) ask(ctx context.Context, who Principal) *answer {
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
		return askSource(ctx, c.source, who, c.ttl)
	case <-ctx.Done():
		return failure(errTooBusy)
	}
}

// settle gives what the source said to those who wait for it.
func (c *PermissionCache) settle(who Principal, q *inquiry, a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(q.done)
	if c.asking[who] != q { // forgotten
		return
	}
	delete(c.asking, who)
	q.answer = c.keep(who, a)
}

// keep puts an answer in the place of the one before, unless it is a failure and that
// one still counts, and returns which it is. It is called with mu held.
func (c *PermissionCache) keep(who Principal, a *answer) *answer {
	now := time.Now()
	before := c.answers[who]
	if a.err != nil && before != nil && now.Before(before.until) {
		before.standing.dueAt.Store(now.Add(retryPermissions).UnixNano())
		return before
	}
	a.standing = &standing{by: c}
	a.standing.answer.Store(a)
	a.standing.dueAt.Store(a.until.Add(-c.ttl / 4).UnixNano())
	if a.err != nil {
		a.standing.dueAt.Store(a.until.UnixNano())
	}
	if before != nil {
		c.drop(who, before)
	}
	c.answers[who] = a
	c.size += a.size
	for len(c.answers) > c.max || c.size > meanGrants*c.max && len(c.answers) > 1 {
		c.makeRoom(who)
	}
	return a
}

// makeRoom drops the oldest of some answers, not that of newcomer.
func (c *PermissionCache) makeRoom(newcomer Principal) {
	var oldest Principal
	var found *answer
	n := 0
	for principal, a := range c.answers { // in no order
		if principal == newcomer {
			continue
		}
		if found == nil || a.until.Before(found.until) {
			oldest, found = principal, a
		}
		if n++; n == sampled {
			break
		}
	}
	c.drop(oldest, found)
}

func (c *PermissionCache) drop(who Principal, a *answer) {
	a.standing.answer.Store(nil)
	delete(c.answers, who)
	c.size -= a.size
}
