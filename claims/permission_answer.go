package claims

import (
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

// PermissionOrigin is where permissions are from.
type PermissionOrigin string

// The origins.
const (
	OriginToken  PermissionOrigin = "token"  // its claims
	OriginCache  PermissionOrigin = "cache"  // what the source has said before
	OriginSource PermissionOrigin = "source" // it was asked, or waited for
)

// originRank orders origins by what they cost.
func originRank(origin PermissionOrigin) int {
	switch origin {
	case OriginToken:
		return 1
	case OriginCache:
		return 2
	case OriginSource:
		return 3
	}
	return 0
}

// answer is what a source has said. It is immutable, but for its state.
type answer struct {
	everywhere map[string]struct{}
	workspaces map[string]map[string]struct{}
	err        *Error // in the place of both
	size       int    // permissions
	term       asked.Term

	// In a PermissionCache; zero if it is not.
	who      Principal
	place    *list.Element // of the answers by age
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
var noAnswer = &answer{}

// newAnswer returns the answer that a source gave when it was asked then.
func newAnswer(grants Grants, askedAt clock.Instant, ttl time.Duration) *answer {
	a := &answer{everywhere: setOf(grants.Permissions)}
	a.term.Begin(askedAt, ttl-ttl/4, ttl)
	a.size = 1 + len(a.everywhere)
	if len(grants.Workspaces) > 0 {
		a.workspaces = make(map[string]map[string]struct{}, len(grants.Workspaces))
		for workspace, list := range grants.Workspaces {
			a.workspaces[workspace] = setOf(list)
			a.size += 1 + len(list)
		}
	}
	return a
}

// failure is the answer of a source that has none, for a while.
func failure(cause error) *answer {
	switch cause {
	case asked.ErrBusy, context.DeadlineExceeded, context.Canceled: // they name nothing
		cause = fmt.Errorf("%s: %w", sourceName, cause)
	}
	a := &answer{err: &Error{
		class: ErrUnavailable, reason: ReasonPermissionsUnavailable,
		cause: cause, retryAfter: retryPermissions,
	}}
	a.term.Begin(clock.Now(), retryPermissions, retryPermissions)
	return a
}

// has reports whether a permission is granted in a workspace, or where there is
// none.
func (a *answer) has(workspace, permission string) bool {
	if _, ok := a.everywhere[permission]; ok {
		return true
	}
	if workspace == "" {
		return false
	}
	_, ok := a.workspaces[workspace][permission]
	return ok
}

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

// grants returns the answer as a source gives it, in alphabetical order.
func (a *answer) grants() Grants {
	g := Grants{Permissions: slices.Sorted(maps.Keys(a.everywhere))}
	if len(a.workspaces) > 0 {
		g.Workspaces = make(map[string][]string, len(a.workspaces))
		for workspace, set := range a.workspaces {
			g.Workspaces[workspace] = slices.Sorted(maps.Keys(set))
		}
	}
	return g
}

func setOf(list []string) map[string]struct{} {
	set := make(map[string]struct{}, len(list))
	for _, s := range list {
		set[s] = struct{}{}
	}
	return set
}
