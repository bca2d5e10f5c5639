package claims

import (
	"container/list"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

const (
	minNewcomers = 64
	readmission  = 30 * time.Second // of a newcomer that was dropped
	maxRefused   = 1024             // issuers that are remembered as refused
	lookedAt     = 64               // tenants, at most, to find one to evict
)

// tenant is an issuer that is trusted.
type tenant struct {
	issuer     string
	verifier   atomic.Pointer[Verifier]
	admittedAt clock.Instant
	term       asked.Term   // of what was said of it
	usedAt     atomic.Int64 // in seconds; zero until a token was verified

	// Guarded by the lock of the desk.
	place  *list.Element // of newcomers or verified
	seenAt int64         // usedAt when it was put there
}

// verdict is why an issuer is refused without asking, and until when.
type verdict struct {
	err   *Error
	until clock.Instant
}

func (t *Tenants) lookup(issuer string) *tenant {
	if known, ok := t.known.Load(issuer); ok {
		return known.(*tenant)
	}
	return nil
}

// rely relies on a tenant from now on, and asks again after a time.
func (t *Tenants) rely(k *tenant, again time.Duration) {
	age := t.cfg.MaxAge
	k.term.Begin(clock.Now(), again, age+min(age, 1<<63-1-age))
}

// admit makes a newcomer of an issuer. It is called with the lock held.
func (t *Tenants) admit(fresh *tenant) {
	fresh.admittedAt = clock.Now()
	t.rely(fresh, t.cfg.MaxAge)
	if t.newcomers.Len() >= max(minNewcomers, t.cfg.Max/4) {
		oldest := t.newcomers.Front().Value.(*tenant)
		t.drop(oldest.issuer)
		// Otherwise names of real issuers in forged tokens would have their
		// keys fetched each time.
		t.refuse(oldest.issuer, errIssuer, oldest.admittedAt.Add(readmission))
	}
	fresh.place = t.newcomers.PushBack(fresh)
	t.known.Store(fresh.issuer, fresh)
}

// used takes note that a token of the tenant was verified.
func (t *Tenants) used(k *tenant) {
	now := 1 + clock.Now().Monotonic/int64(time.Second)
	if before := k.usedAt.Load(); before == now {
		return
	} else if before != 0 {
		k.usedAt.Store(now)
		return
	}
	t.desk.Lock()
	defer t.desk.Unlock()
	if k.usedAt.Load() != 0 || t.lookup(k.issuer) != k { // by another request, or dropped
		return
	}
	t.newcomers.Remove(k.place)
	if t.verified.Len() >= t.cfg.Max {
		t.drop(t.unused().issuer)
	}
	k.usedAt.Store(now)
	k.seenAt = now
	k.place = t.verified.PushBack(k)
}

// unused returns a tenant that was not used for long, of those whose tokens
// were verified. It is called with the lock held.
func (t *Tenants) unused() (found *tenant) {
	for range min(lookedAt, t.verified.Len()) {
		k := t.verified.Front().Value.(*tenant)
		used := k.usedAt.Load()
		if used == k.seenAt {
			return k
		}
		if found == nil || used < found.usedAt.Load() {
			found = k
		}
		k.seenAt = used
		t.verified.MoveToBack(k.place)
	}
	return found
}

// drop is called with the lock held.
func (t *Tenants) drop(issuer string) {
	known, ok := t.known.LoadAndDelete(issuer)
	if !ok {
		return
	}
	if k := known.(*tenant); k.usedAt.Load() == 0 {
		t.newcomers.Remove(k.place)
	} else {
		t.verified.Remove(k.place)
	}
}

// refuse is called with the lock held.
func (t *Tenants) refuse(issuer string, err *Error, until clock.Instant) {
	if len(t.refused) >= maxRefused {
		clear(t.refused) // whoever fills it has each issuer that they invent asked about anyway
	}
	t.refused[issuer] = verdict{err, until}
}
