package dpop_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

func use(t testing.TB, store dpop.ReplayStore, jkt, jti string, life time.Duration) bool {
	t.Helper()
	fresh, err := store.Use(t.Context(), jkt, jti, time.Now().Add(life))
	require.NoError(t, err)
	return fresh
}

// A proof is fresh once until its time has passed, whoever asks; the same
// identifier by another key is another proof.
func TestMemory_Use(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := dpop.NewMemory(0)
		assert.True(t, use(t, store, "key", "a", time.Minute))
		assert.False(t, use(t, store, "key", "a", time.Minute))
		assert.True(t, use(t, store, "key", "b", time.Minute))
		assert.True(t, use(t, store, "other", "a", time.Minute))
		assert.True(t, use(t, store, "other", "", time.Minute))
		time.Sleep(time.Minute)
		assert.False(t, use(t, store, "key", "a", time.Second), "it can still be used at that moment")
		time.Sleep(time.Nanosecond)
		assert.True(t, use(t, store, "key", "a", time.Minute))
		assert.False(t, use(t, store, "key", "a", time.Minute))
	})
}

// Of many at once exactly one is fresh.
func TestMemory_Use_atOnce(t *testing.T) {
	t.Parallel()
	store := dpop.NewMemory(0)
	var fresh atomic.Int32
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			if ok, err := store.Use(context.Background(), "key", "jti", time.Now().Add(time.Minute)); ok && err == nil {
				fresh.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, fresh.Load())
}

// What there is no room for is refused and not forgotten; a key that takes more
// than its share is refused alone.
func TestMemory_Use_bounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := dpop.NewMemory(8)
		until := func() time.Time { return time.Now().Add(time.Minute) }
		for i := range 2 {
			require.True(t, use(t, store, "greedy", strconv.Itoa(i), time.Minute))
		}
		fresh, err := store.Use(t.Context(), "greedy", "2", until())
		assert.False(t, fresh)
		require.Error(t, err)
		assert.Equal(t, claims.ErrInvalidToken, claims.AsError(err).Class(), "its own fault")
		for i := range 6 {
			require.True(t, use(t, store, fmt.Sprint("key ", i), "0", time.Minute))
		}
		fresh, err = store.Use(t.Context(), "late", "0", until())
		assert.False(t, fresh)
		require.ErrorContains(t, err, "no room")
		assert.False(t, use(t, store, "greedy", "0", time.Minute), "nothing was forgotten")
		time.Sleep(time.Minute + 2*time.Second)
		for i := range 2 {
			assert.True(t, use(t, store, "greedy", fmt.Sprint("later", i), time.Minute), "there is room again")
		}
	})
}

// However many proofs there were, their room comes back: also after a time in
// which nobody asked.
func TestMemory_Use_sweeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := dpop.NewMemory(1000)
		for round := range 20 {
			for i := range 1000 {
				key, jti := fmt.Sprint("key", i%10), fmt.Sprint(round, "-", i)
				require.True(t, use(t, store, key, jti, time.Duration(i%60)*time.Second), "%d %d", round, i)
			}
			time.Sleep(time.Duration(round+62) * time.Second)
		}
	})
}
