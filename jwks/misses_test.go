package jwks

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Not by way of a Cache: that it holds no more cannot be seen from outside.
func TestMisses_areBounded(t *testing.T) {
	t.Parallel()
	m := newMisses(time.Minute)
	now := time.Now()
	id := func(n int) fit { return fit{fmt.Sprint(n), "ES256"} }
	for n := range 5000 {
		m.add(id(n), now)
	}
	assert.LessOrEqual(t, len(m.until), maxMisses)
	assert.False(t, m.has(id(5000-maxMisses-1), now))
	for n := 5000 - maxMisses; n < 5000; n++ {
		assert.True(t, m.has(id(n), now))
	}
	assert.True(t, m.has(id(4999), now.Add(time.Minute-1)))
	assert.False(t, m.has(id(4999), now.Add(time.Minute)))
	assert.False(t, m.has(fit{"4999", "RS256"}, now), "of another algorithm")
}
