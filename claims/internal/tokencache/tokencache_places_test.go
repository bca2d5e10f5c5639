package tokencache

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// placed is a token of that many bytes that was used at a time.
func placed(i, size int, usedAt int64) *entry {
	t := &entry{Sum: sumOf(i), Size: size, ExpiresAt: time.Now().Add(time.Hour)}
	t.usedAt.Store(usedAt)
	return t
}

func (p *place[V]) held() (tokens []*Entry[V]) {
	for w := range p.tokens {
		if t := p.tokens[w].Load(); t != nil {
			tokens = append(tokens, t)
		}
	}
	return tokens
}

// As it is documented.
const roomOfPlace = 16 << 10

func TestPlace_worth(t *testing.T) {
	t.Parallel()
	few := func(n int, size int) []*entry {
		tokens := make([]*entry, n)
		for i := range tokens {
			tokens[i] = placed(i, size, int64(100+i))
		}
		return tokens
	}
	for _, tt := range []struct {
		name   string
		tokens []*entry
		size   int
		worth  int64
	}{
		{name: "empty", size: 1, worth: -8},
		{name: "one token", tokens: few(1, 1), size: 1, worth: -7},
		{name: "one free", tokens: few(7, 1), size: 1, worth: -1},
		{name: "none free", tokens: few(8, 1), size: 1, worth: 100},
		{name: "room to the last byte", tokens: few(1, roomOfPlace-1), size: 1, worth: -7},
		{name: "a byte too few", tokens: few(1, roomOfPlace-1), size: 2, worth: 100},
		{name: "more than it ever has", size: roomOfPlace + 1, worth: 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var p place[string]
			for _, token := range tt.tokens {
				p.put(token, 0)
			}
			assert.Equal(t, tt.worth, p.worth(tt.size))
		})
	}
}

func TestPlace_put(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before []*entry
		size   int
		gone   []int
		lost   bool // the new one
	}{
		{name: "empty", size: roomOfPlace},
		{name: "more than it ever has", size: roomOfPlace + 1, lost: true},
		{name: "room to the last byte", before: []*entry{placed(0, roomOfPlace-1, 5)}, size: 1},
		{name: "a byte too few", before: []*entry{placed(0, roomOfPlace-1, 5)}, size: 2, gone: []int{0}},
		{
			name: "as many as it takes", size: roomOfPlace - 10, gone: []int{1, 2},
			before: []*entry{placed(0, 10, 7), placed(1, 10, 5), placed(2, 10, 6)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var p place[string]
			for _, token := range tt.before {
				p.put(token, 0)
			}
			fresh := placed(100, tt.size, 9)
			p.put(fresh, 0)
			want := map[Sum]bool{}
			for _, token := range tt.before {
				want[token.Sum] = true
			}
			for _, i := range tt.gone {
				delete(want, sumOf(i))
			}
			if !tt.lost {
				want[fresh.Sum] = true
			}
			got := map[Sum]bool{}
			for _, token := range p.held() {
				got[token.Sum] = true
			}
			assert.Equal(t, want, got)
		})
	}
}

// Of a full place the token that was not used for longest goes, wherever it is.
func TestPlace_leastUsedGoes(t *testing.T) {
	t.Parallel()
	for least := range ways {
		var p place[string]
		for i := range ways {
			usedAt := int64(10 + i)
			if i == least {
				usedAt = 1
			}
			p.put(placed(i, 1, usedAt), 0)
		}
		p.put(placed(100, 1, 20), 0)
		held := p.held()
		require.Len(t, held, ways)
		for _, token := range held {
			assert.NotEqual(t, sumOf(least), token.Sum)
		}
	}
}

// twoPlaces is a cache, and a token of it whose places differ, as do their
// locks.
func twoPlaces(t *testing.T) (cache *Cache[string], token *entry, first, second *place[string]) {
	t.Helper()
	cache = New[string](ways * locks)
	table := cache.opened()
	for i := range 100 {
		token := placed(i, overhead, 0)
		if a, b, _ := table.indexes(&token.Sum); a%locks != b%locks {
			return cache, token, &table.places[a], &table.places[b]
		}
	}
	t.Fatal("no token with two places")
	return nil, nil, nil, nil
}

// A token goes where there is more room.
func TestTokenCache_choosesPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		first, second []*entry
		inSecond      bool
	}{
		{name: "second in use", second: []*entry{placed(1, 1, 1)}},
		{name: "first in use", first: []*entry{placed(1, 1, 1)}, inSecond: true},
		{
			name: "less in use, and lately", first: []*entry{placed(1, 1, 100)},
			second: []*entry{placed(2, 1, 1), placed(3, 1, 1)},
		},
		{
			name: "first without bytes left", first: []*entry{placed(1, roomOfPlace, 100)},
			second: []*entry{placed(2, roomOfPlace, 1)}, inSecond: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cache, token, first, second := twoPlaces(t)
			for i, p := range []*place[string]{first, second} {
				for _, other := range [][]*entry{tt.first, tt.second}[i] {
					p.put(other, 0)
				}
			}
			cache.Add(token, time.Now())
			assert.Equal(t, !tt.inSecond, slices.Contains(first.held(), token))
			assert.Equal(t, tt.inSecond, slices.Contains(second.held(), token))
		})
	}
}

// To add a token makes room in both of its places: of what has expired, and of
// itself.
func TestTokenCache_cleansBothPlaces(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, inSecond := range []bool{false, true} {
		for _, same := range []bool{false, true} {
			cache, token, first, second := twoPlaces(t)
			p := first
			if inSecond {
				p = second
			}
			other := placed(1000, 1, 1)
			if same {
				other.Sum = token.Sum
			} else {
				other.ExpiresAt = now
			}
			p.put(other, 0)
			cache.Add(token, now)
			assert.Equal(t, []*entry{token}, append(first.held(), second.held()...))
		}
	}
}

// Nothing is added to a place while another writes to it.
func TestTokenCache_locksBothPlaces(t *testing.T) {
	t.Parallel()
	for _, inSecond := range []bool{false, true} {
		cache, token, _, _ := twoPlaces(t)
		table := cache.opened()
		first, second, _ := table.indexes(&token.Sum)
		writer := &table.writers[first%locks]
		if inSecond {
			writer = &table.writers[second%locks]
		}
		writer.Lock()
		done := make(chan struct{})
		go func() {
			cache.Add(token, time.Now())
			close(done)
		}()
		select {
		case <-done:
			assert.Fail(t, "it was added")
		case <-time.After(10 * time.Millisecond):
		}
		writer.Unlock()
		<-done
		assert.NotNil(t, cache.Find(&token.Sum, time.Now()))
	}
}

func TestTokenCache_len(t *testing.T) {
	t.Parallel()
	cache := New[string](10)
	tokens, size := cache.Len()
	assert.Zero(t, tokens)
	assert.Zero(t, size)
	now := time.Now()
	cache.Add(held(1, 100, now.Add(time.Hour)), now)
	cache.Add(held(2, 200, now.Add(time.Hour)), now)
	tokens, size = cache.Len()
	assert.Equal(t, 2, tokens)
	assert.Equal(t, 300+2*overhead, size)
}
