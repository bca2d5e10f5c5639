package dpop

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

const (
	defaultMaxProofs = 1_000_000
	// keyShare is which part of the proofs may be of one key.
	keyShare = 4
	// swept is how many proofs are forgotten for one that comes, if their time
	// has passed: more than one, so that all of them are in the end, and few,
	// so that nobody waits for it.
	swept = 4
)

// Memory is the [ReplayStore] of a single process. It is bounded, and forgets
// nothing before its time: a proof that there is no room for is refused. It is
// safe for concurrent use. [NewMemory] makes one; the zero value has no room.
type Memory struct {
	mu     sync.Mutex // guards all below
	max    int
	proofs map[digest]clock.Instant // until when each counts
	keys   map[string]int           // how many are of each key
	due    map[int64][]used         // by the second in which they can be forgotten
	next   int64                    // the first of those seconds, if there is any
}

// digest stands for a proof, whatever its identifier takes.
type digest [sha256.Size]byte

// used is a proof that was used.
type used struct {
	digest digest
	jkt    string
}

var (
	errFull = errors.New("dpop: there is no room for another proof: " +
		"NewMemory was given too small a number")
	errKeyFull = claims.NewError(claims.ErrInvalidToken, claims.ReasonBinding, fmt.Errorf(
		"dpop: one key has made a %dth of all proofs that there is room for", keyShare))
)

// NewMemory returns a Memory of that many proofs, zero for a million. One takes
// some 150 bytes, and counts for as long as it could be used again: twice
// [Config].Window at most, or [Config].NonceLifetime. If there is no room for
// another, it cannot be decided about requests with a proof; those of a key
// that has a quarter of the room are refused.
func NewMemory(proofs int) *Memory {
	if proofs <= 0 {
		proofs = defaultMaxProofs
	}
	return &Memory{
		max: proofs, proofs: map[digest]clock.Instant{}, keys: map[string]int{},
		due: map[int64][]used{},
	}
}

// Use takes note of a proof and reports whether it is fresh.
func (m *Memory) Use(_ context.Context, jkt, jti string, until time.Time) (bool, error) {
	proof := used{digestOf(jkt, jti), jkt}
	wall := time.Now()
	now := clock.Read(wall)
	end := now.Add(until.Sub(wall.Round(0))) // by the wall clock, which until is of
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now, swept)
	if before, ok := m.proofs[proof.digest]; ok && !isPast(before, now) {
		return false, nil
	}
	if m.isFull(jkt) != nil {
		m.sweep(now, math.MaxInt)
	}
	if err := m.isFull(jkt); err != nil {
		return false, err
	}
	proof.jkt = strings.Clone(jkt) // it is a part of its token's claims
	m.add(proof, end)
	return true, nil
}

// isFull returns why there is no room for another proof of a key.
func (m *Memory) isFull(jkt string) error {
	switch {
	case len(m.proofs) >= m.max:
		return errFull
	case m.keys[jkt] >= max(m.max/keyShare, 1):
		return errKeyFull
	}
	return nil
}

// digestOf returns what stands for a proof. A thumbprint has no zero byte.
func digestOf(jkt, jti string) digest { return sha256.Sum256([]byte(jkt + "\x00" + jti)) }

func (m *Memory) add(proof used, end clock.Instant) {
	if _, again := m.proofs[proof.digest]; !again {
		m.keys[proof.jkt]++
	}
	m.proofs[proof.digest] = end
	m.schedule(proof, end.Monotonic)
}

// schedule has a proof looked at again in the second after one.
func (m *Memory) schedule(proof used, at int64) {
	second := at/int64(time.Second) + 1
	if len(m.due) == 0 || second < m.next {
		m.next = second
	}
	m.due[second] = append(m.due[second], proof)
}

// sweep forgets proofs whose time has passed, so many at most.
func (m *Memory) sweep(now clock.Instant, most int) {
	second := now.Monotonic / int64(time.Second)
	for range most {
		if len(m.due) == 0 || m.next > second {
			return
		}
		list := m.due[m.next]
		last := len(list) - 1
		m.due[m.next] = list[:last]
		if m.forget(list[last], now); last == 0 {
			m.skip()
		}
	}
}

// skip goes on to the next second that has proofs.
func (m *Memory) skip() {
	delete(m.due, m.next)
	m.next = math.MaxInt64
	for second := range m.due { // those of a window, at most
		m.next = min(m.next, second)
	}
}

// forget removes a proof, unless the wall clock was set back and its time has
// not come.
func (m *Memory) forget(proof used, now clock.Instant) {
	end, ok := m.proofs[proof.digest]
	if !ok {
		return
	}
	if !isPast(end, now) {
		m.schedule(proof, now.Monotonic+max(end.Monotonic-now.Monotonic, end.Wall-now.Wall))
		return
	}
	delete(m.proofs, proof.digest)
	if m.keys[proof.jkt]--; m.keys[proof.jkt] <= 0 {
		delete(m.keys, proof.jkt)
	}
}

// isPast reports whether an instant has been by both clocks: what counts by one
// of them still counts.
func isPast(end, now clock.Instant) bool {
	return now.Monotonic > end.Monotonic && now.Wall > end.Wall
}

func (m *Memory) isMade() bool { return m != nil && m.proofs != nil }
