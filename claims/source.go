package claims

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Principal is who a [PermissionSource] is asked about: all that its answer may
// depend on. It can be compared with ==.
type Principal struct {
	Issuer   string
	Subject  string // the user, or the client where it acts for itself
	ClientID string
}

// Principal returns who the claims are of.
func (c *Claims) Principal() Principal { return Principal{c.issuer, c.subject, c.clientID} }

// Grants are what a principal may do.
type Grants struct {
	// Permissions are those that hold everywhere: outside of workspaces, and in
	// each of them.
	Permissions []string

	// Workspaces are the permissions that hold in one workspace, or tenant, by its
	// name: for a requirement in [InWorkspace] or [InWorkspaceOf] alone.
	Workspaces map[string][]string
}

// PermissionSource says what callers may do, from a place of the server's own, such
// as a database: for tokens that say who somebody is and not what he may do. It is
// safe for concurrent use. A [PermissionCache] is one, and what a transport is
// usually given.
//
// Permissions returns what a principal may do, of whom a token has been verified. One
// who may do nothing, or is not known, has no Grants and no error: an error, whatever
// its kind, means that it can not be told, and the decision is [ErrUnavailable],
// never a refusal and never a permission. So does a panic.
//
// It must heed ctx: 64 calls that do not return are all that a PermissionCache makes.
//
// It is asked only if an operation needs it, and once in a request: what it returns
// counts up to 30 seconds if that lasts longer, as a stream does. It has 5 seconds,
// unless a PermissionCache gives it others. It is not asked about a caller without
// subject and client ID.
type PermissionSource interface {
	Permissions(ctx context.Context, who Principal) (Grants, error)
}

const (
	defaultPermissionTTL     = 30 * time.Second
	defaultPermissionTimeout = 5 * time.Second
)

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

// askSource asks a source. The answer counts from before it was asked.
func askSource(
	ctx context.Context, source PermissionSource, who Principal, ttl time.Duration,
) *answer {
	askedAt := time.Now()
	grants, err := callSource(ctx, source, who)
	if err != nil {
		return failure(err)
	}
	a := &answer{everywhere: setOf(grants.Permissions), until: askedAt.Add(ttl)}
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

func callSource(
	ctx context.Context, source PermissionSource, who Principal,
) (grants Grants, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("claims: the permission source panicked: %v", r)
		}
	}()
	// A source that asks Allowed would wait for itself.
	grants, err = source.Permissions(context.WithValue(ctx, contextKey{}, nil), who)
	if err == nil {
		err = ctx.Err() // it may have stopped half-way
	}
	return grants, err
}

func setOf(list []string) map[string]struct{} {
	set := make(map[string]struct{}, len(list))
	for _, s := range list {
		set[s] = struct{}{}
	}
	return set
}

var (
	errTooBusy    = errors.New("claims: too many callers are being asked about")
	errNoAnswer   = errors.New("claims: the permission source ended its goroutine")
	errNoneInTime = errors.New("claims: the permission source takes too long")
)

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
