package revocation

import (
	"container/heap"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// keep adds an entry for which there is room. The lock is held.
func (t *Table) keep(e Entry) *kept {
	k := &kept{Entry: e, hash: t.hasher.entry(&e)}
	k.refusal = claims.NewError(claims.ErrInvalidToken, claims.ReasonRevoked,
		errors.New("revocation: ended: "+e.String()))
	heap.Push(&t.ends, k)
	t.issuers[e.Issuer]++
	if s := *t.shelf.Load(); len(t.ends) > len(s) {
		grown := newShelf(2 * len(s))
		for _, k := range t.ends {
			grown.add(k)
		}
		t.shelf.Store(grown)
	} else {
		s.add(k)
	}
	t.used[k.kind()].Add(1)
	return k
}

// remove removes an entry. The lock is held.
func (t *Table) remove(k *kept) {
	heap.Remove(&t.ends, k.place)
	t.forget(k)
}

// forget removes an entry that is in the heap no more. The lock is held.
func (t *Table) forget(k *kept) {
	t.shelf.Load().remove(k)
	t.used[k.kind()].Add(-1)
	if t.issuers[k.Issuer]--; t.issuers[k.Issuer] == 0 {
		delete(t.issuers, k.Issuer)
	}
}

// dropEnded removes the entries that have ended. The lock is held.
func (t *Table) dropEnded(now time.Time) {
	for len(t.ends) > 0 && !now.Before(t.ends[0].Until) {
		t.remove(t.ends[0])
	}
}

// widened is an entry that stands for others.
type widened struct {
	by      Entry
	entries int // how many it stands for
}

// widen makes room: all entries of the issuer that has most become one, and
// where each issuer has but one, all of them. The lock is held.
func (t *Table) widen(now time.Time) widened {
	var most string
	for issuer, n := range t.issuers {
		if n > t.issuers[most] || n == t.issuers[most] && issuer < most {
			most = issuer
		}
	}
	if t.issuers[most] < 2 {
		most = ""
	}
	var rest, gone ends
	for _, k := range t.ends {
		if most == "" || k.Issuer == most {
			gone = append(gone, k)
		} else {
			rest = append(rest, k)
		}
	}
	w := widened{by: Entry{Issuer: most}, entries: len(gone)}
	for _, k := range gone {
		before := k.Before
		if before.IsZero() { // of one token, which was issued before the news of it
			before = plain(now)
		}
		if before.After(w.by.Before) {
			w.by.Before = before
		}
		if k.Until.After(w.by.Until) {
			w.by.Until = k.Until
		}
	}
	// The wider one first, so that no token passes in between.
	rest = append(rest, t.keep(w.by))
	for i, k := range rest {
		k.place = i
	}
	t.ends = rest
	heap.Init(&t.ends)
	for _, k := range gone {
		t.forget(k)
	}
	t.stats.Widened++
	return w
}
