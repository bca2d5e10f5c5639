package claims_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// choices needs one of two scopes, so many times over.
func choices(n int) claims.Requirement {
	var parts []claims.Requirement
	for i := range n {
		parts = append(parts, claims.AnyScope(fmt.Sprintf("orders:read:%d", i), fmt.Sprintf("orders:write:%d", i)))
	}
	return claims.All(parts...)
}

// refusing returns a call that is refused.
func refusing(t testing.TB, needs claims.Requirement) (refuse func()) {
	guard := guardOf(t, permitted(t, m{"sub": "alice", "scope": "other"}), claims.GuardConfig{})
	return func() {
		if _, err := ask(t.Context(), guard, needs, &message{"w"}); err == nil {
			t.Fatal("allowed")
		}
	}
}

// A refusal costs what the requirement has parts, not its square.
//
// It is not parallel: what others allocate would count.
func TestAll_refusalGrowsWithParts(t *testing.T) {
	once, twice := refusing(t, choices(20)), refusing(t, choices(40))
	assert.LessOrEqual(t, testing.AllocsPerRun(50, twice), 2.5*testing.AllocsPerRun(50, once))
	assert.LessOrEqual(t, garbage(twice), 2.5*garbage(once), "bytes")
}

// garbage returns how many bytes a call of f allocates.
func garbage(f func()) float64 {
	const calls = 200
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / calls
}

// Alternatives in alternatives do not double the work with each level.
func TestAll_refusalGrowsWithDepth(t *testing.T) {
	t.Parallel()
	looks := func(depth int) int {
		n := 0
		needs := claims.InWorkspaceOf("counted", func(r *message) string {
			n++
			return r.workspace
		}, claims.Permissions("p"))
		for i := range depth {
			needs = claims.All(
				claims.Scopes("always"), claims.AnyOf(needs, claims.Scopes(fmt.Sprint("scope-", i))))
		}
		require.NoError(t, needs.Validate())
		refusing(t, needs)()
		return n
	}
	assert.Positive(t, looks(4))
	assert.LessOrEqual(t, looks(16), 20*looks(4), "a polynomial, and no power")
}

// Each scope is asked for once, in the order of the requirement, also where
// they are many.
func TestAll_asksOnceForManyScopes(t *testing.T) {
	t.Parallel()
	var parts []claims.Requirement
	want := ""
	for i := range 40 {
		name := fmt.Sprint("s", i)
		parts = append(parts, claims.Scopes(name, "common", name), claims.AnyScope(name, "other"))
		want += name + " "
		if i == 0 {
			want += "common "
		}
	}
	needs := claims.All(parts...)
	want = want[:len(want)-1]
	assert.Equal(t, want, needs.Scope())
	guard := guardOf(t, permitted(t, m{"sub": "alice"}), claims.GuardConfig{})
	_, err := ask(t.Context(), guard, needs, nil)
	assert.Equal(t, want, assertRefusal(t, claims.ErrInsufficientScope, err).Scope())
}

func BenchmarkAll_refusal(b *testing.B) {
	for _, n := range []int{1, 5, 20, 40, 80} {
		refuse := refusing(b, choices(n))
		b.Run(fmt.Sprintf("choices=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				refuse()
			}
		})
	}
}
