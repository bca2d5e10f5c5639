package claims

import (
	"fmt"
	"strings"
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
	assert.Equal(t, 2, v.pipeline.headers.known.Load().Len())
	assert.Equal(t, 1, first.Len(), "what others may be reading does not change")
}

// Headers that differ from token to token are forgotten, once in a minute.
func TestHeaders_bounded(t *testing.T) {
	t.Parallel()
	var known headers
	began := time.Now()
	add := func(i int, after time.Duration) {
		known.add(fmt.Append(nil, i), header{keyID: fmt.Sprint(i)}, 1, began.Add(after))
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

// One issuer whose headers differ from token to token costs the others nothing.
func TestHeaders_ofOneIssuer(t *testing.T) {
	t.Parallel()
	var known headers
	known.expect(100)
	began := time.Now()
	has := func(s string) bool {
		_, ok := known.find([]byte(s))
		return ok
	}
	known.add([]byte("other"), header{}, 1, began)
	for i := range 1_000 {
		known.add(fmt.Append(nil, i), header{}, 2, began)
	}
	assert.True(t, has("63"))
	assert.False(t, has("64"))
	known.add([]byte("again"), header{}, 2, began.Add(time.Minute))
	assert.False(t, has("63"))
	assert.True(t, has("again"))
	assert.True(t, has("other"))
	assert.Equal(t, 2*sizeOfHeader("other"), known.size)
}

// As many are remembered as there are issuers, with a key to come for each, and
// no more bytes than these may have.
func TestHeaders_ofManyIssuers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, pad string }{
		{name: "short"}, {name: "long", pad: strings.Repeat("x", maxHeaderSize-10)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const issuers = 1_000
			var known headers
			known.expect(issuers)
			now := time.Now()
			for i := range 3 * issuers {
				known.add(fmt.Append(nil, i, tt.pad), header{}, uint64(i), now)
			}
			held := known.known.Load().Len()
			assert.LessOrEqual(t, held, 2*issuers)
			assert.GreaterOrEqual(t, held, 3*issuers/2)
			assert.LessOrEqual(t, known.size, 2*issuers*meanHeaderSize)
			known.add([]byte("next"), header{}, 1, now.Add(time.Minute))
			assert.Equal(t, 1, known.known.Load().Len())
			assert.Equal(t, sizeOfHeader("next"), known.size)
		})
	}
	var known headers
	known.add(make([]byte, maxHeaderSize+1), header{}, 1, time.Now())
	assert.Nil(t, known.known.Load())
}
