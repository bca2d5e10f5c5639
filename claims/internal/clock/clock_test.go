package clock_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

const (
	second = int64(time.Second)
	hour   = int64(time.Hour)
)

// What is kept for a minute, at the instants that the clocks of a machine may
// show when it is looked at.
func TestInstant_Reached(t *testing.T) {
	t.Parallel()
	kept := clock.Instant{Monotonic: 100 * second, Wall: 1_000 * hour}
	until := kept.Add(time.Minute)
	for _, tt := range []struct {
		name            string
		monotonic, wall int64 // since it was kept
		want            bool
	}{
		{name: "at once"},
		{name: "just before", monotonic: 60*second - 1, wall: 60*second - 1},
		{name: "just then", monotonic: 60 * second, wall: 60 * second, want: true},
		{name: "the machine slept", monotonic: second, wall: 10 * hour, want: true},
		{name: "the machine slept for less", monotonic: second, wall: 59 * second},
		{name: "the wall clock was set back", monotonic: 60 * second, wall: -hour, want: true},
		{name: "it was set back a moment ago", monotonic: second, wall: -hour},
		{name: "it was set forward", monotonic: second, wall: hour, want: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := clock.Instant{
				Monotonic: kept.Monotonic + tt.monotonic, Wall: kept.Wall + tt.wall,
			}
			assert.Equal(t, tt.want, now.Reached(until))
		})
	}
}

func TestInstant_Add(t *testing.T) {
	t.Parallel()
	i := clock.Instant{Monotonic: 5, Wall: 7}
	assert.Equal(t, clock.Instant{Monotonic: 6, Wall: 8}, i.Add(1))
	assert.Equal(t, clock.Instant{Monotonic: 4, Wall: 6}, i.Add(-1))
	forever := i.Add(math.MaxInt64)
	assert.Equal(t, clock.Instant{Monotonic: math.MaxInt64, Wall: math.MaxInt64}, forever)
	assert.False(t, clock.Now().Reached(clock.Now().Add(math.MaxInt64)))
}

func TestNow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := clock.Now()
		assert.Equal(t, time.Now().UnixNano(), before.Wall)
		time.Sleep(time.Hour)
		assert.Equal(t, before.Add(time.Hour), clock.Now())
		assert.Equal(t, clock.Read(time.Now()), clock.Now())
	})
}
