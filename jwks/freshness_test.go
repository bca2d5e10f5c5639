package jwks_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// example returns an issuer that is reached directly, and a cache of its keys.
func example(t testing.TB, change func(*jwks.Config)) (*claimstest.Issuer, *jwks.Cache) {
	t.Helper()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	cfg := jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()}
	if change != nil {
		change(&cfg)
	}
	cache, err := jwks.NewCache(cfg)
	require.NoError(t, err)
	return issuer, cache
}

// lookupCurrent looks the issuer's present key up.
func lookupCurrent(ctx context.Context, issuer *claimstest.Issuer, cache *jwks.Cache) error {
	_, err := cache.Lookup(ctx, issuer.Key().ID, issuer.Key().Algorithm)
	return err
}

// answering sets header fields of the answers.
func answering(header http.Header) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name, values := range header {
				w.Header()[name] = values
			}
			next.ServeHTTP(w, r)
		})
	}
}

// What TestCache_freshLife has not: Age and Expires, and when a refresh is due.
func TestCache_age(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"nothing said": {nil, 10 * time.Minute},
		"max-age":      {http.Header{"Cache-Control": {"public, max-age=900"}}, 15 * time.Minute},
		"age":          {http.Header{"Cache-Control": {"max-age=900"}, "Age": {"300"}}, 10 * time.Minute},
		"older":        {http.Header{"Cache-Control": {"max-age=900"}, "Age": {"3000"}}, time.Minute},
		"bad age":      {http.Header{"Cache-Control": {"max-age=900"}, "Age": {"x"}}, 15 * time.Minute},
		"expires": {http.Header{
			"Expires": {"Mon, 01 Jan 2024 00:20:00 GMT"}, "Date": {"Mon, 01 Jan 2024 00:00:00 GMT"},
		}, 20 * time.Minute},
		"expires without date": {http.Header{
			"Expires": {"Sat, 01 Jan 2000 00:20:00 GMT"}, // a bubble's clock starts at midnight
		}, 20 * time.Minute},
		"expired":     {http.Header{"Expires": {"Thu, 01 Jan 1970 00:00:00 GMT"}}, time.Minute},
		"expires bad": {http.Header{"Expires": {"0"}}, time.Minute},
		"long expired": {http.Header{
			"Expires": {"Mon, 01 Jan 0001 00:00:00 GMT"}, "Age": {"5"},
		}, time.Minute},
		"max-age before expires": {http.Header{
			"Cache-Control": {"max-age=900"}, "Expires": {"Thu, 01 Jan 1970 00:00:00 GMT"},
		}, 15 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuer, cache := example(t, nil)
				issuer.Intercept(answering(row.header))
				require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
				assert.Equal(t, row.want, cache.Stats().FreshFor)
				assert.Equal(t, row.want+time.Hour, cache.Stats().UsableFor)
				due := time.Until(cache.Stats().NextAttempt)
				assert.GreaterOrEqual(t, due, row.want*72/100)
				assert.LessOrEqual(t, due, row.want*88/100)
			})
		})
	}
}

// conditional answers 304 to a request with the ETag that it gave.
type conditional struct {
	etag        string
	asked       []http.Header
	notModified int
}

func (c *conditional) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/jwks" {
			next.ServeHTTP(w, r)
			return
		}
		c.asked = append(c.asked, r.Header.Clone())
		w.Header().Set("ETag", c.etag)
		if r.Header.Get("If-None-Match") == c.etag {
			c.notModified++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Cache-Control", "max-age=900")
		next.ServeHTTP(w, r)
	})
}

func TestCache_conditionalRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		server := &conditional{etag: `"1"`}
		issuer.Intercept(server.wrap)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		before := cache.Set()
		assert.Empty(t, server.asked[0].Get("If-None-Match"))
		assert.Empty(t, server.asked[0].Get("Cache-Control"))

		// Scheduled: conditional, and 304 makes the same set fresh again.
		time.Sleep(14 * time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		require.Len(t, server.asked, 2)
		assert.Equal(t, `"1"`, server.asked[1].Get("If-None-Match"))
		assert.Equal(t, 1, server.notModified)
		assert.Same(t, before, cache.Set())
		assert.Equal(t, 15*time.Minute, cache.Stats().FreshFor, "what a 304 does not say stays")
		assert.EqualValues(t, 1, cache.Stats().Generation)

		// For an unknown key: past all caches, and not conditional, as a cache
		// on the way that has the old set might say that it is current.
		issuer.Rotate("")
		server.etag = `"2"`
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		require.Len(t, server.asked, 3)
		assert.Equal(t, "no-cache", server.asked[2].Get("Cache-Control"))
		assert.Empty(t, server.asked[2].Get("If-None-Match"))
		assert.EqualValues(t, 2, cache.Stats().Generation)

		// A 304 that nobody asked for is no answer.
		issuer.Fail(http.StatusNotModified)
		_, err := cache.Lookup(t.Context(), "invented", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		time.Sleep(31 * time.Second)
		_, err = cache.Lookup(t.Context(), "invented too", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		assert.Equal(t, jwks.FaultStatus, cache.Stats().LastFault)
	})
}

// The same keys in another order, or with another ETag, are no rotation.
func TestCache_generation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		first := issuer.Key()
		issuer.Rotate("")
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		before := cache.Set()
		issuer.Revoke(first)
		issuer.Publish(first)
		time.Sleep(9 * time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		assert.Equal(t, 2, issuer.KeySetRequests())
		assert.NotSame(t, before, cache.Set(), "another order, which counts without a kid")
		assert.EqualValues(t, 1, cache.Stats().Generation)

		issuer.Revoke(first)
		time.Sleep(9 * time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		assert.EqualValues(t, 2, cache.Stats().Generation)
		_, err := cache.Lookup(t.Context(), first.ID, first.Algorithm)
		assert.ErrorIs(t, err, jwks.ErrUnknownKey, "a key that was withdrawn")
	})
}

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
