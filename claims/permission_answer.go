package claims

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"
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

// standing is the state of an answer in a cache. It outlives the answer, as claims
// that are remembered have it.
type standing struct {
	by        any                    // the PermissionCache
	answer    atomic.Pointer[answer] // nil once it is gone from the cache
	dueAt     atomic.Int64           // Unix nanoseconds, when the next is to be asked for
	forgotten atomic.Bool            // it is not to be relied on
}

// answer is what a source has said. It is immutable, but for its state.
type answer struct {
	everywhere map[string]struct{}
	workspaces map[string]map[string]struct{}
	err        *Error // in the place of both
	size       int    // permissions
	until      time.Time
	standing   *standing // in a cache; nil if it is not
}

// noAnswer is the answer about nobody.
var noAnswer = &answer{}

// has reports whether a permission is granted in a workspace, or where there is none.
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

// holds reports whether an answer counts for a request that has it already.
func (a *answer) holds(now time.Time) bool {
	return now.Before(a.until) && (a.standing == nil || !a.standing.forgotten.Load())
}

// failure is the answer of a source that has none, for a while.
func failure(cause error) *answer {
	return &answer{
		err: &Error{
			class: ErrUnavailable, reason: ReasonPermissionsUnavailable,
			cause: cause, retryAfter: retryPermissions,
		},
		until: time.Now().Add(retryPermissions),
	}
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

const retryPermissions = time.Second // after the source failed

func setOf(list []string) map[string]struct{} {
	set := make(map[string]struct{}, len(list))
	for _, s := range list {
		set[s] = struct{}{}
	}
	return set
}
