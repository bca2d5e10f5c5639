package jwks

import (
	"hash/maphash"
	"time"
)

const maxMisses = 1024

// misses remembers, for a time each, the last key IDs that a fetch made for
// them did not bring, so that a client that goes on using one of them leaves
// the next such fetch to others. Senders of tokens invent key IDs of any
// length, so it holds hashes, and no more than 1,024 of them.
type misses struct {
	seed  maphash.Seed
	time  time.Duration
	until map[uint64]instant
	order []uint64 // the hashes in until; when full, a ring with the oldest at next
	next  int
}

func newMisses(each time.Duration) *misses {
	return &misses{seed: maphash.MakeSeed(), time: each, until: make(map[uint64]instant)}
}

func (m *misses) add(f fit, now time.Time) {
	hash := maphash.Comparable(m.seed, f)
	if _, known := m.until[hash]; !known {
		if len(m.order) < maxMisses {
			m.order = append(m.order, hash)
		} else {
			delete(m.until, m.order[m.next])
			m.order[m.next] = hash
			m.next = (m.next + 1) % maxMisses
		}
	}
	m.until[hash] = instantOf(now).add(m.time)
}

func (m *misses) has(f fit, now time.Time) bool {
	until, known := m.until[maphash.Comparable(m.seed, f)]
	return known && !until.reached(now)
}
