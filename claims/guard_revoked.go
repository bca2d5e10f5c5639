package claims

import "github.com/sallyport-go/sallyport/claims/internal/foreign"

// revoked returns the refusal of a token that has ended, nil if it has not.
func (c *call) revoked() error {
	if c.anonymous {
		return nil
	}
	return c.guard.revoked(c.caller.of())
}

func (g *Guard) revoked(f *facts) error {
	if g == nil || g.revocations == nil {
		return nil
	}
	latest := g.revocations.Latest()
	if f.cleared.Load() == latest {
		return nil
	}
	err := foreign.Call(foreign.Name("claims: Revocations"), func() error {
		if err := g.revocations.Revoked(&Claims{f}); err != nil {
			return refusalFor(ErrInvalidToken, ReasonRevoked, err)
		}
		return nil
	})
	if err != nil {
		if _, panicked := err.(*foreign.PanicError); panicked {
			return NewError(ErrUnavailable, ReasonUndecided, err)
		}
		return err
	}
	f.cleared.Store(latest)
	return nil
}

// refusalFor returns err if it is a refusal, or else one with err as its cause.
func refusalFor(class error, reason Reason, err error) *Error {
	if refusal, _ := err.(*Error); refusal != nil {
		return refusal
	}
	return NewError(class, reason, err)
}

// revocationsFault says why these cannot be asked, empty if they can.
func revocationsFault(r Revocations) string {
	if r != nil && isNil(r) {
		return nilFault(r)
	}
	return ""
}
