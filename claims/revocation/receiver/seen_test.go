package receiver

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// News is remembered as long as it could be taken again, and no longer.
func TestSeen_time(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s seen
		m := mark{"issuer", "1"}
		require.Equal(t, first, s.begin(m, time.Now().Add(time.Minute)))
		assert.Equal(t, underWay, s.begin(m, time.Now().Add(time.Minute)))
		s.end(m, true)
		time.Sleep(time.Minute - time.Second)
		assert.Equal(t, before, s.begin(m, time.Now().Add(time.Minute)))
		time.Sleep(2 * time.Second)
		assert.Equal(t, first, s.begin(m, time.Now().Add(time.Minute)))
		s.end(m, false)
		assert.Equal(t, first, s.begin(m, time.Now().Add(time.Minute)), "what has failed was not received")
		assert.Len(t, s.ending, 1)
	})
}

// Where there is too much, that which ends first is forgotten.
func TestSeen_bound(t *testing.T) {
	t.Parallel()
	var s seen
	late := mark{"issuer", "late"}
	s.begin(late, time.Now().Add(time.Hour))
	s.end(late, true)
	for i := range maxSeen + 10 {
		m := mark{"issuer", strconv.Itoa(i)}
		require.Equal(t, first, s.begin(m, time.Now().Add(time.Minute)))
		s.end(m, true)
	}
	assert.LessOrEqual(t, len(s.marks), maxSeen)
	assert.Equal(t, len(s.marks), len(s.ending))
	assert.Equal(t, before, s.begin(late, time.Now().Add(time.Hour)))
	assert.Equal(t, first, s.begin(mark{"issuer", "0"}, time.Now().Add(time.Hour)))
}
