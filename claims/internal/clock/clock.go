// Package clock tells the time of what is kept for a while by two clocks. The
// monotonic clock stands still while a machine is asleep or a function is
// frozen; the wall clock may be set back. What is kept must not outlive its
// time by either.
package clock

import (
	"math"
	"time"
)

// Instant is what both clocks say at one moment, in nanoseconds from any start.
type Instant struct {
	Monotonic, Wall int64
}

var start = time.Now()

// Now returns what the clocks say.
func Now() Instant { return Read(time.Now()) }

// Read returns what the clocks said at t, which [time.Now] returned.
func Read(t time.Time) Instant { return Instant{int64(t.Sub(start)), t.UnixNano()} }

// Add returns the instant that comes d later, or the last there is.
func (i Instant) Add(d time.Duration) Instant {
	return Instant{add(i.Monotonic, int64(d)), add(i.Wall, int64(d))}
}

func add(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Reached reports whether i is at or after other, as either clock says.
func (i Instant) Reached(other Instant) bool {
	return i.Monotonic >= other.Monotonic || i.Wall >= other.Wall
}
