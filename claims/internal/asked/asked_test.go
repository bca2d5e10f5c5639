package asked_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

type question = asked.Question[string]

// desk is a Desk whose answers are not kept.
type desk struct {
	*asked.Desk[string, string]
	line    *asked.Line
	calls   atomic.Int32
	settled atomic.Int32
}

var limits = asked.Limits{
	Calls: 2, Keys: 4, Requests: 6,
	Patience: 5 * time.Second, Timeout: 5 * time.Second, Total: 10 * time.Second,
}

func newDesk(
	limits asked.Limits, ask func(ctx context.Context, key string, call int) (string, error),
) *desk {
	d := &desk{line: asked.NewLine(limits)}
	d.Desk = asked.New("the code", func(ctx context.Context, key string) (string, error) {
		return ask(ctx, key, int(d.calls.Add(1)))
	}, func(_, value string, err error) (string, error) {
		d.settled.Add(1)
		return value, err
	})
	return d
}

// slow takes a time to answer with the key and the number of the call.
func slow(took time.Duration) func(context.Context, string, int) (string, error) {
	return func(ctx context.Context, key string, call int) (string, error) {
		select {
		case <-time.After(took):
			return key + strconv.Itoa(call), nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// answer returns the answer about a key, which nobody keeps.
func (d *desk) answer(ctx context.Context, key string) (string, error) {
	value, _, err := d.Answer(ctx, func() (string, *question, error) {
		return d.Find(key, strings.Clone, "", nil, d.line)
	})
	return value, err
}

func (d *desk) withdraw(key string) {
	d.Lock()
	defer d.Unlock()
	d.Withdraw(key)
}

// One asks, and all that come meanwhile wait for that answer; one that gives up
// takes nothing from the others.
func TestDesk_asksOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(limits, slow(time.Second))
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var requests sync.WaitGroup
		requests.Go(func() { // the one that asks
			_, err := d.answer(hurried, "a")
			assert.Equal(t, context.DeadlineExceeded, err)
		})
		synctest.Wait()
		for range 5 {
			requests.Go(func() {
				value, err := d.answer(t.Context(), "a")
				assert.NoError(t, err)
				assert.Equal(t, "a1", value)
			})
		}
		requests.Wait()
		value, err := d.answer(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, "a2", value, "what is kept is for the owner to say")
	})
}

func TestDesk_bounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		patience time.Duration
		keys     []string
		calls    int32
		answered int32
	}{
		{name: "calls", patience: 5 * time.Second, keys: []string{"a", "b", "c"}, calls: 2, answered: 3},
		{name: "patience", patience: time.Second / 2, keys: []string{"a", "b", "c"}, calls: 2, answered: 2},
		{name: "no patience", keys: []string{"a", "b", "c"}, calls: 2, answered: 2},
		{
			name: "keys", patience: 5 * time.Second, keys: []string{"a", "b", "c", "d", "e"},
			calls: 2, answered: 4,
		},
		{
			name: "requests", patience: 5 * time.Second,
			keys: []string{"a", "a", "a", "a", "a", "a", "a", "a"}, calls: 1, answered: 6,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limits := limits
				limits.Patience = tt.patience
				d := newDesk(limits, slow(time.Second))
				var answered atomic.Int32
				var requests sync.WaitGroup
				for _, key := range tt.keys {
					requests.Go(func() {
						_, err := d.answer(t.Context(), key)
						if err == nil {
							answered.Add(1)
							return
						}
						assert.Equal(t, asked.ErrBusy, err)
					})
				}
				synctest.Wait()
				assert.Equal(t, tt.calls, d.calls.Load(), "at a time")
				requests.Wait()
				assert.Equal(t, tt.answered, answered.Load())
				// What was busy is not so for ever.
				for range 5 {
					_, err := d.answer(t.Context(), "z")
					require.NoError(t, err)
				}
			})
		})
	}
}

// Code that panics, exits or does not heed its context is an error to those who
// wait, in time, and a call that does not return keeps its turn.
func TestDesk_faults(t *testing.T) {
	t.Parallel()
	cause := errors.New("own mistake")
	for _, tt := range []struct {
		name string
		ask  func(release chan struct{}) (string, error)
		want func(t *testing.T, err error)
		took time.Duration
	}{
		{
			name: "panics", ask: func(chan struct{}) (string, error) { panic(cause) },
			want: func(t *testing.T, err error) {
				var panicked *foreign.PanicError
				require.ErrorAs(t, err, &panicked)
				assert.NotEmpty(t, panicked.Stack)
				assert.ErrorIs(t, err, cause)
			},
		},
		{
			name: "exits", ask: func(chan struct{}) (string, error) { runtime.Goexit(); return "", nil },
			want: func(t *testing.T, err error) { assert.ErrorIs(t, err, foreign.ErrExited) },
		},
		{
			name: "is deaf",
			ask:  func(release chan struct{}) (string, error) { <-release; return "late", nil },
			want: func(t *testing.T, err error) { assert.ErrorIs(t, err, foreign.ErrLate) },
			took: 5 * time.Second,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				d := newDesk(limits, func(context.Context, string, int) (string, error) {
					return tt.ask(release)
				})
				start := time.Now()
				for range 2 {
					value, err := d.answer(t.Context(), "a")
					tt.want(t, err)
					assert.Empty(t, value)
				}
				assert.Equal(t, 2*tt.took, time.Since(start))
				_, err := d.answer(t.Context(), "a")
				if tt.took > 0 {
					assert.Equal(t, asked.ErrBusy, err, "two calls have not returned")
				} else {
					tt.want(t, err)
				}
				close(release)
			})
		})
	}
}

// Whoever waits for a question that is withdrawn asks anew, at once, whatever
// the call before does.
func TestDesk_withdrawn(t *testing.T) {
	t.Parallel()
	for name, withdraw := range map[string]func(*desk){
		"one": func(d *desk) { d.withdraw("a") },
		"all that match": func(d *desk) {
			d.Lock()
			defer d.Unlock()
			d.WithdrawAll(func(key string) bool { return key != "b" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				d := newDesk(limits, func(_ context.Context, key string, call int) (string, error) {
					if key == "a" && call <= 2 {
						<-release // deaf
						return "before", nil
					}
					if key == "b" {
						time.Sleep(2 * time.Second)
					}
					return key, nil
				})
				start := time.Now()
				var requests sync.WaitGroup
				for range 3 {
					requests.Go(func() {
						value, err := d.answer(t.Context(), "a")
						assert.NoError(t, err)
						assert.Equal(t, "a", value)
						assert.Equal(t, 2*time.Second, time.Since(start), "when there is a turn")
					})
				}
				requests.Go(func() {
					value, err := d.answer(t.Context(), "b")
					assert.NoError(t, err)
					assert.Equal(t, "b", value)
				})
				time.Sleep(time.Second)
				withdraw(d)
				requests.Wait()
				settled := d.settled.Load()
				close(release)
				synctest.Wait()
				assert.Equal(t, settled, d.settled.Load(), "what was asked before is not settled")
			})
		})
	}
}

// Questions that are withdrawn all the time are waited for no longer than one
// may take.
func TestDesk_withdrawnAllTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(limits, slow(time.Second))
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			for ctx.Err() == nil {
				time.Sleep(700 * time.Millisecond)
				d.withdraw("a")
			}
		}()
		start := time.Now()
		_, err := d.answer(t.Context(), "a")
		assert.Equal(t, context.DeadlineExceeded, err)
		assert.LessOrEqual(t, time.Since(start), 11*time.Second)
		stop()
		time.Sleep(2 * time.Second)
	})
}

// What is kept is returned while its term lasts, and the next answer asked for
// ahead.
func TestDesk_keeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var term asked.Term
		kept := ""
		d := newDesk(limits, slow(time.Second))
		answer := func() (string, bool) {
			t.Helper()
			value, waited, err := d.Answer(t.Context(), func() (string, *question, error) {
				return d.Find("a", strings.Clone, kept, &term, d.line)
			})
			require.NoError(t, err)
			return value, waited
		}
		keep := func(value string) {
			kept = value
			term.Begin(clock.Now(), 75*time.Second, 100*time.Second)
		}
		value, waited := answer()
		assert.Equal(t, "a1", value)
		assert.True(t, waited)
		keep(value)
		for _, tt := range []struct {
			after time.Duration
			calls int32
		}{{0, 1}, {74 * time.Second, 1}, {time.Second, 2}, {time.Second, 2}, {23 * time.Second, 2}} {
			time.Sleep(tt.after)
			value, waited = answer()
			assert.Equal(t, "a1", value)
			assert.False(t, waited)
			synctest.Wait()
			assert.Equal(t, tt.calls, d.calls.Load())
		}
		time.Sleep(time.Second)
		value, waited = answer()
		assert.Equal(t, "a3", value, "the owner kept no other")
		assert.True(t, waited)
	})
}
