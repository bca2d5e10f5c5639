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
		return AsError(err).under(c.scheme)
	}
	return nil
}

// Lasts returns until when what [Guard.Authorize] said holds by itself: until
// the first of the tokens that it rests on is not accepted any more; and the
// refusal for then, an [*Error], in the words of the operation once it is given
// to [Guard.Ended]. The time is zero for ever. ctx is what Authorize returned,
// or made of it. Of a request that is pending the answer may be an earlier time
// once [Guard.Complete] has decided. What has to end then, and by news, is for
// [Guard.Hold].
func (g *Guard) Lasts(ctx context.Context) (until time.Time, over *Error) {
	c := g.callIn(ctx)
	if c == nil {
		return time.Time{}, nil
	}
	return c.lasts()
}
