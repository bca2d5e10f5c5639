package inquiry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/inquiry"
)

// bureau answers about tokens.
type bureau struct {
	mu    sync.Mutex
	bad   map[string]error
	takes time.Duration
	fault error
	calls atomic.Int64
	most  atomic.Int64 // at a time
	now   atomic.Int64
}

func (b *bureau) set(edit func(*bureau)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	edit(b)
}

func (b *bureau) ask(ctx context.Context, token string) (inquiry.Answer[string], error) {
	b.calls.Add(1)
	now := b.now.Add(1)
	defer b.now.Add(-1)
	for most := b.most.Load(); now > most && !b.most.CompareAndSwap(most, now); most = b.most.Load() {
	}
	b.mu.Lock()
	bad, takes, fault := b.bad[token], b.takes, b.fault
	b.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return inquiry.Answer[string]{}, ctx.Err()
	}
	return inquiry.Answer[string]{Value: "of " + token, Err: bad, For: time.Minute}, fault
}

func newDesk(b *bureau) *inquiry.Desk[string] {
	return inquiry.New(inquiry.Config[string]{
		Name: "bureau", Ask: b.ask, Timeout: 5 * time.Second, Tokens: 1000, Refused: 100,
	})
}

var errBad = errors.New("bad")

// Many that want to know the same ask once, and what is known is not asked.
func TestDesk_once(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bureau{bad: map[string]error{"b": errBad}, takes: time.Second}
		d := newDesk(b)
		var waiting sync.WaitGroup
		for range 100 {
			for token, want := range map[string]error{"a": nil, "b": errBad} {
				waiting.Go(func() {
					value, _, err := d.Ask(t.Context(), token)
					assert.Equal(t, want, err)
					assert.Equal(t, "of "+token, value)
				})
			}
		}
		waiting.Wait()
		assert.EqualValues(t, 2, b.calls.Load())
		for token := range map[string]int{"a": 0, "b": 0} {
			_, remembered, _ := d.Ask(t.Context(), token)
			assert.True(t, remembered)
		}
		assert.EqualValues(t, 2, b.calls.Load())
		good, refused := d.Len()
		assert.Equal(t, []int{1, 1}, []int{good, refused})
	})
}

// What was said counts for its time: in the last quarter the next is asked for,
// which nobody waits for, and after it nobody relies on it.
func TestDesk_term(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bureau{bad: map[string]error{}}
		d := newDesk(b)
		ask := func() error {
			_, _, err := d.Ask(t.Context(), "a")
			synctest.Wait()
			return err
		}
		require.NoError(t, ask())
		b.set(func(b *bureau) { b.bad["a"] = errBad })
		time.Sleep(45*time.Second - 1)
		require.NoError(t, ask())
		require.EqualValues(t, 1, b.calls.Load())
		time.Sleep(1 * time.Nanosecond)
		require.NoError(t, ask(), "it counts still, and the next is asked for")
		require.EqualValues(t, 2, b.calls.Load())
		require.Equal(t, errBad, ask())
		b.set(func(b *bureau) { delete(b.bad, "a") })
		time.Sleep(time.Minute - 1)
		require.Equal(t, errBad, ask())
		time.Sleep(1 * time.Nanosecond)
		require.NoError(t, ask())
	})
}

// Who cannot tell says so, and what was said before counts to its end.
func TestDesk_failure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bureau{fault: errors.New("down")}
		d := newDesk(b)
		var failure *inquiry.Failure
		_, _, err := d.Ask(t.Context(), "a")
		require.ErrorAs(t, err, &failure)
		require.ErrorContains(t, err, "down")
		b.set(func(b *bureau) { b.fault = nil })
		_, _, err = d.Ask(t.Context(), "a")
		require.NoError(t, err)
		b.set(func(b *bureau) { b.takes = time.Hour })
		time.Sleep(time.Minute - 1)
		_, _, err = d.Ask(t.Context(), "a")
		require.NoError(t, err)
		time.Sleep(1 * time.Nanosecond)
		start := time.Now()
		_, _, err = d.Ask(t.Context(), "a")
		require.ErrorAs(t, err, &failure)
		assert.LessOrEqual(t, time.Since(start), 5*time.Second)
	})
}

// Strangers take nothing from those who are known, and too many of them are
// refused, not undecided.
func TestDesk_flood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bureau{}
		d := newDesk(b)
		for i := range 500 {
			_, _, err := d.Ask(t.Context(), fmt.Sprint("known", i))
			require.NoError(t, err)
		}
		b.set(func(b *bureau) { b.takes = time.Second })
		time.Sleep(time.Minute) // they have to be asked about again
		var flood, others sync.WaitGroup
		var crowded, failed atomic.Int64
		for i := range 5000 {
			flood.Go(func() {
				_, _, err := d.Ask(t.Context(), fmt.Sprint("stranger", i))
				switch {
				case errors.Is(err, inquiry.ErrCrowd):
					crowded.Add(1)
				case err != nil:
					failed.Add(1)
				}
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 32, b.now.Load(), "calls about strangers")
		for i := range 64 {
			others.Go(func() {
				start := time.Now()
				_, _, err := d.Ask(t.Context(), fmt.Sprint("known", i))
				assert.NoError(t, err)
				assert.Equal(t, time.Second, time.Since(start), "without a wait behind strangers")
			})
		}
		others.Wait()
		flood.Wait()
		assert.EqualValues(t, 96, b.most.Load())
		assert.Zero(t, failed.Load(), "it is nobody's fault but theirs")
		assert.Greater(t, crowded.Load(), int64(4000))
		good, _ := d.Len()
		assert.GreaterOrEqual(t, good, 500)
	})
}

// Bad tokens evict bad tokens alone.
func TestDesk_bounded(t *testing.T) {
	t.Parallel()
	b := &bureau{bad: map[string]error{}}
	for i := range 2000 {
		b.bad[fmt.Sprint("bad", i)] = errBad
	}
	d := newDesk(b)
	for i := range 100 {
		_, _, err := d.Ask(t.Context(), fmt.Sprint("good", i))
		require.NoError(t, err)
	}
	for i := range 2000 {
		_, _, err := d.Ask(t.Context(), fmt.Sprint("bad", i))
		require.Equal(t, errBad, err)
	}
	good, refused := d.Len()
	assert.Equal(t, 100, good)
	assert.LessOrEqual(t, refused, 107)
}

// During an outage it is not strangers' fault that nobody comes through.
func TestDesk_outage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bureau{takes: time.Hour}
		d := newDesk(b)
		var all sync.WaitGroup
		_, _, err := d.Ask(t.Context(), "first")
		require.Error(t, err)
		for i := range 2000 {
			all.Go(func() {
				_, _, err := d.Ask(t.Context(), fmt.Sprint(i))
				var failure *inquiry.Failure
				assert.ErrorAs(t, err, &failure)
			})
		}
		all.Wait()
	})
}

// A caller who goes away takes nothing from who waits for the same.
func TestDesk_gone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bureau{takes: time.Second}
		d := newDesk(b)
		gone, cancel := context.WithCancel(t.Context())
		var both sync.WaitGroup
		both.Go(func() {
			_, _, err := d.Ask(gone, "a")
			assert.ErrorIs(t, err, context.Canceled)
		})
		both.Go(func() {
			_, _, err := d.Ask(t.Context(), "a")
			assert.NoError(t, err)
		})
		synctest.Wait()
		cancel()
		both.Wait()
		assert.EqualValues(t, 1, b.calls.Load())
	})
}

func TestBudget_Ask(t *testing.T) {
	d := newDesk(&bureau{})
	_, _, err := d.Ask(t.Context(), "a")
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _, _ = d.Ask(t.Context(), "a") }))
}
