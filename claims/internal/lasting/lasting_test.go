package lasting_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims/internal/lasting"
)

// Each item is looked at when its time comes, and not before; one that moves,
// at its new time; one that was removed, never.
func TestRegistry_ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, start := lasting.New(nil), time.Now()
		var mu sync.Mutex
		looked := map[string]time.Duration{}
		add := func(name string, after time.Duration) *lasting.Item {
			i := &lasting.Item{Look: func() {
				mu.Lock()
				defer mu.Unlock()
				looked[name] = time.Since(start)
			}}
			until := time.Time{}
			if after > 0 {
				until = start.Add(after)
			}
			r.Add(i, until)
			return i
		}
		later, never, sooner := add("later", time.Hour), add("never", 0), add("sooner", time.Hour)
		gone, back := add("gone", time.Minute), add("back", time.Minute)
		add("first", time.Second)
		r.Move(later, start.Add(2*time.Hour))
		r.Move(sooner, start.Add(time.Minute))
		r.Move(back, time.Time{})
		r.Remove(gone)
		r.Remove(gone)
		r.Move(gone, start.Add(time.Minute))
		time.Sleep(3 * time.Hour)
		mu.Lock()
		assert.Equal(t, map[string]time.Duration{
			"first": time.Second, "sooner": time.Minute, "later": 2 * time.Hour,
		}, looked)
		mu.Unlock()
		assert.Equal(t, 5, r.Len())
		for _, i := range []*lasting.Item{later, never, sooner, back} {
			r.Remove(i)
		}
		assert.Equal(t, 1, r.Len())
	})
}

// All are looked at after news, once for many pieces that come together, and
// nobody is subscribed while nothing is open.
func TestRegistry_news(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told func()
		var subscribed int
		r := lasting.New(func(f func()) func() {
			told = f
			subscribed++
			return func() { subscribed-- }
		})
		assert.Zero(t, subscribed)
		const count = 3000
		var looks atomic.Int32
		items := make([]*lasting.Item, count)
		for i := range items {
			items[i] = &lasting.Item{Look: func() { looks.Add(1) }}
			r.Add(items[i], time.Time{})
		}
		assert.Equal(t, 1, subscribed)
		told()
		synctest.Wait()
		assert.EqualValues(t, count, looks.Load())
		for range 100 {
			told()
		}
		synctest.Wait()
		assert.LessOrEqual(t, looks.Load(), int32(101*count))
		assert.GreaterOrEqual(t, looks.Load(), int32(2*count))
		for _, i := range slices.Backward(items) {
			r.Remove(i)
		}
		assert.Zero(t, subscribed)
		assert.Zero(t, r.Len())
		looks.Store(0)
		told()
		synctest.Wait()
		assert.Zero(t, looks.Load())
	})
}

// News that comes while everything is looked at has it looked at again, however
// long that takes.
func TestRegistry_newsMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told func()
		r := lasting.New(func(f func()) func() { told = f; return func() {} })
		var looks atomic.Int32
		r.Add(&lasting.Item{Look: func() { looks.Add(1); time.Sleep(time.Minute) }}, time.Time{})
		told()
		synctest.Wait()
		told()
		told()
		synctest.Wait()
		assert.EqualValues(t, 1, looks.Load())
		time.Sleep(time.Hour)
		assert.EqualValues(t, 2, looks.Load())
	})
}
