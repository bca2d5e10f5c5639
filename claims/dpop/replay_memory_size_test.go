package dpop_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/dpop"
)

// A proof takes as much as its documentation says, whatever it is a part of and
// however long its identifier is.
func TestMemory_size(t *testing.T) {
	const proofs = 20_000
	store := dpop.NewMemory(proofs * 10)
	heap := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	for i := range proofs {
		claims := fmt.Sprintf("%043d", i) + strings.Repeat("x", 4<<10)
		fresh, err := store.Use(t.Context(), claims[:43], claims, time.Now().Add(time.Minute))
		require.NoError(t, err)
		require.True(t, fresh)
	}
	assert.Less(t, (heap()-before)/proofs, uint64(400))
	runtime.KeepAlive(store)
}
