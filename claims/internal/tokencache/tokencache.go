// Package tokencache remembers what verified tokens were found to be, by a
// keyed hash of each: bounded in number and in bytes, whatever tokens there
// are.
package tokencache

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// ways is how many tokens a place has. A token has two places, so nearly
	// all are full before the first token is evicted, which is the least used
	// of 16.
	ways = 8
	// meanSize is what a token may take on average if all places are full.
	meanSize = 2 << 10
	// tick is the time in which uses of a token count as one: fine enough to
	// order tokens, and coarse enough to be written seldom.
	tick  = 1 << 20 // nanoseconds
	locks = 64
)

// Cache remembers verified tokens. A look-up takes no lock. It is bounded in
// number, and in memory to 2 KiB for each token: each place has eight tokens
// and 16 KiB. It is safe for concurrent use. [New] makes one.
type Cache[V any] struct {
	tokens int
	table  atomic.Pointer[table[V]] // nil until there is a token
	open   sync.Once
}

type table[V any] struct {
	places  []place[V]
	writers [locks]sync.Mutex // by place
	flights [locks]flights    // by place
}

// place has tokens, each with some bits of its sum beside it, so that a look-up
// reads no others.
type place[V any] struct {
	tags   [ways]atomic.Uint32
	tokens [ways]atomic.Pointer[Entry[V]]
}

// Entry is a verified token. Its fields must not change once it is added.
type Entry[V any] struct {
	Sum   Sum
	Value V
	// Size is about how many bytes it takes, and ExpiresAt is when it can be
	// evicted whoever uses it.
	Size      int
	ExpiresAt time.Time

	usedAt atomic.Int64 // in ticks
}

// New returns a Cache of that many tokens, zero or less for none at all.
func New[V any](tokens int) *Cache[V] { return &Cache[V]{tokens: max(tokens, 0)} }

// Max returns how many tokens the Cache may have.
func (c *Cache[V]) Max() int { return c.tokens }

// opened returns the table, making it if need be.
func (c *Cache[V]) opened() *table[V] {
	if t := c.table.Load(); t != nil {
		return t
	}
	c.open.Do(func() {
		c.table.Store(&table[V]{places: make([]place[V], (c.tokens+ways-1)/ways)})
	})
	return c.table.Load()
}

// indexes returns the two places of a token, and its tag. The hash is keyed, so
// no sender can choose which tokens to evict.
func (t *table[V]) indexes(sum *Sum) (i, j int, tag uint32) {
	index := func(hash uint64) int {
		i, _ := bits.Mul64(hash, uint64(len(t.places)))
		return int(i)
	}
	// The places are by the high bits of the halves, and the tag is of low
	// ones.
	return index(binary.LittleEndian.Uint64(sum[:])), index(binary.LittleEndian.Uint64(sum[8:])),
		binary.LittleEndian.Uint32(sum[8:])
}

// Find returns the token, or nil.
func (c *Cache[V]) Find(sum *Sum, now time.Time) *Entry[V] {
	table := c.table.Load()
	if table == nil {
		return nil
	}
	i, j, tag := table.indexes(sum)
	t := table.places[i].find(sum, tag)
	if t == nil {
		t = table.places[j].find(sum, tag)
	}
	if t != nil {
		t.use(now)
	}
	return t
}

func (p *place[V]) find(sum *Sum, tag uint32) *Entry[V] {
	for w := range p.tags {
		if p.tags[w].Load() != tag {
			continue
		}
		if t := p.tokens[w].Load(); t != nil && t.Sum == *sum {
			return t
		}
	}
	return nil
}

// use records that the token is used: at most one write per tick, however many
// cores use the token.
func (t *Entry[V]) use(now time.Time) {
	if ticks := now.UnixNano() / tick; t.usedAt.Load() != ticks {
		t.usedAt.Store(ticks)
	}
}

// Add remembers a token. It evicts those that were not used for longest.
func (c *Cache[V]) Add(t *Entry[V], now time.Time) {
	t.use(now)
	table := c.opened()
	i, j, tag := table.indexes(&t.Sum)
	defer table.lock(i, j)()
	p := &table.places[i]
	if p.replace(t) || table.places[j].replace(t) {
		return
	}
	p.clean(now)
	table.places[j].clean(now)
	if other := &table.places[j]; other.worth(t.Size) < p.worth(t.Size) {
		p = other
	}
	p.put(t, tag)
}

// lock locks two places for writing, and returns what unlocks them.
func (t *table[V]) lock(i, j int) (unlock func()) {
	first, second := &t.writers[min(i%locks, j%locks)], &t.writers[max(i%locks, j%locks)]
	first.Lock()
	if first == second {
		return first.Unlock
	}
	second.Lock()
	return func() {
		second.Unlock()
		first.Unlock()
	}
}

// replace puts a token in the place of the same one, so that no look-up misses
// it meanwhile, and reports whether that is there.
func (p *place[V]) replace(t *Entry[V]) bool {
	for w := range p.tokens {
		if same := p.tokens[w].Load(); same != nil && same.Sum == t.Sum {
			return p.tokens[w].CompareAndSwap(same, t) // unless it is removed meanwhile
		}
	}
	return false
}

// clean evicts the tokens that have expired.
func (p *place[V]) clean(now time.Time) {
	for w := range p.tokens {
		if t := p.tokens[w].Load(); t != nil && !now.Before(t.ExpiresAt) {
			p.tokens[w].Store(nil)
		}
	}
}

// worth is the price of adding a token of this size: negative if there is room,
// and the lower the more there is, else when the token to be evicted was last
// used.
func (p *place[V]) worth(size int) int64 {
	free := int64(0)
	for w := range p.tokens {
		if t := p.tokens[w].Load(); t != nil {
			size += t.Size
		} else {
			free++
		}
	}
	if free > 0 && size <= ways*meanSize {
		return -free
	}
	_, usedAt := p.oldest()
	return usedAt
}

func (p *place[V]) put(t *Entry[V], tag uint32) {
	for {
		free, size := -1, t.Size
		for w := range p.tokens {
			if other := p.tokens[w].Load(); other != nil {
				size += other.Size
			} else {
				free = w
			}
		}
		if free >= 0 && size <= ways*meanSize {
			p.tags[free].Store(tag)
			p.tokens[free].Store(t)
			return
		}
		oldest, _ := p.oldest()
		if oldest < 0 { // it alone is more than a place has
			return
		}
		p.tokens[oldest].Store(nil)
	}
}

// oldest returns the token that was not used for longest, by its index, and
// when it was last used; -1 if there is no token.
func (p *place[V]) oldest() (found int, usedAt int64) {
	found = -1
	for w := range p.tokens {
		if t := p.tokens[w].Load(); t != nil && (found < 0 || t.usedAt.Load() < usedAt) {
			found, usedAt = w, t.usedAt.Load()
		}
	}
	return found, usedAt
}

// Remove forgets a token.
func (c *Cache[V]) Remove(t *Entry[V]) {
	table := c.table.Load()
	i, j, _ := table.indexes(&t.Sum)
	for _, p := range []*place[V]{&table.places[i], &table.places[j]} {
		for w := range p.tokens {
			p.tokens[w].CompareAndSwap(t, nil)
		}
	}
}

// Len returns how many tokens are held, and about how many bytes they take.
func (c *Cache[V]) Len() (tokens, size int) {
	for t := range c.All() {
		tokens++
		size += t.Size
	}
	return tokens, size
}

// All yields the tokens that are held.
func (c *Cache[V]) All() iter.Seq[*Entry[V]] {
	return func(yield func(*Entry[V]) bool) {
		table := c.table.Load()
		if table == nil {
			return
		}
		for i := range table.places {
			for w := range ways {
				if t := table.places[i].tokens[w].Load(); t != nil && !yield(t) {
					return
				}
			}
		}
	}
}
