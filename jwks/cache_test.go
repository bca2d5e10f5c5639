package jwks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

const (
	issuerURL   = "https://issuer.example"
	defaultLife = 10 * time.Minute
	maxAge      = 24 * time.Hour
	cooldown    = 30 * time.Second
)

// inBubble runs a test on a clock of its own, in parallel with others. It panics
// if a goroutine is left a minute after the test.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(time.Minute) // for fetches to end
		test(t)
	})
}

func newIssuer(t testing.TB, url string) *claimstest.Issuer {
	t.Helper()
	issuer, err := claimstest.New(claimstest.Config{URL: url})
	require.NoError(t, err)
	return issuer
}

func newCache(t testing.TB, cfg jwks.Config) *jwks.Cache {
	t.Helper()
	cache, err := jwks.NewCache(cfg)
	require.NoError(t, err)
	return cache
}

// issuerAndCache returns an issuer and a cache of its keys, whose only requests
// are those for the key set.
func issuerAndCache(t testing.TB) (*claimstest.Issuer, *jwks.Cache) {
	t.Helper()
	issuer := newIssuer(t, issuerURL)
	return issuer, newCache(t, jwks.Config{URL: issuer.JWKSURL(), Client: issuer.Client()})
}

// intercept has before run ahead of the issuer's own answer.
func intercept(issuer *claimstest.Issuer, before http.HandlerFunc) {
	issuer.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before(w, r)
			next.ServeHTTP(w, r)
		})
	})
}

// longLived has the issuer's answers be fresh for as long as possible, so that
// no scheduled fetch gets in the way.
func longLived(issuer *claimstest.Issuer) {
	intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", fmt.Sprintf("max-age=%d", int(maxAge.Seconds())))
	})
}

// slow has the issuer take so long for each answer.
func slow(issuer *claimstest.Issuer, d time.Duration) {
	intercept(issuer, func(http.ResponseWriter, *http.Request) { time.Sleep(d) })
}

// stall has the issuer accept requests and never answer.
func stall(issuer *claimstest.Issuer) {
	issuer.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		})
	})
}

func lookup(t *testing.T, cache *jwks.Cache, key *claimstest.Key) error {
	t.Helper()
	keys, err := cache.Lookup(t.Context(), key.ID, key.Algorithm)
	if err != nil {
		assert.Nil(t, keys)
		return err
	}
	require.Len(t, keys, 1)
	require.Equal(t, key.Public(), keys[0].Public())
	return nil
}

// requireUnavailable asserts the class of the error and returns it.
func requireUnavailable(t *testing.T, err error) *jwks.UnavailableError {
	t.Helper()
	require.ErrorIs(t, err, jwks.ErrUnavailable)
	require.NotErrorIs(t, err, jwks.ErrUnknownKey)
	var unavailable *jwks.UnavailableError
	require.ErrorAs(t, err, &unavailable)
	require.GreaterOrEqual(t, unavailable.RetryAfter, time.Second)
	return unavailable
}

// atOnce asserts that f takes no time.
func atOnce(t *testing.T, f func()) {
	t.Helper()
	start := time.Now()
	f()
	require.Zero(t, time.Since(start), "it waited")
}

func TestCache_isLazy(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		time.Sleep(48 * time.Hour)
		assert.Nil(t, cache.Set())
		assert.Zero(t, issuer.KeySetRequests())

		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, 1, issuer.KeySetRequests())
		require.NotNil(t, cache.Set())
		requireKey(t, cache.Set(), issuer.Key())

		time.Sleep(48 * time.Hour)
		assert.Nil(t, cache.Set(), "too old")
		assert.Equal(t, 1, issuer.KeySetRequests(), "nobody asked")
	})
}

func TestCache_firstLookupsShareOneFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		cache := newCache(t, jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
		slow(issuer, time.Second)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { assert.NoError(t, lookup(t, cache, issuer.Key())) })
		}
		wg.Wait()
		assert.Equal(t, 1, issuer.KeySetRequests())
		assert.Equal(t, 1, issuer.Requests("/.well-known/openid-configuration"))
	})
}

func TestCache_firstCallersCancellationHarmsNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		slow(issuer, 2*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		start := time.Now()
		wg.Go(func() {
			_, err := cache.Lookup(ctx, issuer.Key().ID, "ES256")
			requireUnavailable(t, err)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, time.Second, time.Since(start), "released at once")
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				assert.NoError(t, lookup(t, cache, issuer.Key()))
				assert.Equal(t, 2*time.Second, time.Since(start))
			})
		}
		time.Sleep(time.Second)
		cancel()
		wg.Wait()
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
}

func TestCache_fetchOutlivesItsOnlyCaller(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := cache.Lookup(ctx, issuer.Key().ID, "ES256")
		assert.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		require.NotNil(t, cache.Set())
		assert.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
}

func TestCache_waitersObeyTheirOwnDeadlines(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		slow(issuer, 4*time.Second)
		start := time.Now()
		var wg sync.WaitGroup
		for _, patience := range []time.Duration{time.Second, 3 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			wg.Go(func() {
				_, err := cache.Lookup(ctx, issuer.Key().ID, "ES256")
				unavailable := requireUnavailable(t, err)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, time.Second, unavailable.RetryAfter)
				assert.Equal(t, patience, time.Since(start))
			})
			wg.Go(func() {
				assert.ErrorIs(t, cache.Ready(ctx), context.DeadlineExceeded)
				assert.Equal(t, patience, time.Since(start))
			})
		}
		wg.Wait()
		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, 4*time.Second, time.Since(start))
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
}

// A fetch under way for an unknown key ID delays only those who ask for it.
func TestCache_unknownKeyObeysTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		stall(issuer)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := cache.Lookup(ctx, "unknown", "ES256")
			assert.ErrorIs(t, err, jwks.ErrUnknownKey)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, time.Second, time.Since(start))
		})
		synctest.Wait()
		atOnce(t, func() { assert.NoError(t, lookup(t, cache, issuer.Key())) })
		wg.Wait()
	})
}

func TestCache_rotationWithinTheSameLookup(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		old := issuer.Key()
		require.NoError(t, lookup(t, cache, old))
		rotated := issuer.Rotate("EdDSA")
		require.NoError(t, lookup(t, cache, rotated))
		require.NoError(t, lookup(t, cache, old), "it is published still")
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

func TestCache_concurrentMissesShareOneFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		rotated := issuer.Rotate("")
		slow(issuer, time.Second)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { assert.NoError(t, lookup(t, cache, rotated)) })
			wg.Go(func() {
				_, err := cache.Lookup(t.Context(), fmt.Sprintf("invented %d", i), "ES256")
				assert.ErrorIs(t, err, jwks.ErrUnknownKey)
			})
		}
		wg.Wait()
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

// The cooldown counts from the attempt, not from its end or the last miss.
func TestCache_unknownKeyCooldown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		unknown := func() {
			t.Helper()
			_, err := cache.Lookup(t.Context(), "unknown", "ES256")
			require.ErrorIs(t, err, jwks.ErrUnknownKey)
			require.NotErrorIs(t, err, jwks.ErrUnavailable)
		}
		slow(issuer, 3*time.Second)
		attempt := time.Now()
		unknown()
		assert.Equal(t, 3*time.Second, time.Since(attempt))
		assert.Equal(t, 2, issuer.KeySetRequests())

		rotated := issuer.Rotate("")
		for time.Since(attempt) < cooldown-time.Second {
			atOnce(t, unknown)
			time.Sleep(time.Second)
		}
		time.Sleep(cooldown - time.Nanosecond - time.Since(attempt))
		atOnce(t, unknown)
		assert.ErrorIs(t, lookup(t, cache, rotated), jwks.ErrUnknownKey)
		assert.Equal(t, 2, issuer.KeySetRequests())

		time.Sleep(time.Nanosecond)
		assert.NoError(t, lookup(t, cache, rotated))
		assert.Equal(t, 3, issuer.KeySetRequests())
	})
}

// A failed attempt uses the cooldown up as well: an issuer in trouble is not to
// be asked more often.
func TestCache_unknownKeyWhileTheIssuerIsDown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Fail(http.StatusBadGateway)
		for range 3 {
			attempt := time.Now()
			for time.Since(attempt) < cooldown {
				_, err := cache.Lookup(t.Context(), "unknown", "ES256")
				require.ErrorIs(t, err, jwks.ErrUnknownKey)
				require.NotErrorIs(t, err, jwks.ErrUnavailable,
					"an invented key ID must not choose this")
				require.NoError(t, lookup(t, cache, issuer.Key()))
				time.Sleep(time.Second)
			}
		}
		assert.Equal(t, 1+3, issuer.KeySetRequests())
	})
}

// While nothing is known of the keys, nothing can be said of a key ID.
func TestCache_unknownKeyWithNothingHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		issuer.Fail(http.StatusBadGateway)
		_, err := cache.Lookup(t.Context(), "unknown", "ES256")
		requireUnavailable(t, err)
		assert.Equal(t, 1, issuer.KeySetRequests())

		longLived(issuer)
		time.Sleep(2 * time.Second)
		_, err = cache.Lookup(t.Context(), "unknown", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		assert.LessOrEqual(t, issuer.KeySetRequests(), 3)
	})
}

func TestCache_floodOfUnknownKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		var mu sync.Mutex
		var fetches []time.Time
		intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=86400")
			mu.Lock()
			defer mu.Unlock()
			fetches = append(fetches, time.Now())
		})
		known := issuer.Key()
		require.NoError(t, lookup(t, cache, known))
		const length = 5 * time.Minute
		start := time.Now()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() { // 160 look-ups each, more than 10,000 in all
				for time.Since(start) < length {
					_, err := cache.Lookup(t.Context(), fmt.Sprint(rand.Uint64()), "ES256")
					assert.ErrorIs(t, err, jwks.ErrUnknownKey)
					assert.NotErrorIs(t, err, jwks.ErrUnavailable)
					time.Sleep(length / 160)
				}
			})
		}
		wg.Go(func() {
			for time.Since(start) < length {
				assert.NoError(t, lookup(t, cache, known))
				time.Sleep(time.Second)
			}
		})
		time.Sleep(100 * time.Second)
		rotated, at := issuer.Rotate(""), time.Now()
		for lookup(t, cache, rotated) != nil && time.Since(at) <= length {
			time.Sleep(time.Second)
		}
		assert.LessOrEqual(t, time.Since(at), cooldown, "the flood delays the rotation")
		wg.Wait()

		misses := fetches[1:]
		assert.LessOrEqual(t, len(misses), int(length/cooldown)+1)
		for i := 1; i < len(misses); i++ {
			assert.GreaterOrEqual(t, misses[i].Sub(misses[i-1]), cooldown)
		}
	})
}

// A fetch that began before the rotation does not bring the new key; one that
// follows does.
func TestCache_rotationDuringAFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Intercept(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				before := issuer.KeySet()
				time.Sleep(2 * time.Second)
				_, _ = w.Write(before)
			})
		})
		time.Sleep(defaultLife * 9 / 10)
		require.NoError(t, lookup(t, cache, issuer.Key())) // starts the scheduled fetch
		time.Sleep(time.Second)
		rotated, at := issuer.Rotate(""), time.Now()
		require.NoError(t, lookup(t, cache, rotated))
		assert.Equal(t, 3*time.Second, time.Since(at))
		assert.Equal(t, 3, issuer.KeySetRequests())
	})
}

// The same where the fetch under way fails.
func TestCache_rotationDuringAFetchThatFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		stall(issuer)
		time.Sleep(defaultLife * 9 / 10)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		time.Sleep(time.Second) // which is what is left for the fetch that follows
		issuer.Intercept(nil)
		rotated := issuer.Rotate("")
		require.NoError(t, lookup(t, cache, rotated))
		assert.Equal(t, 3, issuer.KeySetRequests())
	})
}

// A key that does not fit may have been replaced under the same ID: that costs as
// little as an unknown one does.
func TestCache_mismatchIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		longLived(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		for range 100 {
			atOnce(t, func() {
				_, err := cache.Lookup(t.Context(), issuer.Key().ID, "RS256")
				require.ErrorIs(t, err, jwks.ErrKeyMismatch)
			})
			time.Sleep(cooldown)
		}
		assert.Equal(t, 1+50, issuer.KeySetRequests(), "it is remembered for two cooldowns")
	})
}

func TestCache_withoutKeyID(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		keys, err := cache.Lookup(t.Context(), "", "ES256")
		require.NoError(t, err)
		assert.Len(t, keys, 1)
		rotated := issuer.Rotate("EdDSA")
		keys, err = cache.Lookup(t.Context(), "", "EdDSA")
		require.NoError(t, err)
		require.Len(t, keys, 1)
		assert.Equal(t, rotated.ID, keys[0].ID())
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

// A scheduled fetch runs between 72 and 88 % of the fresh life, not at the same
// time everywhere, and never before.
func TestCache_refreshAhead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const life = 1000 * time.Second
		issuer := newIssuer(t, issuerURL)
		intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "max-age=1000")
		})
		type instance struct {
			cache    *jwks.Cache
			requests *recorder
		}
		var instances []instance
		for range 100 {
			requests := &recorder{next: issuer.Client().Transport}
			instances = append(instances, instance{newCache(t, jwks.Config{
				URL: issuer.JWKSURL(), Client: &http.Client{Transport: requests},
			}), requests})
		}
		start := time.Now()
		for time.Since(start) < life {
			for _, i := range instances {
				require.NoError(t, lookup(t, i.cache, issuer.Key()))
			}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		var after []time.Duration
		for _, i := range instances {
			require.Len(t, i.requests.times, 2)
			after = append(after, i.requests.times[1].Sub(start))
		}
		first, last := slices.Min(after), slices.Max(after)
		assert.GreaterOrEqual(t, first, 720*time.Second)
		assert.LessOrEqual(t, last, 881*time.Second)
		// Each half of the range is missed with a chance of 2^-100.
		assert.Less(t, first, 800*time.Second)
		assert.Greater(t, last, 800*time.Second)
	})
}

// recorder is an [http.RoundTripper] that remembers the requests, and how many
// bodies of answers are not closed.
type recorder struct {
	next  http.RoundTripper
	open  atomic.Int32
	mu    sync.Mutex
	urls  []string
	times []time.Time
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.urls = append(r.urls, req.URL.String())
	r.times = append(r.times, time.Now())
	r.mu.Unlock()
	if isMetadata(req.URL.Path) {
		time.Sleep(time.Millisecond) // until those of all places are made
	}
	resp, err := r.next.RoundTrip(req)
	if err == nil {
		r.open.Add(1)
		closed := sync.OnceFunc(func() { r.open.Add(-1) })
		resp.Body = recordedBody{resp.Body, closed}
	}
	return resp, err
}

// asked returns the URLs in the order of the requests. Of those for metadata, which
// are made at once, it is that of the alphabet.
func (r *recorder) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	urls := slices.Clone(r.urls)
	for from := 0; from < len(urls); from++ {
		to := from
		for to < len(urls) && isMetadata(urls[to]) {
			to++
		}
		slices.Sort(urls[from:to])
		from = to
	}
	return urls
}

func isMetadata(url string) bool { return strings.Contains(url, "/.well-known/") }

type recordedBody struct {
	io.ReadCloser
	closed func()
}

func (b recordedBody) Close() error {
	b.closed()
	return b.ReadCloser.Close()
}

func TestCache_servesWhileTheIssuerStalls(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		stall(issuer)
		start := time.Now()
		for time.Since(start) < defaultLife+time.Hour-time.Second {
			atOnce(t, func() { require.NoError(t, lookup(t, cache, issuer.Key())) })
			time.Sleep(time.Second)
		}
		assert.Greater(t, issuer.KeySetRequests(), 10)

		// One fetch at a time: 5 s each, and up to 66 s between.
		time.Sleep(5 * time.Second)
		before := issuer.KeySetRequests()
		issuer.Intercept(nil)
		time.Sleep(66 * time.Second)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, before+1, issuer.KeySetRequests())
	})
}

func TestCache_refreshIsSingleFlight(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		slow(issuer, 3*time.Second)
		time.Sleep(defaultLife * 9 / 10)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				for range 10 {
					assert.NoError(t, lookup(t, cache, issuer.Key()))
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 2, issuer.KeySetRequests())
	})
}

// Good keys serve for an hour past their freshness, to the second.
func TestCache_staleLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		start := time.Now()
		issuer.Fail(http.StatusServiceUnavailable)
		for time.Since(start) < defaultLife+time.Hour-time.Minute {
			atOnce(t, func() { require.NoError(t, lookup(t, cache, issuer.Key())) })
			require.NoError(t, cache.Ready(t.Context()))
			time.Sleep(time.Minute)
		}
		time.Sleep(defaultLife + time.Hour - time.Nanosecond - time.Since(start))
		require.NoError(t, lookup(t, cache, issuer.Key()))
		require.NoError(t, cache.Ready(t.Context()))
		require.NotNil(t, cache.Set())
		_, err := cache.Lookup(t.Context(), "unknown", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		synctest.Wait()

		time.Sleep(time.Nanosecond)
		assert.Nil(t, cache.Set())
		unavailable := requireUnavailable(t, lookup(t, cache, issuer.Key()))
		assert.ErrorContains(t, unavailable, "503", "the cause is said")
		requireUnavailable(t, cache.Ready(t.Context()))
		_, err = cache.Lookup(t.Context(), "unknown", "ES256")
		requireUnavailable(t, err)
		_, err = cache.Lookup(t.Context(), issuer.Key().ID, "RS256")
		requireUnavailable(t, err)

		issuer.Intercept(nil)
		time.Sleep(unavailable.RetryAfter)
		require.NoError(t, lookup(t, cache, issuer.Key()), "it recovers by itself")
	})
}

// After a long silence the keys held are too old, and the look-up waits.
func TestCache_unusedForLong(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		old, rotated := issuer.Key(), issuer.Rotate("")
		issuer.Revoke(old)
		time.Sleep(defaultLife + time.Hour)
		assert.ErrorIs(t, lookup(t, cache, old), jwks.ErrUnknownKey)
		assert.NoError(t, lookup(t, cache, rotated))
	})
}

// requireBackoff asserts that the pause is the documented one after n+1 failures
// in a row, while keys are held or not.
func requireBackoff(t *testing.T, n int, pause time.Duration, held bool) {
	t.Helper()
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60}[min(n, 6)] * time.Second
	if !held {
		want = min(want, 8*time.Second)
	}
	require.GreaterOrEqual(t, pause, want*9/10, "failure %d", n)
	require.LessOrEqual(t, pause, want*11/10, "failure %d", n)
}

func TestCache_backoffWithNothingHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		issuer.Fail(http.StatusInternalServerError)
		for n := range 10 {
			failed := requireUnavailable(t, lookup(t, cache, issuer.Key()))
			require.Equal(t, n+1, issuer.KeySetRequests())
			requireBackoff(t, n, failed.RetryAfter, false)

			// RetryAfter is true: no fetch before, one after.
			time.Sleep(failed.RetryAfter / 2)
			again := requireUnavailable(t, lookup(t, cache, issuer.Key()))
			if n > 0 { // the first is rounded up to a second
				left := failed.RetryAfter - failed.RetryAfter/2
				require.Equal(t, max(left, time.Second), again.RetryAfter)
				time.Sleep(left - time.Nanosecond)
				requireUnavailable(t, lookup(t, cache, issuer.Key()))
				requireUnavailable(t, cache.Ready(t.Context()))
				require.Equal(t, n+1, issuer.KeySetRequests())
				time.Sleep(time.Nanosecond)
			} else {
				time.Sleep(failed.RetryAfter - failed.RetryAfter/2)
			}
		}
		issuer.Intercept(nil)
		require.NoError(t, lookup(t, cache, issuer.Key()))

		// Success ends the row of failures.
		issuer.Fail(http.StatusInternalServerError)
		time.Sleep(defaultLife + time.Hour)
		failed := requireUnavailable(t, lookup(t, cache, issuer.Key()))
		requireBackoff(t, 0, failed.RetryAfter, false)
	})
}

func TestCache_backoffWithKeysHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		requests := &recorder{next: issuer.Client().Transport}
		cache := newCache(t, jwks.Config{
			URL: issuer.JWKSURL(), Client: &http.Client{Transport: requests},
		})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Fail(http.StatusInternalServerError)
		start := time.Now()
		for time.Since(start) < 30*time.Minute {
			require.NoError(t, lookup(t, cache, issuer.Key()))
			synctest.Wait()
			time.Sleep(50 * time.Millisecond)
		}
		times := requests.times[1:]
		require.Greater(t, len(times), 20)
		var pauses []time.Duration
		for n := 1; n < len(times); n++ {
			pause := times[n].Sub(times[n-1])
			requireBackoff(t, n-1, pause, true)
			if n > 6 {
				pauses = append(pauses, pause)
			}
		}
		assert.Greater(t, slices.Max(pauses)-slices.Min(pauses), time.Second, "no jitter")

		issuer.Intercept(nil)
		time.Sleep(66 * time.Second)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		assert.Len(t, requests.times, len(times)+2)
		time.Sleep(defaultLife * 7 / 10)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		assert.Len(t, requests.times, len(times)+2, "fresh again")
	})
}

// A set that shrinks is a revocation.
func TestCache_revocation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		revoked, kept := issuer.Key(), issuer.Rotate("")
		require.NoError(t, lookup(t, cache, revoked))
		issuer.Revoke(revoked)
		time.Sleep(defaultLife * 9 / 10)
		require.NoError(t, lookup(t, cache, kept))
		synctest.Wait()
		assert.Len(t, cache.Set().Keys(), 1)
		assert.ErrorIs(t, lookup(t, cache, revoked), jwks.ErrUnknownKey)
		assert.NoError(t, lookup(t, cache, kept))
	})
}

func TestCache_Ready(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		issuer.Fail(http.StatusNotFound)
		failed := requireUnavailable(t, cache.Ready(t.Context()))
		assert.Nil(t, cache.Set())
		assert.Equal(t, 1, issuer.KeySetRequests())
		requireUnavailable(t, cache.Ready(t.Context()))
		assert.Equal(t, 1, issuer.KeySetRequests(), "too early to try again")

		issuer.Intercept(nil)
		time.Sleep(failed.RetryAfter)
		assert.NoError(t, cache.Ready(t.Context()))
		assert.NotNil(t, cache.Set())
		for range 100 {
			assert.NoError(t, cache.Ready(t.Context()))
		}
		assert.Equal(t, 2, issuer.KeySetRequests())

		time.Sleep(defaultLife + time.Hour)
		assert.NoError(t, cache.Ready(t.Context()), "fetches anew, without any look-up")
		assert.Equal(t, 3, issuer.KeySetRequests())
	})
}

func TestUnavailableError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the caller's own reason"))
		stall(issuer)
		_, err := cache.Lookup(ctx, "any", "ES256")
		unavailable := requireUnavailable(t, err)
		assert.NotErrorIs(t, err, jwks.ErrKeyMismatch)
		assert.ErrorIs(t, unavailable.Unwrap(), context.Canceled)
		assert.Equal(t, "jwks: key set unavailable: of https://issuer.example/jwks: context canceled", err.Error())
	})
}

// No goroutine and no connection outlives a fetch. Not parallel, as it counts.
func TestCache_leavesNoGoroutine(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{})
	before := runtime.NumGoroutine()
	for range 20 {
		cache := newCache(t, jwks.Config{Issuer: issuer.URL()})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { assert.NoError(t, lookup(t, cache, issuer.Key())) })
		}
		wg.Wait()
		assert.NoError(t, lookup(t, cache, issuer.Rotate("")))
	}
	// Eventually needs a goroutine of its own.
	if !assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 },
		30*time.Second, 10*time.Millisecond) {
		stacks := make([]byte, 1<<20)
		t.Logf("%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// A flood of invented key IDs costs no memory, however long they are. Not
// parallel, as the next one.
func TestCache_floodAllocatesNothing(t *testing.T) {
	issuer, cache := issuerAndCache(t)
	require.NoError(t, lookup(t, cache, issuer.Key()))
	_, err := cache.Lookup(t.Context(), "first", "ES256") // begins the cooldown
	require.ErrorIs(t, err, jwks.ErrUnknownKey)
	ctx, id := t.Context(), strings.Repeat("invented", 1000)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for _, id := range []string{"first", id} {
			if _, err := cache.Lookup(ctx, id, "ES256"); err == nil {
				panic("found")
			}
		}
	}))
}

// Not parallel: AllocsPerRun counts those of all goroutines.
func TestCache_knownKeyAllocatesNothing(t *testing.T) {
	issuer, cache := issuerAndCache(t)
	key, ctx := issuer.Key(), t.Context()
	require.NoError(t, lookup(t, cache, key))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := cache.Lookup(ctx, key.ID, "ES256"); err != nil {
			panic(err)
		}
		if _, err := cache.Lookup(ctx, "", "ES256"); err != nil {
			panic(err)
		}
		if _, err := cache.Lookup(ctx, key.ID, "RS256"); err == nil {
			panic("a mismatch")
		}
	}))
}
