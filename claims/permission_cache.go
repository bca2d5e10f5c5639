package claims

import (
	"container/list"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

// PermissionCache remembers for a while what a [PermissionSource] says. It is
// one itself, and safe for concurrent use; one serves both transports.
// [NewPermissionCache] makes one; a zero PermissionCache knows nobody's
// permissions, and is [ErrUnavailable].
//
// Requests of one principal that arrive together ask once. A failure is cached
// for a second, during which requests of that principal are [ErrUnavailable],
// unless an earlier answer is still valid. The source is called with a context
// that ends with no request: a caller who goes away takes nothing from those
// who wait for the same answer. At most 4,096 principals are asked about at a
// time, and at most 4,096 requests wait for answers; further ones are
// ErrUnavailable at once.
//
// Give a transport the PermissionCache itself, not what wraps it: otherwise
// requests that have begun do not see what is forgotten. To look up a caller
// whose token is remembered takes no lock and no allocation.
type PermissionCache struct {
	source PermissionSource
	cfg    PermissionCacheConfig // without zeros
	line   *asked.Line

	forgotten atomic.Uint64 // calls of Forget
	desk      *asked.Desk[Principal, *answer]

	// Guarded by the lock of desk.
	answers map[Principal]*answer
	byAge   list.List // of answers, from the oldest
	size    int       // of answers
	shared  shared
	sweeps  []*sweep // calls of Forget that are not done
}

var _ PermissionSource = (*PermissionCache)(nil)

// Permissions returns what the source says of a principal, or has said lately.
// The error is an [*Error].
func (c *PermissionCache) Permissions(ctx context.Context, who Principal) (Grants, error) {
	if !c.isMade() {
		return Grants{}, errNotMade
	}
	a, _ := c.answer(ctx, who)
	if a.err != nil {
		return Grants{}, a.err.unlessOver(ctx)
	}
	return a.granted.grants(), nil
}

func (c *PermissionCache) isMade() bool { return c != nil && c.source != nil }

// recall returns the answer about a caller whose token was met before, nil if
// it has expired or the next is due.
func (c *PermissionCache) recall(caller *Claims) *answer {
	s := caller.of().answer.Load()
	if s == nil || s.forgotten != &c.forgotten {
		return nil
	}
	if a := s.answer.Load(); a != nil && a.term.State(clock.Now()) == asked.Fresh {
		return a
	}
	return nil
}

// answer returns what the source says of a principal, asking it if need be.
func (c *PermissionCache) answer(ctx context.Context, who Principal) (*answer, string) {
	return c.answerWithin(ctx, who, 0)
}

// answerWithin is answer that asks as well if what the source has said is older
// than most, unless that is zero.
func (c *PermissionCache) answerWithin(
	ctx context.Context, who Principal, most time.Duration,
) (*answer, string) {
	a, waited, err := c.desk.Answer(ctx, func() (*answer, *asked.Question[*answer], error) {
		a := c.answers[who]
		term := a.termOf()
		if a.isOlder(most) {
			term = nil // the answer stays for others
		}
		return c.desk.Find(who, Principal.clone, a, term, c.line)
	})
	switch {
	case err != nil:
		return failure(err), originSource
	case a.isOlder(most): // there is no other
		old := failure(fmt.Errorf("claims: the permissions were asked for more than %s ago", most))
		old.err.reason = ReasonStale
		return old, originSource
	case waited:
		return a, originSource
	}
	return a, originCache
}

func (p Principal) clone() Principal {
	return Principal{
		strings.Clone(p.Issuer), strings.Clone(p.Subject), strings.Clone(p.ClientID),
	}
}

// ask calls the source.
func (c *PermissionCache) ask(ctx context.Context, who Principal) (*answer, error) {
	a, err := askSource(ctx, c.source, who, c.cfg.TTL)
	if err != nil {
		return nil, err
	}
	c.share(a)
	return a, nil
}

// share gives an answer the grants of another that are equal, if there is one.
// They are compared without the lock, as they may be many.
func (c *PermissionCache) share(a *answer) {
	hash := a.granted.hashOf(c.shared.seed)
	c.desk.Lock()
	known := c.shared.byHash[hash]
	c.desk.Unlock()
	if known != nil && known.equal(a.granted) {
		a.granted = known
		return
	}
	a.granted.pack().hash = hash
}

// settle puts an answer in the place of the one before, unless it is a failure
// and that one is still valid, and returns which it is. It is called with the
// lock held.
func (c *PermissionCache) settle(who Principal, a *answer, err error) (*answer, error) {
	before := c.answers[who]
	if err != nil {
		if now := clock.Now(); before != nil && before.term.State(now) != asked.Expired {
			before.term.Failed(now, retryPermissions)
			return before, nil
		}
		a = failure(err)
	}
	a.who = who
	a.standing = &standing{forgotten: &c.forgotten, asOf: c.forgotten.Load()}
	a.standing.answer.Store(a)
	if before != nil {
		c.drop(before)
	}
	c.answers[who] = a
	c.size += a.size()
	c.shared.use(a.granted)
	a.place = c.byAge.PushBack(a)
	for len(c.answers) > c.cfg.Max || c.size > meanGrants*c.cfg.Max && len(c.answers) > 1 {
		c.drop(c.byAge.Front().Value.(*answer))
	}
	return a, nil
}

func (c *PermissionCache) drop(a *answer) {
	for _, s := range c.sweeps {
		s.pass(a.place)
	}
	a.standing.answer.Store(nil)
	delete(c.answers, a.who)
	c.byAge.Remove(a.place)
	a.place = nil
	c.size -= a.size()
	c.shared.release(a.granted)
}
