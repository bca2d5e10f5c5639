package claims

import (
	"container/list"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

// Where permissions are from.
const (
	originToken  = "token"  // its claims
	originCache  = "cache"  // what the source has said before
	originSource = "source" // it was asked, or waited for
)

// originRank orders origins by what they cost.
func originRank(origin string) int {
	switch origin {
	case originToken:
		return 1
	case originCache:
		return 2
	case originSource:
		return 3
	}
	return 0
}

// answer is what a source has said. It is immutable, but for its state.
type answer struct {
	granted *grantSet
	err     *Error // in its place
	term    asked.Term
	askedAt clock.Instant

	// In a PermissionCache; zero if it is not.
	who      Principal
	place    *list.Element // of the answers by age, nil once it is gone
	standing *standing
}

// standing is what has become of an answer of a PermissionCache. It outlives
// the answer there: claims that are remembered have it.
type standing struct {
	answer    atomic.Pointer[answer] // nil once it is gone from the cache
	forgotten *atomic.Uint64         // of the cache: how often it was told to forget
	asOf      uint64                 // forgotten when the answer was put there
}

// noAnswer is the answer about nobody.
var noAnswer = &answer{granted: new(grantSet)}

// newAnswer returns the answer that a source gave when it was asked then.
func newAnswer(grants Grants, askedAt clock.Instant, ttl time.Duration) *answer {
	a := &answer{granted: newGrantSet(grants), askedAt: askedAt}
	a.term.Begin(askedAt, ttl-ttl/4, ttl)
	return a
}

// isOlder reports whether the source was asked longer ago, unless any age will
// do. Nobody was asked about what is no answer.
func (a *answer) isOlder(most time.Duration) bool {
	return most > 0 && a != nil && a.askedAt != clock.Instant{} &&
		clock.Now().Reached(a.askedAt.Add(most))
}

// failure is the answer of a source that has none, for a while.
func failure(cause error) *answer {
	switch cause {
	case asked.ErrBusy, context.DeadlineExceeded, context.Canceled: // they name nothing
		cause = fmt.Errorf("%s: %w", sourceName, cause)
	}
	a := &answer{granted: new(grantSet), err: &Error{
		class: ErrUnavailable, reason: ReasonPermissionsUnavailable,
		cause: cause, retryAfter: retryPermissions,
	}}
	a.term.Begin(clock.Now(), retryPermissions, retryPermissions)
	return a
}

// size is how many permissions and workspaces count for an answer, with one for
// itself.
func (a *answer) size() int { return 1 + a.granted.size }

// termOf returns how long an answer is relied on, nil if there is no answer.
func (a *answer) termOf() *asked.Term {
	if a == nil {
		return nil
	}
	return &a.term
}

// holds reports whether an answer is valid for a request that has it already.
// One that is gone from the cache was replaced or evicted, if nothing was
// forgotten since it came there; otherwise nobody can tell, and it is asked for
// again.
func (a *answer) holds() bool {
	if a.term.State(clock.Now()) == asked.Expired {
		return false
	}
	s := a.standing
	return s == nil || s.answer.Load() == a || s.forgotten.Load() == s.asOf
}
