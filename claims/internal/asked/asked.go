// Package asked asks a user's code about keys: one request asks, and all that
// want to know the same meanwhile wait for its answer. What is asked, for how
// long, and who may wait for it is bounded. What is kept of the answers, and
// which is evicted, is for the owner of a [Desk] to say.
package asked

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/clock"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// ErrBusy is why a question is not asked, or not waited for.
var ErrBusy = errors.New("too many are asked about, or wait for an answer")

// errForgotten says that a question was withdrawn. It leaves the package
// nowhere.
var errForgotten = errors.New("forgotten meanwhile")

// Limits bound the questions of one kind.
type Limits struct {
	Calls    int           // at a time
	Keys     int           // that are asked about at a time, or wait for their turn
	Requests int           // that wait for an answer
	Patience time.Duration // for a turn; zero asks at once or not at all
	Timeout  time.Duration // of one call
	Total    time.Duration // of a question, with its wait for a turn
}

// Line is the questions of one kind. [NewLine] makes one.
type Line struct {
	limits  Limits
	turns   chan struct{} // one element for each call, until it returns
	asking  int           // keys; guarded by the lock of the Desk
	waiting atomic.Int64  // requests
}

// NewLine returns a Line without questions. It is for one [Desk].
func NewLine(limits Limits) *Line {
	return &Line{limits: limits, turns: make(chan struct{}, limits.Calls)}
}

// Question is a call of the user's code that any number of requests wait for.
type Question[V any] struct {
	line   *Line
	ctx    context.Context // of the call, not of a request, which may give up
	cancel context.CancelFunc
	done   chan struct{}
	value  V // once it is done, as is err
	err    error
}

// Desk has the questions that are under way, one at a time for each key. Its
// lock guards what the owner keeps of the answers, too: an answer and the end
// of the reliance on it never cross. [New] makes one.
type Desk[K comparable, V any] struct {
	sync.Mutex
	code      func(context.Context, K) (V, error)
	settle    func(K, V, error) (V, error)
	name      foreign.Name
	questions map[K]*Question[V]
}

// New returns a Desk without questions. code is the user's code, by its name in
// the user's words: it has a deadline, which it need not heed, and may panic.
// settle is called with the lock held with what came of it, and returns what
// those who wait are told: it is where an answer is kept, or the one before if
// there is none.
func New[K comparable, V any](
	name foreign.Name, code func(context.Context, K) (V, error),
	settle func(K, V, error) (V, error),
) *Desk[K, V] {
	return &Desk[K, V]{name: name, code: code, settle: settle, questions: map[K]*Question[V]{}}
}

// Answer returns what find returns, which is called with the lock held, or else
// waits for the question that it returns instead, no longer than ctx. If that
// is withdrawn meanwhile it asks find again, for as long as one may take.
func (d *Desk[K, V]) Answer(
	ctx context.Context, find func() (V, *Question[V], error),
) (v V, waited bool, err error) {
	for round := 0; ; round++ {
		d.Lock()
		v, q, err := find()
		d.Unlock()
		if q == nil {
			return v, round > 0, err
		}
		if round == 1 { // it may go on
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, q.line.limits.Total)
			defer cancel()
		}
		if v, err = q.wait(ctx); err != errForgotten {
			return v, true, err
		}
	}
}

// Find returns what is kept about a key, or the question that brings it if that
// has expired or is nil, or [ErrBusy]. It asks for the next answer ahead if
// that is due, which nobody waits for. own returns the key without what it is
// part of, which may be larger and gone before. It is called with the lock
// held.
func (d *Desk[K, V]) Find(
	key K, own func(K) K, kept V, term *Term, line *Line,
) (none V, q *Question[V], err error) {
	state := term.State(clock.Now())
	if state == Fresh {
		return kept, nil, nil
	}
	q = d.ask(key, own, line)
	switch {
	case state == Due:
		if q != nil {
			term.Asked()
		}
		return kept, nil, nil
	case q == nil:
		return none, nil, ErrBusy
	}
	return none, q, nil
}

func (q *Question[V]) wait(ctx context.Context) (none V, err error) {
	defer q.line.waiting.Add(-1)
	if q.line.waiting.Add(1) > int64(q.line.limits.Requests) {
		return none, ErrBusy
	}
	select {
	case <-q.done:
		return q.value, q.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// ask returns the question about a key, which it asks if that is not under way,
// or nil if the line is too long.
func (d *Desk[K, V]) ask(key K, own func(K) K, line *Line) *Question[V] {
	if q := d.questions[key]; q != nil {
		return q
	}
	if line.asking >= line.limits.Keys {
		return nil
	}
	hasTurn := true
	select {
	case line.turns <- struct{}{}:
	default:
		if hasTurn = false; line.limits.Patience == 0 {
			return nil
		}
	}
	key = own(key)
	q := &Question[V]{line: line, done: make(chan struct{})}
	q.ctx, q.cancel = context.WithTimeout(context.Background(), line.limits.Total)
	line.asking++
	d.questions[key] = q
	go d.run(key, q, hasTurn)
	return q
}

func (d *Desk[K, V]) run(key K, q *Question[V], hasTurn bool) {
	v, err := d.call(key, q, hasTurn)
	d.Lock()
	defer d.Unlock()
	if d.questions[key] != q { // withdrawn
		return
	}
	v, err = d.settle(key, v, err)
	d.close(key, q, v, err)
}

// call calls the user's code when it is its turn. Should that not heed its
// context, the turn is its own until it returns.
func (d *Desk[K, V]) call(key K, q *Question[V], hasTurn bool) (none V, err error) {
	if !hasTurn {
		patience := time.NewTimer(q.line.limits.Patience)
		defer patience.Stop()
		select {
		case q.line.turns <- struct{}{}:
		case <-patience.C:
			return none, ErrBusy
		case <-q.ctx.Done():
			return none, ErrBusy
		}
	}
	return foreign.Within(q.ctx, d.name, q.line.limits.Timeout, func() { <-q.line.turns },
		func(ctx context.Context) (V, error) { return d.code(ctx, key) })
}

// Withdraw ends the question about a key: whoever waits for it asks anew. It is
// called with the lock held.
func (d *Desk[K, V]) Withdraw(key K) {
	if q := d.questions[key]; q != nil {
		var none V
		d.close(key, q, none, errForgotten)
	}
}

// WithdrawAll withdraws the questions about the keys that match. It is called
// with the lock held.
func (d *Desk[K, V]) WithdrawAll(matches func(K) bool) {
	for key := range d.questions {
		if matches(key) {
			d.Withdraw(key)
		}
	}
}

func (d *Desk[K, V]) close(key K, q *Question[V], v V, err error) {
	delete(d.questions, key)
	q.line.asking--
	q.value, q.err = v, err
	q.cancel()
	close(q.done)
}
