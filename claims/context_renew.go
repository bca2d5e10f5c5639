package claims

import (
	"context"
	"errors"
	"slices"
	"time"
)

// renewal is a token that a request goes on with.
type renewal struct {
	*facts
	token string // if the Authenticator can be asked about it again
}

// Renew has the request that ctx belongs to go on with a fresh token, which its
// client has sent by a message of the protocol's own: what lasts ends with that
// token then, and is asked about that one. [FromContext] goes on to return the
// claims of the first.
//
// The fresh token is verified as that of a request is, news included, and must
// say the same of its caller: issuer, subject, client, scopes, permissions,
// authentication and binding, no more and no less. It must meet the requirement
// of the operation. A token that is bound to a key needs Credentials.Proof. Of
// a request that has passed several guards, each must accept it. The error is
// an [*Error], and then all is as before: whether the request ends for that is
// the caller's to say. The observer is told, as of a part of the operation.
func Renew(ctx context.Context, fresh Credentials) error {
	first := callIn(ctx)
	if first == nil {
		return errNoToken
	}
	var renewed []renewal
	for c := first; c != nil; c = c.outer {
		r, err := c.renew(ctx, fresh)
		if err != nil {
			return err
		}
		renewed = append(renewed, r)
	}
	for c, i := first, 0; c != nil; c, i = c.outer, i+1 {
		c.renewed.Store(&renewed[i])
		if held := c.held.Load(); held != nil {
			held.Look()
		}
	}
	return nil
}

// renew returns what the call can go on with.
func (c *call) renew(ctx context.Context, fresh Credentials) (renewal, error) {
	start, q := time.Now(), c.query(ctx)
	defer q.release()
	q.pending, q.again = true, true // its message is the handler's by now
	r, err := c.verifyRenewal(q, fresh)
	if err != nil {
		err = AsError(err).forOperation(c.operation.Requirement).under(c.scheme)
	}
	c.tell(q, c.operation.Requirement, err, Decision{Part: true, Time: start})
	return r, err
}

func (c *call) verifyRenewal(q *query, fresh Credentials) (renewal, error) {
	if c.guard == nil || c.anonymous {
		return renewal{}, errNoToken
	}
	f, refusal := c.guard.authenticate(q.ctx, fresh)
	if refusal != nil {
		return renewal{}, refusal
	}
	if err := f.unrevoked(c.guard.revocations); err != nil {
		return renewal{}, err
	}
	if differs := c.caller.of().differs(f); differs != "" {
		return renewal{}, NewError(ErrInvalidToken, ReasonRejected,
			errors.New("claims: Renew: the fresh token has another "+differs))
	}
	r := renewal{facts: f}
	if c.guard.asksAgain {
		r.token = fresh.Token
	}
	return r, c.operation.Requirement.decide(q)
}

// differs returns what a fresh token says otherwise of its caller, empty if
// nothing.
func (f *facts) differs(fresh *facts) string {
	switch {
	case f.issuer != fresh.issuer:
		return "issuer"
	case f.subject != fresh.subject:
		return "subject"
	case f.clientID != fresh.clientID:
		return "client"
	case !sameSet(f.scopes, fresh.scopes):
		return "scope"
	case !sameSet(f.granted, fresh.granted):
		return "permission"
	case f.acr != fresh.acr:
		return "acr"
	case f.cnf != fresh.cnf:
		return "binding"
	}
	return ""
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
