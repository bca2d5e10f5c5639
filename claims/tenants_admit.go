package claims

import "time"

// rely counts on a tenant from now on, and asks again after a time.
func (t *Tenants) rely(k *tenant, again time.Duration) {
	now := t.now()
	k.answeredAt.Store(now)
	k.checkAt.Store(now + int64(again))
}

// admit is called with mu held.
func (t *Tenants) admit(fresh *tenant) *tenant {
	t.rely(fresh, t.maxAge)
	if t.newcomers >= max(64, t.max/4) {
		oldest := t.least(func(k *tenant) (int64, bool) {
			return int64(k.admittedAt.Sub(t.base)), k.usedAt.Load() == 0
		})
		t.drop(oldest.issuer)
		// Else names of real issuers in forged tokens would have their keys
		// fetched each time.
		t.refuse(oldest.issuer, errIssuer, oldest.admittedAt.Add(readmission))
	}
	t.known.Store(fresh.issuer, fresh)
	t.newcomers++
	return fresh
}

// used takes note that a token of the tenant was verified.
func (t *Tenants) used(k *tenant) {
	now := 1 + t.now()/int64(time.Second)
	if before := k.usedAt.Load(); before == now {
		return
	} else if before != 0 {
		k.usedAt.Store(now)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.usedAt.Load() != 0 || t.lookup(k.issuer) != k { // by another request, or dropped
		return
	}
	k.usedAt.Store(now)
	t.newcomers--
	t.verified++
	if t.verified > t.max {
		t.drop(t.least(func(k *tenant) (int64, bool) {
			used := k.usedAt.Load()
			return used, used != 0
		}).issuer)
	}
}

// least returns the tenant of least rank among those that by says count.
func (t *Tenants) least(by func(*tenant) (rank int64, counts bool)) (found *tenant) {
	var lowest int64
	t.known.Range(func(_, value any) bool {
		k := value.(*tenant)
		if rank, counts := by(k); counts && (found == nil || rank < lowest) {
			found, lowest = k, rank
		}
		return true
	})
	return found
}

// drop is called with mu held.
func (t *Tenants) drop(issuer string) {
	known, ok := t.known.LoadAndDelete(issuer)
	switch {
	case !ok:
	case known.(*tenant).usedAt.Load() == 0:
		t.newcomers--
	default:
		t.verified--
	}
}

// refuse is called with mu held.
func (t *Tenants) refuse(issuer string, err *Error, until time.Time) {
	if len(t.refused) >= maxRefused {
		clear(t.refused) // whoever fills it has a question for each issuer he invents anyway
	}
	t.refused[issuer] = verdict{err, until}
}
