package claims

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// FreshWithin needs what is decided by to be known as of at most d ago: the
// news of [Revocations], the issuer's keys, and the answers of a
// [PermissionSource]. Keys and answers that are older are asked for again;
// where that brings nothing, or the feed of the news has been silent, the
// decision is [ErrUnavailable] with [ReasonStale]. So an operation that does
// harm fails closed in an outage, while others go on. It is for few operations:
// keys are fetched again each d while it is asked for, and at most once a
// second.
//
// d is a second at least. Keys that never change, as those of a [jwks.Set], are
// never old; a [KeySource] of one's own is asked on each use of a token anyway.
//
// [jwks.Set]: https://pkg.go.dev/github.com/sallyport-go/sallyport/jwks#Set
func FreshWithin(d time.Duration) Requirement { return valid(&freshWithin{most: d}) }

type freshWithin struct {
	single
	text text
	most time.Duration
}

func (f *freshWithin) check(q *query) error {
	if q.quiet { // to know it is to ask
		return errStale
	}
	c := q.call
	if c.guard == nil {
		return nil // outside a transport nothing is known
	}
	if err := c.guard.heardWithin(f.most); err != nil {
		return err
	}
	facts := c.current()
	if by := facts.origin.by; by != nil {
		return by.freshKeys(q.ctx, facts, f.most)
	}
	return nil
}

var errStale = NewError(ErrUnavailable, ReasonStale, nil)

// stale is the refusal for news that is too old.
func stale(err error) *Error {
	return &Error{class: ErrUnavailable, reason: ReasonStale, retryAfter: time.Second, cause: err}
}

// heardWithin returns a refusal if the feed of news was silent for longer.
func (g *Guard) heardWithin(d time.Duration) error {
	if g.revocations == nil {
		return nil
	}
	var heard time.Time
	err := foreign.Call(foreign.Name("claims: Revocations"), func() error {
		heard = g.revocations.Heard()
		return nil
	})
	switch age := time.Since(heard); {
	case err != nil:
		return stale(err)
	case heard.IsZero():
		return stale(fmt.Errorf("claims: the feed of revocations was never heard"))
	case age > d:
		return stale(fmt.Errorf("claims: the feed of revocations was last heard %s ago", age))
	}
	return nil
}

// freshKeys returns a refusal if the keys of a token's issuer are older, or
// their youngest have the token's no more.
func (p *pipeline) freshKeys(ctx context.Context, f *facts, issuers router, d time.Duration) error {
	v, err := issuers.route(ctx, f.issuer)
	if err != nil || v.cache == nil {
		return err
	}
	if err := v.cache.FreshWithin(ctx, d); err != nil {
		refusal := unavailable(ctx, err)
		if refusal.reason == ReasonKeysUnavailable {
			refusal.reason = ReasonStale
		}
		return refusal
	}
	if f.origin.key != nil && !v.cache.Holds(f.origin.key, time.Now()) {
		return errKeyGone
	}
	return nil
}

func (*freshWithin) wants(*query, []string) wants { return wants{} }
func (*freshWithin) local() bool                  { return false }

func (*freshWithin) meetable() bool { return true }
func (*freshWithin) admits() bool   { return false }

// within returns how old what is decided by may be.
func (f *freshWithin) within() time.Duration { return f.most }

func (f *freshWithin) String() string {
	return f.text.or(func() string { return "FreshWithin(" + f.most.String() + ")" })
}

func (f *freshWithin) equal(other rule) bool {
	o, ok := other.(*freshWithin)
	return ok && f.most == o.most
}

func (f *freshWithin) validate() error {
	if f.most < time.Second {
		return fmt.Errorf("claims: FreshWithin of %s is less than a second", f.most)
	}
	return nil
}
