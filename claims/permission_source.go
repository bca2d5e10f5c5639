package claims

import (
	"context"
	"errors"
	"fmt"
	"time"
)

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

var (
	errTooBusy    = errors.New("claims: too many callers are being asked about")
	errNoAnswer   = errors.New("claims: the permission source ended its goroutine")
	errNoneInTime = errors.New("claims: the permission source takes too long")
)
