// Package inquiry finds out elsewhere what tokens are worth that do not say it
// themselves, and remembers for a while what it was told: one request asks, and
// all that have the same token meanwhile wait for its answer. What is asked at
// a time, who may wait for it, and what is remembered is bounded.
//
// Anybody can make up a token that has to be asked about. So tokens that were
// good before are asked about in a line of their own: whatever strangers send,
// those who are known do not wait behind them, and what is remembered of
// strangers evicts nothing that is known. Where strangers are too many, their
// tokens are refused: [ErrCrowd].
package inquiry

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/tokencache"
)

const (
	maxCalls          = 64 // at a time, about tokens that are known
	maxStrangers      = 32 // ... and about others
	maxAskedAbout     = 4096
	maxStrangersAsked = 1024
	maxWaiting        = 4096

	// familiar is how long a token counts as known that was good.
	familiar = time.Hour
	retry    = time.Second // after nobody could tell
)

// ErrCrowd is why a token is refused that was not asked about: too many are
// that are not known, and nothing says that it is the fault of who is asked.
var ErrCrowd = errors.New("too many tokens that are not known are asked about")

// Answer is what was found out about a token.
type Answer[V any] struct {
	Value V     // what it is worth
	Err   error // why it is worth nothing; nil if it is good
	// For is how long that counts, from when it was asked.
	For time.Duration
	// Size is about how many bytes the Value takes.
	Size int
}

// Config says how a [Desk] asks.
type Config[V any] struct {
	// Name is what is called, in its author's words.
	Name foreign.Name
	// Ask asks about a token. It has Timeout, and need not heed ctx. An error
	// means that it cannot be told.
	Ask func(ctx context.Context, token string) (Answer[V], error)
	// Timeout is how long one call may take. The wait for a turn is half of it
	// at most, and no part of it: that strangers wait makes no call fail.
	Timeout time.Duration
	// Tokens is how many good ones are remembered, Refused how many others.
	Tokens, Refused int
}

// Desk asks about tokens. [New] makes one. It is safe for concurrent use.
type Desk[V any] struct {
	cfg              Config[V]
	hash             *tokencache.Hash
	good, bad        *tokencache.Cache[*record[V]]
	desk             *asked.Desk[string, *record[V]]
	known, strangers *asked.Line
	failed           atomic.Int64 // when it last could not be told, as the clock says
}

// record is what is remembered of a token.
type record[V any] struct {
	Answer[V]
	term asked.Term
}

// New returns a Desk that remembers nothing yet.
func New[V any](cfg Config[V]) *Desk[V] {
	d := &Desk[V]{
		cfg: cfg, hash: tokencache.NewHash(),
		good: tokencache.New[*record[V]](cfg.Tokens), bad: tokencache.New[*record[V]](cfg.Refused),
		known: asked.NewLine(asked.Limits{
			Calls: maxCalls, Keys: maxAskedAbout, Requests: maxWaiting,
			Patience: cfg.Timeout / 2, Timeout: cfg.Timeout, Total: cfg.Timeout * 3 / 2,
		}),
		strangers: asked.NewLine(asked.Limits{
			Calls: maxStrangers, Keys: maxStrangersAsked, Requests: maxWaiting,
			Patience: cfg.Timeout / 2, Timeout: cfg.Timeout, Total: cfg.Timeout * 3 / 2,
		}),
	}
	d.desk = asked.New(cfg.Name, d.ask, d.settle)
	return d
}

// Ask returns what a token is worth, as it was told lately or is told now, and
// whether it was remembered. The error is the Err of an [Answer], bare, or
// [ErrCrowd], or, in a [Failure], why it cannot be told.
func (d *Desk[V]) Ask(ctx context.Context, token string) (value V, remembered bool, err error) {
	sum, now := d.sumOf(token), time.Now()
	if e := d.good.Find(&sum, now); e != nil && e.Value.term.State(clock.Read(now)) == asked.Fresh {
		return e.Value.Value, true, nil
	}
	stranger := false
	r, waited, err := d.desk.Answer(ctx, func() (*record[V], *asked.Question[*record[V]], error) {
		now := time.Now()
		stranger = false
		if e := d.good.Find(&sum, now); e != nil {
			return d.desk.Find(token, strings.Clone, e.Value, &e.Value.term, d.known)
		}
		if e := d.bad.Find(&sum, now); e != nil &&
			e.Value.term.State(clock.Read(now)) != asked.Expired {
			return e.Value, nil, nil
		}
		stranger = true
		return d.desk.Find(token, strings.Clone, nil, nil, d.strangers)
	})
	switch {
	case err == nil:
		return r.Value, !waited, r.Err
	case stranger && errors.Is(err, asked.ErrBusy) && !d.fails():
		return value, false, ErrCrowd
	}
	return value, false, &Failure{err}
}

// Failure is why it cannot be told what a token is worth.
type Failure struct{ Cause error }

// Error returns the cause's text.
func (f *Failure) Error() string { return f.Cause.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// fails reports whether it could not be told lately.
func (d *Desk[V]) fails() bool {
	last := d.failed.Load()
	return last != 0 && clock.Now().Monotonic-last < int64(2*d.cfg.Timeout)
}

func (d *Desk[V]) ask(ctx context.Context, token string) (*record[V], error) {
	r, began := new(record[V]), clock.Now()
	answer, err := d.cfg.Ask(ctx, token)
	if err == nil {
		err = ctx.Err() // it may have stopped half-way
	}
	if err != nil {
		return nil, err
	}
	r.Answer = answer
	r.term.Begin(began, answer.For-answer.For/4, answer.For)
	return r, nil
}

// settle keeps what came of a question. It is called with the lock held.
func (d *Desk[V]) settle(token string, r *record[V], err error) (*record[V], error) {
	sum, now := d.sumOf(token), time.Now()
	before := d.good.Find(&sum, now)
	if err != nil {
		if !errors.Is(err, asked.ErrBusy) {
			d.failed.Store(max(clock.Read(now).Monotonic, 1))
		}
		at := clock.Read(now)
		if before != nil && before.Value.term.State(at) != asked.Expired {
			before.Value.term.Failed(at, retry)
			return before.Value, nil
		}
		return nil, err
	}
	entry := &tokencache.Entry[*record[V]]{
		Sum: sum, Value: r, Size: r.Size + overhead, ExpiresAt: now.Add(max(r.For, familiar)),
	}
	switch {
	case r.Err == nil:
		d.add(d.good, entry, now)
		return r, nil
	case before != nil:
		d.good.Remove(before)
	}
	entry.ExpiresAt = now.Add(r.For)
	d.add(d.bad, entry, now)
	return r, nil
}

// overhead is about what a token takes beside its Value.
const overhead = 200

func (d *Desk[V]) add(
	to *tokencache.Cache[*record[V]], e *tokencache.Entry[*record[V]], now time.Time,
) {
	if to.Max() > 0 && e.Value.For > 0 {
		to.Add(e, now)
	}
}

// room is where a token is hashed: in the heap, as Sum wants it.
type room struct {
	sum  tokencache.Sum
	text []byte
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// sumOf returns the keyed hash of a token, and leaves nothing of that in memory
// that is used again.
func (d *Desk[V]) sumOf(token string) tokencache.Sum {
	r := rooms.Get().(*room)
	r.text = append(append(r.text[:0], d.hash.Seed()...), token...)
	d.hash.Sum(&r.sum, r.text)
	sum := r.sum
	clear(r.text)
	rooms.Put(r)
	return sum
}

// Len returns how many tokens are remembered.
func (d *Desk[V]) Len() (good, refused int) {
	good, _ = d.good.Len()
	refused, _ = d.bad.Len()
	return good, refused
}
