package claims

import (
	"context"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// checkBinding has each member of "cnf" proven (RFC 7800 section 3.1).
func checkBinding(ctx context.Context, w *work) error {
	return w.v.confirmers.prove(ctx, w.claims.cnf, w.credentials)
}

// prove has each member of "cnf" proven. A token that is bound is not the
// bearer's alone to use, and one that is not is worth nothing under a scheme
// for bound ones (RFC 9449 section 7.1).
func (list confirmers) prove(ctx context.Context, cnf string, credentials Credentials) error {
	bearer := credentials.isBearer()
	if cnf == "" && bearer {
		return nil
	}
	proven := bearer
	err := list.each(cnf, func(c *confirmer, _ string) error {
		switch {
		case strings.EqualFold(c.scheme, credentials.Scheme):
			proven = true
		case !strings.EqualFold(c.scheme, "Bearer"):
			return bindingRefusal("the token is bound by " + quote(c.member) +
				", and presented as " + quote(credentials.Scheme) + " instead of " + c.scheme)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !proven {
		return bindingRefusal("the token is not bound by what " + quote(credentials.Scheme) +
			" proves, and presented as that")
	}
	// Only now, and what the scheme is for comes last: a proof may be good for
	// one use.
	for _, last := range []bool{false, true} {
		err := list.each(cnf, func(c *confirmer, value string) error {
			if last == strings.EqualFold(c.scheme, "Bearer") {
				return nil
			}
			return c.confirm(ctx, value, credentials)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each calls f for each member of "cnf", with its text. It refuses members that
// nothing proves, and what is not an object with a member; a token that is not
// bound has none.
func (list confirmers) each(cnf string, f func(c *confirmer, value string) error) error {
	if cnf == "" {
		return nil
	}
	var seen strict.Members
	r := strict.NewReader(cnf)
	empty := true
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		value := r.ReadRaw()
		if r.Failed() {
			break
		}
		empty = false
		c := list.of(name)
		if c == nil {
			return unproven(name)
		}
		if err := f(c, value); err != nil {
			return err
		}
	}
	if !r.End() || empty {
		return errNoBinding
	}
	return nil
}

var errNoBinding = bindingRefusal("cnf is not an object that names a key")

func unproven(member string) *Error {
	return bindingRefusal("nothing in Config.Confirmers proves cnf member " + quote(member))
}
