package jwks_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// The life of an answer shows in when it becomes too old: an hour after.
func TestCache_freshLife(t *testing.T) {
	tests := []struct {
		name         string
		cacheControl []string
		want         time.Duration
	}{
		{"absent", nil, defaultLife},
		{"empty", []string{""}, defaultLife},
		{"0", []string{"max-age=0"}, time.Minute},
		{"1", []string{"max-age=1"}, time.Minute},
		{"59", []string{"max-age=59"}, time.Minute},
		{"60", []string{"max-age=60"}, time.Minute},
		{"61", []string{"max-age=61"}, 61 * time.Second},
		{"an hour", []string{"max-age=3600"}, time.Hour},
		{"86399", []string{"max-age=86399"}, maxAge - time.Second},
		{"86400", []string{"max-age=86400"}, maxAge},
		{"86401", []string{"max-age=86401"}, maxAge},
		{"99999999", []string{"max-age=99999999"}, maxAge},
		{"2^31-1", []string{"max-age=2147483647"}, maxAge},
		// RFC 9111 section 1.2.2: what overflows is the greatest value.
		{"2^31", []string{"max-age=2147483648"}, maxAge},
		{"2^64", []string{"max-age=18446744073709551616"}, maxAge},
		{"negative", []string{"max-age=-1"}, defaultLife},
		{"garbage", []string{"max-age=soon"}, defaultLife},
		{"fraction", []string{"max-age=1.5"}, defaultLife},
		{"without value", []string{"max-age"}, defaultLife},
		{"value empty", []string{"max-age="}, defaultLife},
		{"quoted", []string{`max-age="120"`}, 2 * time.Minute},
		{"case", []string{"Max-Age=120"}, 2 * time.Minute},
		{"no-store", []string{"no-store"}, defaultLife},
		{"no-cache", []string{"no-cache"}, defaultLife},
		{"among others", []string{"public, max-age=120 , must-revalidate"}, 2 * time.Minute},
		{"no-store and max-age 0", []string{"no-store, max-age=0"}, time.Minute},
		{"second field", []string{"public", "max-age=120"}, 2 * time.Minute},
		{"s-maxage", []string{"s-maxage=120"}, defaultLife},
		{"longer name", []string{"x-max-age=120"}, defaultLife},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer, cache := issuerAndCache(t)
				intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
					w.Header()["Cache-Control"] = tt.cacheControl
				})
				require.NoError(t, lookup(t, cache, issuer.Key()))
				issuer.Fail(http.StatusServiceUnavailable)
				time.Sleep(tt.want + time.Hour - time.Nanosecond)
				assert.NotNil(t, cache.Set(), "fresh for less")
				time.Sleep(time.Nanosecond)
				assert.Nil(t, cache.Set(), "fresh for more")
			})
		})
	}
}

// An answer that may not be stored is used for as long as any other: a fetch
// for each request would be worse.
func TestCache_noStoreIsNoFetchPerRequest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "no-store, no-cache, max-age=0")
		})
		for range 430 { // tenths of a second, 43 s, of a minute
			require.NoError(t, lookup(t, cache, issuer.Key()))
			time.Sleep(100 * time.Millisecond)
		}
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
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
