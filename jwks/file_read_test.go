package jwks_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

func TestFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, _ := example(t, nil)
		path := filepath.Join(t.TempDir(), "keys.json")
		write := func(data []byte) { require.NoError(t, os.WriteFile(path, data, 0o600)) }
		cache, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{jwks.File(path)}})
		require.NoError(t, err)

		require.ErrorIs(t, lookupCurrent(t.Context(), issuer, cache), jwks.ErrUnavailable)
		assert.Equal(t, jwks.FaultFile, cache.Stats().LastFault)
		write(issuer.KeySet())
		time.Sleep(2 * time.Second)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		before := cache.Set()

		// A new key at once; what is withdrawn, within a minute of use.
		old := issuer.Key()
		issuer.Rotate("")
		write(issuer.KeySet())
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		issuer.Revoke(old)
		write(issuer.KeySet())
		time.Sleep(time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		_, err = cache.Lookup(t.Context(), old.ID, old.Algorithm)
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		assert.NotSame(t, before, cache.Set())
		unchanged := cache.Set()

		// Half written, too large, gone: what was read goes on serving.
		for _, junk := range [][]byte{issuer.KeySet()[:20], make([]byte, 1<<20)} {
			write(junk)
			time.Sleep(time.Minute)
			require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
			synctest.Wait()
		}
		require.NoError(t, os.Remove(path))
		time.Sleep(time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		assert.Same(t, unchanged, cache.Set())
		faults := cache.Stats().Faults
		assert.EqualValues(t, 1, faults[jwks.FaultMalformed])
		assert.EqualValues(t, 1, faults[jwks.FaultTooLarge])
		assert.GreaterOrEqual(t, faults[jwks.FaultFile], uint64(2))
	})
}
