package revocation

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/claims"
)

// kept is an Entry in the table, with the refusal of its tokens.
type kept struct {
	Entry
	hash    uint64
	place   int // in the heap
	refusal *claims.Error
}

// link is a place in a chain. It does not change, so that a chain can be walked
// while the table does.
type link struct {
	*kept
	next *link
}

// shelf finds entries by their hash. Many read it while one writes.
type shelf []atomic.Pointer[link] // a power of two of them

func (s shelf) at(hash uint64) *atomic.Pointer[link] { return &s[hash&uint64(len(s)-1)] }

func (s shelf) add(k *kept) {
	chain := s.at(k.hash)
	chain.Store(&link{k, chain.Load()})
}

func (s shelf) remove(k *kept) {
	var rest *link
	chain := s.at(k.hash)
	for l := chain.Load(); l != nil; l = l.next {
		if l.kept != k {
			rest = &link{l.kept, rest}
		}
	}
	chain.Store(rest)
}

// find returns the entry that names the same, nil if there is none.
func (s shelf) find(e *Entry, hash uint64) *kept {
	for l := s.at(hash).Load(); l != nil; l = l.next {
		if l.hash == hash && l.sameAs(e) {
			return l.kept
		}
	}
	return nil
}

// hasher hashes what entries are found by, as nobody outside can foresee.
type hasher struct{ seed maphash.Seed }

// of returns the hash of a value of some kind, of the issuer with that hash.
func (h hasher) of(k kind, issuer uint64, value string) uint64 {
	const odd = 0x9e3779b97f4a7c15
	sum := (issuer + uint64(k) + 1) * odd
	if value != "" {
		sum ^= maphash.String(h.seed, value)
	}
	sum *= odd
	return sum ^ sum>>32
}

func (h hasher) issuer(issuer string) uint64 { return maphash.String(h.seed, issuer) }

func (h hasher) entry(e *Entry) uint64 { return h.of(e.kind(), h.issuer(e.Issuer), e.value()) }
