package claims

import (
	"context"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// recheck does again what each use of a token does, but for its binding, which
// a request proves once: of claims that the owner of issuers made.
func (p *pipeline) recheck(ctx context.Context, caller *Claims, issuers router) error {
	f := caller.of()
	if f.origin.by == nil || f.origin.by != issuers.owner() {
		return nil
	}
	w := &work{
		issuers: issuers, accepted: p.accepted, now: time.Now(),
		credentials: Credentials{Scheme: "Bearer"}, remembered: f,
	}
	w.claims = f
	for i := range checks {
		if !checks[i].each || i == atBinding {
			continue
		}
		err := checks[i].run(ctx, w)
		if err == errForgetToken { // they return it bare
			if i > atIssuer {
				err = errKeyGone
			} else {
				err = w.adopt(ctx)
			}
		}
		if err != nil {
			return w.v.ofIssuer(err)
		}
	}
	return nil
}

// adopt does the checks that are made once, by another Config than verified the
// token: what is known of the token is as good as the token itself. It refuses
// if the claims mean something else by it, as a request goes on with what they
// meant.
func (w *work) adopt(ctx context.Context) error {
	f := w.remembered
	now, refusal := parseClaims(f.payload, &w.members)
	if refusal != nil {
		return refusal
	}
	w.claims = now
	w.header.keyID, w.header.algorithm, w.header.tokenType =
		f.origin.keyID, f.origin.algorithm, f.origin.tokenType
	if w.v.secrets == nil && !w.fits(f.origin.key) {
		return errKeyGone
	}
	for i := atIssuer + 1; i < atBinding; i++ {
		if checks[i].each || i == atSignature {
			continue
		}
		if err := checks[i].run(ctx, w); err != nil {
			return err
		}
	}
	err := w.v.confirmers.each(f.cnf, func(*confirmer, string) error { return nil })
	if err != nil {
		return err
	}
	same := now.clientID == f.clientID && slices.Equal(now.scopes, f.scopes) &&
		slices.Equal(now.granted, f.granted)
	if w.claims = f; !same {
		return errSuperseded
	}
	return nil
}

// recheckBy asks an Authenticator, which may be the user's, whether what it
// said of a caller still holds. The error is an [*Error].
func recheckBy(
	ctx context.Context, recheck func(context.Context, *Claims) error, caller *Claims,
) error {
	limited := foreign.WithDeadline(ctx, userTimeout)
	defer limited.Release()
	err := foreign.Call(foreign.Name("claims: Authenticator"), func() error {
		err := recheck(limited, &Claims{caller.of()})
		switch {
		case err == nil:
			return nil
		case isGone(limited, err):
			return undecided(ctx, ReasonUndecided, err)
		}
		return AsError(err).unlessOver(ctx)
	})
	return panicUndecided(ctx, err)
}
