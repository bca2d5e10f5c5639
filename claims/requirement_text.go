package claims

import "sync/atomic"

// text is how a rule reads. It is made when it is first asked for: a
// requirement that is made for one item of a list is never read, and that of an
// operation is read at each decision.
type text struct{ made atomic.Pointer[string] }

func (t *text) or(write func() string) string {
	if made := t.made.Load(); made != nil {
		return *made
	}
	s := write()
	t.made.Store(&s)
	return s
}
