package claims

import (
	"context"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// checkBinding has each member of "cnf" proven (RFC 7800 section 3.1). A token
// that is bound is not the bearer's alone to use, and one that is not is worth
// nothing under a scheme for bound ones (RFC 9449 section 7.1).
func checkBinding(ctx context.Context, w *work) error {
	bearer := w.credentials.isBearer()
	if w.claims.cnf == "" && bearer {
		return nil
	}
	proven := bearer
	err := w.eachBinding(func(c *confirmer, _ string) error {
		switch {
		case strings.EqualFold(c.scheme, w.credentials.Scheme):
			proven = true
		case !strings.EqualFold(c.scheme, "Bearer"):
			return bindingRefusal("the token is bound by " + quote(c.member) +
				", and presented as " + quote(w.credentials.Scheme) + " instead of " + c.scheme)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !proven {
		return bindingRefusal("the token is not bound by what " + quote(w.credentials.Scheme) +
			" proves, and presented as that")
	}
	// Only now: a proof may be good for one use.
	return w.eachBinding(func(c *confirmer, value string) error {
		return c.confirm(ctx, value, w.credentials)
	})
}

// eachBinding calls f for each member of "cnf", with its text. It refuses
// members that nothing proves, and what is not an object with a member; a token
// that is not bound has none.
func (w *work) eachBinding(f func(c *confirmer, value string) error) error {
	if w.claims.cnf == "" {
		return nil
	}
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
		if err := f(c, value); err != nil {
			return err
		}
	}
	if !r.End() || empty {
		return errNoBinding
	}
	return nil
}

func (v *trust) confirmerOf(member string) *confirmer {
	for i := range v.confirmers {
		if v.confirmers[i].member == member {
			return &v.confirmers[i]
		}
	}
	return nil
}

var errNoBinding = bindingRefusal("cnf is not an object that names a key")

func unproven(member string) *Error {
	return bindingRefusal("nothing in Config.Confirmers proves cnf member " + quote(member))
}
