package claims

import (
	"context"
	"errors"
	"fmt"
)

// Bindings prove that the sender of a request holds the keys that their token
// is bound to, for an [Authenticator] of one's own: it is what
// [Config].Confirmers are for a [Verifier]. It is immutable and safe for
// concurrent use. [NewBindings] makes one; a nil or zero one proves nothing, so
// that every bound token is refused.
type Bindings struct {
	list    confirmers
	schemes []Scheme
}

// NewBindings returns Bindings by these Confirmers, each of another member of
// "cnf". The error reports everything that is wrong with them: each begins with
// "Confirmers" and the index, so that a constructor can put before it the name
// of what its user called.
func NewBindings(list ...Confirmer) (*Bindings, error) {
	var errs []error
	compiled := compileConfirmers(list, func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(format, args...))
	})
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Bindings{compiled, compiled.schemes()}, nil
}

// Takes returns nil if a token may be presented under an authentication scheme:
// Bearer, or that of a Confirmer. Otherwise it returns the refusal, which
// matches [ErrNoToken] and [ErrUnrecognized].
func (b *Bindings) Takes(scheme string) error {
	c := Credentials{Scheme: scheme}
	if c.isBearer() || b != nil && b.list.takes(scheme) {
		return nil
	}
	return errUnsupportedScheme
}

// Prove returns nil if the sender of a request has proven to hold every key
// that the caller's "cnf" names (RFC 7800 section 3.1), and has presented the
// token as it is bound: one that is not bound comes under Bearer alone (RFC
// 9449 section 7.1). Otherwise, and if a member is one that no Confirmer
// proves, it returns the refusal, an [*Error]. It is called for each use of a
// token, last of all, as a proof may be good for one use.
func (b *Bindings) Prove(ctx context.Context, caller *Claims, c Credentials) error {
	var list confirmers
	if b != nil {
		list = b.list
	}
	return list.prove(ctx, caller.of().cnf, c)
}

// Schemes returns the authentication schemes beside Bearer that tokens may be
// presented under. The slice is shared and must not be modified.
func (b *Bindings) Schemes() []Scheme {
	if b == nil {
		return nil
	}
	return b.schemes
}
