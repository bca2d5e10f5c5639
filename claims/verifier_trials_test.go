package claims

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// The budget is spent at once, comes back with time, and holds no more than it
// did.
func TestTrials_allow(t *testing.T) {
	t.Parallel()
	var tr trials
	now := time.Now()
	spend := func() (n int) {
		for tr.allow(now) {
			n++
		}
		return n
	}
	assert.Equal(t, trialBurst, spend())
	assert.Zero(t, spend())
	now = now.Add(10 * trialPause)
	assert.Equal(t, 10, spend())
	now = now.Add(time.Hour)
	assert.Equal(t, trialBurst, spend())
	now = now.Add(-time.Hour) // the clock was set back
	assert.LessOrEqual(t, spend(), trialBurst)
	now = now.Add(trialBurst * trialPause)
	assert.Equal(t, trialBurst, spend())
}
