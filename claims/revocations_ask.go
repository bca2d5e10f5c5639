package claims

import "github.com/sallyport-go/sallyport/claims/internal/foreign"

// unrevoked returns the refusal of a token that has ended, nil if it has not.
func (f *facts) unrevoked(by Revocations) error {
	if by == nil {
		return nil
	}
	latest := by.Latest()
	if f.cleared.Load() == latest {
		return nil
	}
	err := foreign.Call(foreign.Name("claims: Revocations"), func() error {
		err := by.Revoked(&Claims{f})
		if err == nil {
			return nil
		}
		if refusal, _ := err.(*Error); refusal != nil {
			return refusal
		}
		return NewError(ErrInvalidToken, ReasonRevoked, err)
	})
	if _, panicked := err.(*foreign.PanicError); panicked {
		return NewError(ErrUnavailable, ReasonUndecided, err)
	}
	if err == nil {
		f.cleared.Store(latest)
	}
	return err
}

// revocationsFault says why these cannot be asked, empty if they can.
func revocationsFault(r Revocations) string {
	if r != nil && isNil(r) {
		return nilFault(r)
	}
	return ""
}
