package jwks

import "time"

// instant is a moment by two clocks. The steady clock stands still while a
// machine sleeps or a function is frozen, and the wall clock can be set back:
// an instant is reached as soon as either clock says so.
type instant struct{ steady, wall time.Time }

func instantOf(t time.Time) instant {
	return instant{steady: t, wall: t.Round(0)} // without the steady reading
}

func (i instant) add(d time.Duration) instant {
	return instant{steady: i.steady.Add(d), wall: i.wall.Add(d)}
}

// reached reports whether now is the instant or past it. now has both readings.
func (i instant) reached(now time.Time) bool {
	return !now.Before(i.steady) || !now.Before(i.wall)
}

// left returns the time from now to the instant, negative if it is past: the
// shorter one by the two clocks.
func (i instant) left(now time.Time) time.Duration {
	return min(i.steady.Sub(now), i.wall.Sub(now))
}
