package claims

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

// granted is a source that grants everybody the same.
type granted []string

func (g granted) Permissions(context.Context, Principal) (Grants, error) {
	return Grants{Permissions: g}, nil
}

// An answer expires while the machine sleeps, in a cache, in a request that has
// it and for a caller whose token is remembered: the monotonic clock stands
// still, and the wall clock goes on.
func TestAnswer_asleep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		slept time.Duration
		valid bool
	}{
		{name: "for less", slept: 20 * time.Second, valid: true},
		{name: "for long", slept: 10 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := clock.Now()
			keptAt := clock.Instant{Monotonic: now.Monotonic, Wall: now.Wall - int64(tt.slept)}
			who := Principal{Subject: "alice"}
			cache, err := NewPermissionCache(granted{"p"}, PermissionCacheConfig{TTL: time.Minute})
			require.NoError(t, err)
			first, origin := cache.answer(t.Context(), who)
			require.Equal(t, originSource, origin)
			object, err := json.Marshal(map[string]string{"sub": "alice"})
			require.NoError(t, err)
			caller, err := FromJSON(object, Config{})
			require.NoError(t, err)
			caller.answer.Store(first.standing)
			require.Same(t, first, cache.recall(caller))
			require.True(t, first.holds())

			first.term.Begin(keptAt, 45*time.Second, time.Minute)
			assert.Equal(t, tt.valid, first.holds())
			assert.Equal(t, tt.valid, cache.recall(caller) == first)
			again, origin := cache.answer(t.Context(), who)
			assert.Equal(t, tt.valid, again == first)
			assert.Equal(t, tt.valid, origin == originCache)

			direct := newAnswer(Grants{}, keptAt, time.Minute)
			assert.Equal(t, tt.valid, direct.holds(), "of a source without a cache")
		})
	}
}
