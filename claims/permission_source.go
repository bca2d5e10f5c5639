package claims

import (
	"context"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// Grants are what a principal may do.
type Grants struct {
	// Permissions are those that hold everywhere: outside of workspaces, and in
	// each of them.
	Permissions []string

	// Workspaces are the permissions that hold in one workspace, or tenant, by
	// its name: for a requirement in [InWorkspace] or [InWorkspaceOf] alone.
	Workspaces map[string][]string
}

// PermissionSource looks up permissions on the server, usually in a database,
// for tokens that identify a caller but grant nothing. It must be safe for
// concurrent use. A [PermissionCache] is one, and what a transport is usually
// given.
//
// Permissions returns what a principal may do, of whom a token has been
// verified. A principal who may do nothing, or is not known, has no Grants and
// no error: any error means that it cannot be told, and the decision is
// [ErrUnavailable], never a refusal and never a permission. So does a panic.
// The error, or the panic with its stack, is the cause of the refusal, for
// operators.
//
// It is asked only if an operation needs it, and once in a request: its answer
// is valid for 30 seconds if the request lasts longer, as a stream does. It has
// 5 seconds, unless a PermissionCache gives it others. It is not asked about a
// caller without a subject, who may be any user of the client.
//
// It must heed ctx: a call that does not return in time is given up, and counts
// until it does. A PermissionCache makes 64 calls at a time, a transport
// without one 4,096; further requests are ErrUnavailable.
type PermissionSource interface {
	Permissions(ctx context.Context, who Principal) (Grants, error)
}

const (
	defaultPermissionTTL     = 30 * time.Second
	defaultPermissionTimeout = 5 * time.Second
	retryPermissions         = time.Second // after the source failed

	sourceName foreign.Name = "claims: PermissionSource"
)

// askSource asks a source. The answer is valid from before it was asked.
func askSource(
	ctx context.Context, source PermissionSource, who Principal, ttl time.Duration,
) (*answer, error) {
	askedAt := clock.Now()
	// A source that asks Allowed would wait for itself.
	grants, err := source.Permissions(context.WithValue(ctx, contextKey{}, nil), who)
	if err == nil {
		err = ctx.Err() // it may have stopped half-way
	}
	if err != nil {
		return nil, err
	}
	return newAnswer(grants, askedAt, ttl), nil
}

// askDirectly asks a source that is in no cache, with one of the calls that may
// be made at a time.
func askDirectly(
	ctx context.Context, source PermissionSource, who Principal, calls chan struct{},
) *answer {
	select {
	case calls <- struct{}{}:
	default:
		return failure(asked.ErrBusy)
	}
	a, err := foreign.Within(
		ctx, sourceName, defaultPermissionTimeout, func() { <-calls },
		func(ctx context.Context) (*answer, error) {
			return askSource(ctx, source, who, defaultPermissionTTL)
		})
	if err != nil {
		return failure(err)
	}
	return a
}

type contextKey struct{}
