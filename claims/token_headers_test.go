package claims

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// A header is read once, and no more work is done for it.
func TestHeaders_readOnce(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	v := c.verifier(t)
	c.expect(t, v, c.mint(claimstest.Token{}), "", 1)
	first := v.pipeline.headers.known.Load()
	c.expect(t, v, c.mint(claimstest.Token{}), "", 1)
	assert.Same(t, first, v.pipeline.headers.known.Load())
	c.expect(t, v, c.mint(claimstest.Token{Header: map[string]any{"x": 1}}), "", 1)
	assert.Len(t, v.pipeline.headers.known.Load().bySegment, 2)
	assert.Len(t, first.bySegment, 1, "what others may be reading does not change")
}

// Headers that differ from token to token are forgotten, once in a minute.
func TestHeaders_bounded(t *testing.T) {
	t.Parallel()
	var known headers
	began := time.Now()
	add := func(i int, after time.Duration) {
		known.add(fmt.Append(nil, i), header{keyID: fmt.Sprint(i)}, began.Add(after))
	}
	has := func(i int) bool {
		h, ok := known.find(fmt.Append(nil, i))
		assert.Equal(t, ok, h.keyID == fmt.Sprint(i))
		return ok
	}
	assert.False(t, has(0))
	for i := range 64 {
		add(i, 0)
	}
	assert.True(t, has(0))
	assert.True(t, has(63))
	add(64, time.Minute-time.Nanosecond)
	assert.False(t, has(64), "before a minute")
	assert.True(t, has(63))
	add(64, time.Minute)
	assert.True(t, has(64))
	assert.False(t, has(63))
	for i := range 64 {
		add(100+i, time.Minute)
	}
	add(200, 2*time.Minute-time.Nanosecond)
	assert.False(t, has(200), "the minute begins anew")
	add(200, 2*time.Minute)
	assert.True(t, has(200))
}
