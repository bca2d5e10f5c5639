package claims

import (
	"container/list"
	"runtime"
	"slices"
)

// Forget ends the reliance on what was said of the principals that match: once
// it has returned, the next request asks anew, and so does a request that has
// begun, at its next [Allowed] or [Recheck], and one that waits for an answer.
// An empty field matches any, so Forget(Principal{}) forgets all. Without an
// empty field it is one look-up; with one it looks at every principal in the
// cache, a few at a time, so that requests need not wait for all of them.
func (c *PermissionCache) Forget(who Principal) {
	if !c.isMade() {
		return
	}
	if who.Issuer != "" && who.Subject != "" && who.ClientID != "" {
		c.forgetOne(who)
		return
	}
	s := c.beginSweep(who)
	for c.advance(s) {
		runtime.Gosched() // to those who wait for the lock
	}
}

func (c *PermissionCache) forgetOne(who Principal) {
	c.desk.Lock()
	defer c.desk.Unlock()
	c.forgotten.Add(1)
	if a := c.answers[who]; a != nil {
		c.drop(a)
	}
	c.desk.Withdraw(who)
}

// sweep is a call of Forget that goes through the answers by age.
type sweep struct {
	who  Principal
	asOf uint64        // answers that were put there since are new
	at   *list.Element // the next to look at, nil at the end
}

// sweepStep is how many answers a sweep looks at without letting others in.
const sweepStep = 128

// beginSweep withdraws the questions first: an answer that comes later than
// that is to a question that was asked later.
func (c *PermissionCache) beginSweep(who Principal) *sweep {
	c.desk.Lock()
	defer c.desk.Unlock()
	c.desk.WithdrawAll(who.matches)
	s := &sweep{who: who, asOf: c.forgotten.Add(1), at: c.byAge.Front()}
	c.sweeps = append(c.sweeps, s)
	return s
}

// advance drops some answers, and reports whether there are more to look at.
func (c *PermissionCache) advance(s *sweep) (more bool) {
	c.desk.Lock()
	defer c.desk.Unlock()
	for range sweepStep {
		if s.at == nil {
			break
		}
		a := s.at.Value.(*answer)
		if a.standing.asOf >= s.asOf { // as are all behind it
			s.at = nil
			break
		}
		s.at = s.at.Next()
		if s.who.matches(a.who) {
			c.drop(a)
		}
	}
	if s.at != nil {
		return true
	}
	c.sweeps = slices.DeleteFunc(c.sweeps, func(other *sweep) bool { return other == s })
	return false
}

// pass moves on from an answer that is about to go.
func (s *sweep) pass(gone *list.Element) {
	if s.at == gone {
		s.at = gone.Next()
	}
}
