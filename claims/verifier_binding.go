package claims

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// confirmer is a Confirmer with what it confirms.
type confirmer struct {
	Confirmer
	member, scheme string
}

func compileConfirmers(list []Confirmer, report reporter) []confirmer {
	var compiled []confirmer
	for i, c := range list {
		if isNil(c) {
			report("Confirmers[%d] is nil", i)
			continue
		}
		member, scheme := c.Confirms()
		for _, other := range compiled {
			if other.member == member {
				report("Confirmers[%d] proves %q of cnf, as another does", i, member)
			}
		}
		if member == "" || scheme == "" {
			report("Confirmers[%d], a %T, names no member of cnf or no scheme", i, c)
		}
		compiled = append(compiled, confirmer{c, member, scheme})
	}
	return compiled
}

// checkBinding has each member of "cnf" proven (RFC 7800 section 3.1). A token that
// is bound is not the bearer's alone to use, and one that is not is worth nothing
// under a scheme for bound ones (RFC 9449 section 7.1).
func checkBinding(ctx context.Context, w *work) error {
	bearer := w.credentials.isBearer()
	if w.claims.cnf == "" && bearer {
		return nil
	}
	return w.prove(ctx, bearer)
}

// prove has each member of "cnf" proven. proven says whether the scheme accepts tokens
// that are not bound.
func (w *work) prove(ctx context.Context, proven bool) error {
	var seen strict.Members
	r := strict.NewReader(w.claims.cnf)
	empty := true
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		value := r.ReadRaw()
		if r.Failed() {
			break
		}
		empty = false
		c := w.v.confirmerOf(name)
		if c == nil {
			return unproven(name)
		}
		switch {
		case strings.EqualFold(c.scheme, w.credentials.Scheme):
			proven = true
		case !strings.EqualFold(c.scheme, "Bearer"):
			return bindingRefusal("the token is bound by " + quote(name) + ", and presented as " +
				quote(w.credentials.Scheme) + " instead of " + c.scheme)
		}
		if err := c.confirm(ctx, value, w.credentials); err != nil {
			return err
		}
	}
	switch {
	case w.claims.cnf != "" && (!r.End() || empty):
		return errNoBinding
	case !proven:
		return bindingRefusal("the token is not bound, and presented as " + quote(w.credentials.Scheme))
	}
	return nil
}

func (v *Verifier) confirmerOf(member string) *confirmer {
	for i := range v.confirmers {
		if v.confirmers[i].member == member {
			return &v.confirmers[i]
		}
	}
	return nil
}

// String names the Confirmer.
func (c *confirmer) String() string { return fmt.Sprintf("Confirmer %T", c.Confirmer) }

// confirm asks the user's Confirmer.
func (c *confirmer) confirm(ctx context.Context, value string, credentials Credentials) error {
	limited := foreign.WithDeadline(ctx, userTimeout)
	defer limited.Release()
	err := foreign.Call(c, func() error {
		return c.Confirm(limited, plain(value), credentials)
	})
	var panicked *foreign.PanicError
	var refusal *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &panicked), isGone(ctx, err), isLate(limited, err):
		return undecided(ctx, ReasonUndecided, err)
	case errors.As(err, &refusal):
		return refusal.unlessOver(ctx)
	}
	if class, ok := classOf(err); ok && class != ErrInvalidToken {
		return AsError(err).unlessOver(ctx)
	}
	return NewError(ErrInvalidToken, ReasonBinding, err)
}

var errNoBinding = bindingRefusal("cnf is not an object that names a key")

func unproven(member string) *Error {
	return bindingRefusal("nothing in Config.Confirmers proves cnf member " + quote(member))
}

func bindingRefusal(cause string) *Error {
	return NewError(ErrInvalidToken, ReasonBinding, errors.New("claims: "+cause))
}
