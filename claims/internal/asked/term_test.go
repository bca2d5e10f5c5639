package asked_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

func TestTerm(t *testing.T) {
	t.Parallel()
	began := clock.Instant{Monotonic: 1000, Wall: 5000}
	at := func(monotonic, wall int64) clock.Instant {
		return clock.Instant{Monotonic: began.Monotonic + monotonic, Wall: began.Wall + wall}
	}
	nothing := func(*asked.Term) {}
	failed := func(term *asked.Term) { term.Failed(at(80, 80), 5) }
	for _, tt := range []struct {
		name   string
		change func(*asked.Term)
		now    clock.Instant
		want   asked.State
	}{
		{name: "at once", change: nothing, now: began, want: asked.Fresh},
		{name: "before it is due", change: nothing, now: at(74, 74), want: asked.Fresh},
		{name: "due", change: nothing, now: at(75, 75), want: asked.Due},
		{name: "before it expires", change: nothing, now: at(99, 99), want: asked.Due},
		{name: "expired", change: nothing, now: at(100, 100), want: asked.Expired},
		{name: "due after sleep", change: nothing, now: at(1, 75), want: asked.Due},
		{name: "expired after sleep", change: nothing, now: at(1, 100), want: asked.Expired},
		{name: "due by the steady clock", change: nothing, now: at(75, -9000), want: asked.Due},
		{name: "expired by it", change: nothing, now: at(100, -9000), want: asked.Expired},
		{name: "asked", change: (*asked.Term).Asked, now: at(99, 99), want: asked.Fresh},
		{name: "asked, expired", change: (*asked.Term).Asked, now: at(100, 100), want: asked.Expired},
		{name: "asked, sleep", change: (*asked.Term).Asked, now: at(99, 100), want: asked.Expired},
		{name: "failed", change: failed, now: at(84, 84), want: asked.Fresh},
		{name: "failed, again", change: failed, now: at(85, 85), want: asked.Due},
		{name: "failed, expired", change: failed, now: at(100, 100), want: asked.Expired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var term asked.Term
			term.Begin(began, 75, 100)
			tt.change(&term)
			assert.Equal(t, tt.want, term.State(tt.now))
		})
	}
}

func TestTerm_zero(t *testing.T) {
	t.Parallel()
	var term asked.Term
	term.Asked()
	term.Failed(clock.Now(), time.Hour)
	assert.Equal(t, asked.Expired, term.State(clock.Instant{}))
	assert.Equal(t, asked.Expired, (*asked.Term)(nil).State(clock.Instant{}))
}
