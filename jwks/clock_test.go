package jwks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An instant is reached when either clock says so.
func TestInstant(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(steady, wall time.Duration) instant {
		return instant{steady: now.Add(steady), wall: now.Round(0).Add(wall)}
	}
	for _, tt := range []struct {
		name    string
		at      instant
		reached bool
		left    time.Duration
	}{
		{"neither", at(time.Hour, time.Minute), false, time.Minute},
		{"the steady clock alone", at(0, time.Hour), true, 0},
		{"the wall clock alone: the machine slept", at(time.Hour, -time.Minute), true, -time.Minute},
		{"both", at(-time.Hour, -time.Minute), true, -time.Hour},
		{"the wall clock was set back", at(time.Minute, 10*time.Hour), false, time.Minute},
		{"zero", instant{}, true, instant{}.left(now)},
	} {
		assert.Equal(t, tt.reached, tt.at.reached(now), tt.name)
		assert.Equal(t, tt.left, tt.at.left(now), tt.name)
	}
	later := instantOf(now).add(time.Minute)
	assert.False(t, later.reached(now.Add(time.Minute-1)))
	assert.True(t, later.reached(now.Add(time.Minute)))
}

// sleep has the machine sleep: the wall clock goes on, the steady one does not.
func (c *Cache) sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := *c.current.Load()
	for _, at := range []*instant{
		&snap.fetchedAt, &snap.refreshAt, &snap.freshUntil, &snap.staleUntil,
		&c.retryAt, &c.emptyAt, &c.missAt, &c.quietAt,
	} {
		at.wall = at.wall.Add(-d)
	}
	for hash, until := range c.missing.until {
		until.wall = until.wall.Add(-d)
		c.missing.until[hash] = until
	}
	c.current.Store(&snap)
}

// After a night's sleep nothing is as it was: not the keys, nor what was not
// there.
func TestCache_sleep(t *testing.T) {
	t.Parallel()
	set, err := Parse([]byte(oneKey))
	require.NoError(t, err)
	asked := 0
	cache, err := NewCache(Config{Sources: []Source{sourceOf(func() (*Set, error) {
		asked++
		return set, nil
	})}})
	require.NoError(t, err)
	require.NoError(t, cache.Ready(t.Context()))
	_, err = cache.Lookup(t.Context(), "invented", "ES256")
	require.ErrorIs(t, err, ErrUnknownKey)
	require.Equal(t, 2, asked)
	assert.True(t, cache.Refuses("invented", "ES256"))

	cache.sleep(10 * time.Hour)
	assert.Nil(t, cache.Set())
	assert.False(t, cache.Refuses("invented", "ES256"))
	stats := cache.Stats()
	assert.Equal(t, StateIdle, stats.State)
	assert.GreaterOrEqual(t, stats.Age, 10*time.Hour)
	assert.Negative(t, stats.FreshFor)
	assert.Zero(t, stats.UsableFor)
	key := set.Keys()[0]
	_, err = cache.Lookup(t.Context(), key.ID(), key.Algorithms()[0])
	require.NoError(t, err)
	assert.Equal(t, 3, asked, "a look-up waits for new keys")
	assert.Equal(t, StateFresh, cache.Stats().State)
}

// What was answered before the machine slept is not taken for new afterwards.
func TestCache_sleepDuringAFetch(t *testing.T) {
	t.Parallel()
	set, err := Parse([]byte(oneKey))
	require.NoError(t, err)
	end := instantOf(time.Now()).add(time.Hour)
	assert.NoError(t, inTime(result{set: set}, end).err)
	end.wall = end.wall.Add(-10 * time.Hour)
	assert.Equal(t, FaultTimeout, FaultOf(inTime(result{set: set}, end).err))
}
