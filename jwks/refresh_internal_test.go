package jwks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who comes late to an outage that is over finds the keys, and makes no
// request.
func TestCache_joinAfterTheFetch(t *testing.T) {
	t.Parallel()
	set, err := Parse([]byte(oneKey))
	require.NoError(t, err)
	asked := 0
	cache, err := NewCache(Config{Sources: []Source{sourceOf(func() (*Set, error) {
		asked++
		return set, nil
	})}})
	require.NoError(t, err)
	require.NoError(t, cache.Ready(t.Context()))
	f, err := cache.join(1)
	require.NoError(t, err)
	assert.Nil(t, f)
	snap, err := cache.await(t.Context(), 1)
	require.NoError(t, err)
	assert.Same(t, set, snap.set)
	assert.Equal(t, 1, asked)
}
