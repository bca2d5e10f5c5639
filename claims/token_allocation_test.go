package claims_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// measuredSize is from when on a fuzz target measures an input: to measure
// stops the world, and in less the constants of a budget would hide any
// multiple.
const measuredSize = 2 << 10

// objectBudget is how many bytes an object of n bytes may cost to read. The
// worst is an array of empty strings: three bytes of text are a string header
// of 16, and the slice that holds it is copied whenever it grows.
func objectBudget(n int) uint64 { return uint64(28*n) + 2<<10 }

// tokenBudget is the same for a token of n bytes. Three quarters of it are the
// object; the segments are decoded and the signing input is copied. The
// constant is what a check of a signature costs.
func tokenBudget(n int) uint64 {
	if n > defaultMaxTokenSize {
		return 0
	}
	return uint64(22*n) + 8<<10
}

// allocated returns how many bytes f allocates, or at least those of the best
// of several runs: what others allocate at the same time counts, too.
func allocated(budget uint64, f func()) uint64 {
	least := ^uint64(0)
	for range 20 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= budget {
			break
		}
	}
	return least
}

func assertThrifty(t testing.TB, budget uint64, f func()) {
	t.Helper()
	assert.LessOrEqual(t, allocated(budget, f), budget, "bytes allocated")
}

// hostileShape is an object that costs far more to hold than to send.
type hostileShape struct {
	name          string
	before, after string
	unit          string
	numbered      bool // unit has a verb for its number
	joined        bool // without commas
}

// object returns one of at most n bytes, and nearly that.
func (h hostileShape) object(n int) string {
	var b strings.Builder
	b.WriteString(h.before)
	for i := 0; ; i++ {
		unit := h.unit
		if h.numbered {
			unit = fmt.Sprintf(h.unit, i)
		}
		if i > 0 && !h.joined {
			unit = "," + unit
		}
		if b.Len()+len(unit)+len(h.after) > n {
			break
		}
		b.WriteString(unit)
	}
	return b.String() + h.after
}

func hostileShapes() []hostileShape {
	members := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"%c":0`, 'a'+i))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
	return []hostileShape{
		{name: "one long string", before: `{"sub":"`, unit: "a", after: `"}`, joined: true},
		{name: "escapes", before: `{"sub":"`, unit: `\n`, after: `"}`, joined: true},
		{name: "long escapes", before: `{"sub":"`, unit: `\uffff`, after: `"}`, joined: true},
		{name: "strings with escapes", before: `{"x":[`, unit: `"\n"`, after: "]}"},
		{name: "members", before: "{", unit: `"%x":0`, after: "}", numbered: true},
		{name: "members with escapes", before: "{", unit: `"\n%x":0`, after: "}", numbered: true},
		{name: "nested members", before: `{"x":{`, unit: `"%x":0`, after: "}}", numbered: true},
		{name: "empty objects", before: `{"x":[`, unit: "{}", after: "]}"},
		{name: "objects of 16 members", before: `{"x":[`, unit: members(16), after: "]}"},
		{name: "objects of 17 members", before: `{"x":[`, unit: members(17), after: "]}"},
		{name: "objects of 26 members", before: `{"x":[`, unit: members(26), after: "]}"},
		{name: "empty arrays", before: `{"x":[`, unit: "[]", after: "]}"},
		{name: "deep arrays", before: `{"x":[`, unit: nested(31), after: "]}"},
		{name: "too deep", before: `{"x":`, unit: "[", after: "}", joined: true},
		{name: "audiences", before: `{"aud":[`, unit: `""`, after: "]}"},
		{name: "audiences with escapes", before: `{"aud":[`, unit: `"\n"`, after: "]}"},
		{name: "array of scopes", before: `{"scope":[`, unit: `""`, after: "]}"},
		{name: "scopes of a letter", before: `{"scope":"`, unit: "a ", after: `"}`, joined: true},
		{name: "spaces between scopes", before: `{"scp":"`, unit: " ", after: `"}`, joined: true},
		{name: "escaped spaces", before: `{"scope":"`, unit: `\u0020`, after: `"}`, joined: true},
		{name: "numbers", before: `{"x":[`, unit: "0", after: "]}"},
		{name: "a long number", before: `{"exp":1.`, unit: "0", after: "}", joined: true},
	}
}

// What a token costs to refuse, or to accept, is at most a multiple of its
// size.
//
// It is not parallel: what others allocate would count.
func TestAllocations(t *testing.T) {
	verifier := fuzzVerifier(t)
	for _, shape := range hostileShapes() {
		t.Run(shape.name, func(t *testing.T) {
			for _, size := range []int{64, 1 << 10, 3 << 10, 6 << 10, 9 << 10, 12<<10 - 512} {
				object := []byte(shape.object(size))
				require.LessOrEqual(t, len(object), size)
				assertThrifty(t, objectBudget(len(object)), func() { _, _ = claims.FromJSON(object, claims.Config{}) })

				good := strings.TrimSuffix(body(nil), "}")
				for _, token := range []string{
					forged(head(nil), string(object)),
					// The last member counts nowhere, and the first are those
					// of a good token.
					forged(head(nil), good+","+strings.TrimPrefix(string(object), "{")),
					forged(with(head(nil), `"x":`+string(object)), body(nil)),
				} {
					require.LessOrEqual(t, len(token), defaultMaxTokenSize)
					authenticate := func() { _, _ = verifier.Authenticate(t.Context(), bearer(token)) }
					assertThrifty(t, tokenBudget(len(token)), authenticate)
				}
			}
		})
	}
}

// A token that is too large costs nothing, however large it is.
//
// It is not parallel: what others allocate would count.
func TestAllocations_tooLarge(t *testing.T) {
	verifier := fuzzVerifier(t)
	for _, size := range []int{defaultMaxTokenSize + 1, 1 << 20, 16 << 20} {
		for _, unit := range []string{"A", "."} {
			request := bearer(strings.Repeat(unit, size))
			_, err := verifier.Authenticate(t.Context(), request)
			assert.Equal(t, claims.ReasonTooLarge, claims.AsError(err).Reason())
			assertThrifty(t, 0, func() { _, _ = verifier.Authenticate(t.Context(), request) })
		}
	}
}
