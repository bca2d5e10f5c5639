package persistent_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/persistent"
)

// It is what a map would be, and those before it stay as they were.
func TestMap(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var m persistent.Map[int]
	want := map[string]int{}
	var before persistent.Map[int]
	var wantBefore map[string]int
	for step := range 20_000 {
		key := fmt.Sprint(random.IntN(3_000))
		// It grows at first, and shrinks to nothing in the end.
		if random.IntN(20_000) < step {
			m = m.Without(key)
			delete(want, key)
		} else {
			m = m.With(key, step)
			want[key] = step
		}
		require.Equal(t, len(want), m.Len())
		if step == 10_000 {
			before, wantBefore = m, maps.Clone(want)
		}
	}
	check := func(m persistent.Map[int], want map[string]int) {
		assert.Equal(t, want, maps.Collect(m.All()))
		for i := range 3_000 {
			key := fmt.Sprint(i)
			wanted, there := want[key]
			value, ok := m.Get(key)
			assert.Equal(t, there, ok)
			assert.Equal(t, wanted, value)
			value, ok = m.GetBytes([]byte(key))
			assert.Equal(t, there, ok)
			assert.Equal(t, wanted, value)
		}
	}
	check(m, want)
	check(before, wantBefore)
	for i := range 3_000 {
		m = m.Without(fmt.Sprint(i))
	}
	assert.Zero(t, m.Len())
	for range m.All() {
		assert.Fail(t, "something is left")
	}
}

func TestMap_zero(t *testing.T) {
	t.Parallel()
	var m persistent.Map[string]
	_, ok := m.Get("")
	assert.False(t, ok)
	_, ok = m.GetBytes(nil)
	assert.False(t, ok)
	m = m.Without("")
	assert.Zero(t, m.Len())
	m = m.With("", "empty")
	value, ok := m.GetBytes(nil)
	assert.True(t, ok)
	assert.Equal(t, "empty", value)
	for range m.All() {
		break
	}
}

// A change allocates no more in a large map than in a small one, but for its
// levels, and a look-up nothing.
//
// It is not parallel: what others allocate would count.
func TestMap_thrifty(t *testing.T) {
	var m persistent.Map[int]
	for i := range 20_000 {
		m = m.With(fmt.Sprint(i), i)
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		added := m.With("x", 1)
		_ = added.Without("x")
	}), 30.0)
	key := []byte("19999")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_, _ = m.Get("x")
		_, _ = m.GetBytes(key)
	}))
}
