package claims

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

const (
	// ways is how many tokens a place has. A token has two places, so that nearly
	// all are full before one has to give way, and it is the least used of 16.
	ways = 8
	// meanSize is what a token may take on average where all places are full.
	meanSize = 2 << 10
	// tick is the time in which tokens are told to have been used: fine enough to
	// order them, and coarse enough to be written seldom.
	tick  = 1 << 20 // nanoseconds
	locks = 64
)

// tokenSum is a keyed hash of a token: it stands for the token, which is not kept.
type tokenSum [sha256.Size]byte

// tokenCache remembers verified tokens. A look-up takes no lock. It is bounded in
// number, and in memory to 2 KiB for each, whatever tokens there are: each place
// has eight tokens and 16 KiB.
type tokenCache struct {
	tokens int                        // zero for none at all
	table  atomic.Pointer[tokenTable] // nil until there is a token
	open   sync.Once
}

type tokenTable struct {
	places  []place
	writers [locks]sync.Mutex // by place
	flights [locks]flights    // by place
}

// place has tokens, each with some bits of its sum beside it, so that others need
// not be looked at.
type place struct {
	tags   [ways]atomic.Uint32
	tokens [ways]atomic.Pointer[cachedToken]
}

// cachedToken is a verified token.
type cachedToken struct {
	sum              tokenSum
	claims           *Claims
	verifier         uint64    // its id: a Verifier that is gone is not held
	keyID, algorithm string    // copies: what they are from may be much larger
	key              *jwks.Key // that it is signed with; nil if by a secret
	size             int
	usedAt           atomic.Int64 // in ticks
}

// opened returns the table, making it if need be.
func (c *tokenCache) opened() *tokenTable {
	if table := c.table.Load(); table != nil {
		return table
	}
	c.open.Do(func() {
		c.table.Store(&tokenTable{places: make([]place, (c.tokens+ways-1)/ways)})
	})
	return c.table.Load()
}

// indexes returns which places are those of a token, and its tag. The sum can not
// be foreseen, so nobody can choose whose place he shares.
func (t *tokenTable) indexes(sum *tokenSum) (i, j int, tag uint32) {
	index := func(hash uint64) int {
		i, _ := bits.Mul64(hash, uint64(len(t.places)))
		return int(i)
	}
	return index(binary.LittleEndian.Uint64(sum[:])), index(binary.LittleEndian.Uint64(sum[8:])),
		binary.LittleEndian.Uint32(sum[16:])
}

// find returns the token, or nil.
func (c *tokenCache) find(sum *tokenSum, now time.Time) *cachedToken {
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

func (p *place) find(sum *tokenSum, tag uint32) *cachedToken {
	for w := range p.tags {
		if p.tags[w].Load() != tag {
			continue
		}
		if t := p.tokens[w].Load(); t != nil && t.sum == *sum {
			return t
		}
	}
	return nil
}

// use takes note that a token is used. Many cores write nothing while one has.
func (t *cachedToken) use(now time.Time) {
	if ticks := now.UnixNano() / tick; t.usedAt.Load() != ticks {
		t.usedAt.Store(ticks)
	}
}

// add remembers a token in the place of those that were not used for longest.
func (c *tokenCache) add(t *cachedToken, now time.Time) {
	t.use(now)
	t.size = t.claims.size() + len(t.keyID)
	table := c.opened()
	i, j, tag := table.indexes(&t.sum)
	defer table.lock(i, j)()
	p := &table.places[i]
	if p.replace(t) || table.places[j].replace(t) {
		return
	}
	p.clean(now)
	table.places[j].clean(now)
	if other := &table.places[j]; other.worth(t.size) < p.worth(t.size) {
		p = other
	}
	p.put(t, tag)
}

// lock locks two places for writing, and returns what unlocks them.
func (t *tokenTable) lock(i, j int) (unlock func()) {
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

// replace puts a token in the place of the same one, so that no look-up misses it
// meanwhile, and reports whether that is there.
func (p *place) replace(t *cachedToken) bool {
	for w := range p.tokens {
		if same := p.tokens[w].Load(); same != nil && same.sum == t.sum {
			return p.tokens[w].CompareAndSwap(same, t) // unless it is removed meanwhile
		}
	}
	return false
}

// clean makes room where a token is expired, whatever the leeway.
func (p *place) clean(now time.Time) {
	for w := range p.tokens {
		if t := p.tokens[w].Load(); t != nil && !now.Before(t.claims.expiresAt.Add(maxLeeway)) {
			p.tokens[w].Store(nil)
		}
	}
}

// worth is what has to give way for a token of this size: how lately the first to
// go was used, or, if there is room, less the more there is.
func (p *place) worth(size int) int64 {
	free := int64(0)
	for w := range p.tokens {
		if t := p.tokens[w].Load(); t != nil {
			size += t.size
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

func (p *place) put(t *cachedToken, tag uint32) {
	for {
		free, size := -1, t.size
		for w := range p.tokens {
			if other := p.tokens[w].Load(); other != nil {
				size += other.size
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

// oldest returns where the token is that was not used for longest, -1 if none is,
// and when it was.
func (p *place) oldest() (found int, usedAt int64) {
	found = -1
	for w := range p.tokens {
		if t := p.tokens[w].Load(); t != nil && (found < 0 || t.usedAt.Load() < usedAt) {
			found, usedAt = w, t.usedAt.Load()
		}
	}
	return found, usedAt
}

// remove forgets a token.
func (c *tokenCache) remove(t *cachedToken) {
	table := c.table.Load()
	i, j, _ := table.indexes(&t.sum)
	for _, p := range []*place{&table.places[i], &table.places[j]} {
		for w := range p.tokens {
			p.tokens[w].CompareAndSwap(t, nil)
		}
	}
}

// len returns how many tokens are held, and about how many bytes they take.
func (c *tokenCache) len() (tokens, size int) {
	table := c.table.Load()
	if table == nil {
		return 0, 0
	}
	for i := range table.places {
		for w := range ways {
			if t := table.places[i].tokens[w].Load(); t != nil {
				tokens++
				size += t.size
			}
		}
	}
	return tokens, size
}
