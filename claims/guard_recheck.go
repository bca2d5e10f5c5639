package claims

import (
	"context"
	"time"
)

// Recheck is the function [Recheck] for a transport that asks by itself while a
// stream is open: it decides anew about a request that this Guard has let
// through. ctx is what [Guard.Authorize] returned, or made of it. The error is
// an [*Error].
//
// It does not look at the request, which is the handler's by now: a
// [RequestFunc] that was met counts as met, and so does an [InWorkspaceOf], but
// for the one whose workspace [WorkspaceFromContext] returns: of that the
// permissions are asked about. The observer is not told, and a [ReportOnly] not
// tried: what is ended for it is recorded by [Guard.Ended].
func (g *Guard) Recheck(ctx context.Context) error {
	c := g.callIn(ctx)
	if c == nil {
		return errNoToken
	}
	q := c.query(ctx)
	defer q.release()
	q.pending, q.untold = true, true
	if err := c.decideAgain(q, time.Now()); err != nil {
		return AsError(err)
	}
	return nil
}
