package receiver

import (
	"container/heap"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

// maxSeen is how many pieces of news are remembered: senders make them, not
// whoever calls. Where there are more, those that end first are forgotten: to
// act on one twice does no harm.
const maxSeen = 100_000

// mark is one piece of news, by who sent it and its "jti".
type mark struct{ issuer, id string }

// seen remembers what has been received, so that it is taken once.
type seen struct {
	mu     sync.Mutex
	marks  map[mark]bool // true once it has been acted on
	ending endings
}

type outcome int

const (
	first    outcome = iota
	underWay         // by another request, which may still fail
	before
)

// begin claims a mark until [seen.end]. until is from when on the token would
// be refused anyway.
func (s *seen) begin(m mark, until time.Time) outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := clock.Now()
	for len(s.ending) > 0 && (now.Reached(s.ending[0].at) || len(s.ending) >= maxSeen) {
		delete(s.marks, heap.Pop(&s.ending).(ending).mark)
	}
	if done, ok := s.marks[m]; ok {
		if done {
			return before
		}
		return underWay
	}
	if s.marks == nil {
		s.marks = map[mark]bool{}
	}
	s.marks[m] = false
	heap.Push(&s.ending, ending{m, now.Add(max(time.Until(until), leeway))})
	return first
}

// end says what became of it: what has failed may come again.
func (s *seen) end(m mark, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.marks[m]; !ok {
		return
	}
	if done {
		s.marks[m] = true
		return
	}
	delete(s.marks, m)
	for i := range s.ending {
		if s.ending[i].mark == m {
			heap.Remove(&s.ending, i)
			return
		}
	}
}

type ending struct {
	mark mark
	at   clock.Instant
}

// endings is a heap of marks, the one that ends first on top.
type endings []ending

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].at.Monotonic < e[j].at.Monotonic }
func (e endings) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *endings) Push(v any)        { *e = append(*e, v.(ending)) }

func (e *endings) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
