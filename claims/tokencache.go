package claims

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

const (
	defaultTokenCache = 10_000
	maxTokenCache     = 10_000_000
	// ways is how many tokens share a place, and so how many may have to make room
	// for another.
	ways = 8
	// meanSize is what a token may take on average where all places are full.
	meanSize = 2 << 10
	// overhead is about what a token takes beside its claims' text.
	overhead = 640
	// ticks are the units of time in which tokens are told to have been used: fine
	// enough to order them, and coarse enough to be written seldom.
	ticks = 1 << 20 // nanoseconds
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
}

type tokenTable struct {
	places  []place
	writers [locks]sync.Mutex // by place
	flights [locks]flights    // by place
}

type place [ways]atomic.Pointer[cachedToken]

// cachedToken is a verified token.
type cachedToken struct {
	sum              tokenSum
	claims           *Claims
	verifier         *Verifier
	keyID, algorithm string
	key              *jwks.Key // that it is signed with; nil if by a secret
	size             int
	usedAt           atomic.Int64 // in ticks
}

// opened returns the table, making it if need be.
func (c *tokenCache) opened() *tokenTable {
	if table := c.table.Load(); table != nil {
		return table
	}
	c.table.CompareAndSwap(nil, &tokenTable{places: make([]place, (c.tokens+ways-1)/ways)})
	return c.table.Load()
}

// index returns which place is that of a token.
func (t *tokenTable) index(sum *tokenSum) int {
	hash := binary.LittleEndian.Uint64(sum[:])
	i, _ := bits.Mul64(hash, uint64(len(t.places)))
	return int(i)
}

// find returns the token, or nil.
func (c *tokenCache) find(sum *tokenSum, now time.Time) *cachedToken {
	table := c.table.Load()
	if table == nil {
		return nil
	}
	place := &table.places[table.index(sum)]
	for i := range place {
		t := place[i].Load()
		if t == nil || t.sum != *sum {
			continue
		}
		if tick := now.UnixNano() / ticks; t.usedAt.Load() != tick {
			t.usedAt.Store(tick)
		}
		return t
	}
	return nil
}

// add remembers a token in the place of those that were not used for longest.
func (c *tokenCache) add(t *cachedToken, now time.Time) {
	t.usedAt.Store(now.UnixNano() / ticks)
	t.size = t.claims.size()
	table := c.opened()
	i := table.index(&t.sum)
	lock := &table.writers[i%locks]
	lock.Lock()
	defer lock.Unlock()
	place := &table.places[i]
	free, size := -1, t.size
	for w := range place {
		other := place[w].Load()
		switch {
		case other == nil:
			free = w
		case other.sum == t.sum || !now.Before(other.claims.expiresAt.Add(maxLeeway)):
			place[w].Store(nil)
			free = w
		default:
			size += other.size
		}
	}
	for free < 0 || size > ways*meanSize {
		oldest := place.oldest()
		if oldest < 0 { // it is larger than its place
			return
		}
		size -= place[oldest].Load().size
		place[oldest].Store(nil)
		free = oldest
	}
	place[free].Store(t)
}

// oldest returns where the token is that was not used for longest, -1 if none is.
func (p *place) oldest() int {
	found, since := -1, int64(0)
	for w := range p {
		if t := p[w].Load(); t != nil && (found < 0 || t.usedAt.Load() < since) {
			found, since = w, t.usedAt.Load()
		}
	}
	return found
}

// remove forgets a token.
func (c *tokenCache) remove(t *cachedToken) {
	table := c.table.Load()
	place := &table.places[table.index(&t.sum)]
	for w := range place {
		place[w].CompareAndSwap(t, nil)
	}
}

// len returns how many tokens are held, and about how many bytes they take.
func (c *tokenCache) len() (tokens, size int) {
	table := c.table.Load()
	if table == nil {
		return 0, 0
	}
	for i := range table.places {
		for w := range table.places[i] {
			if t := table.places[i][w].Load(); t != nil {
				tokens++
				size += t.size
			}
		}
	}
	return tokens, size
}

// flights are the tokens that are being verified, so that of identical ones that
// arrive together one is.
type flights struct {
	mu    sync.Mutex
	first *flight // a list: there are hardly ever two
}

type flight struct {
	sum  tokenSum
	next *flight
	done chan struct{} // nil until somebody waits
}

// board returns a flight that is the caller's to land, or, once that of another
// has landed, nil.
func (c *tokenCache) board(ctx context.Context, sum *tokenSum) *flight {
	table := c.opened()
	list := &table.flights[table.index(sum)%locks]
	list.mu.Lock()
	for f := list.first; f != nil; f = f.next {
		if f.sum != *sum {
			continue
		}
		if f.done == nil {
			f.done = make(chan struct{})
		}
		done := f.done
		list.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
		}
		return nil
	}
	f := &flight{sum: *sum, next: list.first}
	list.first = f
	list.mu.Unlock()
	return f
}

// land ends a flight.
func (c *tokenCache) land(f *flight) {
	table := c.table.Load()
	list := &table.flights[table.index(&f.sum)%locks]
	list.mu.Lock()
	defer list.mu.Unlock()
	for at := &list.first; *at != nil; at = &(*at).next {
		if *at == f {
			*at = f.next
			break
		}
	}
	if f.done != nil {
		close(f.done)
	}
}
