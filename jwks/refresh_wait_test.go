package jwks_test

import (
	"context"
	"fmt"
	"net/http"
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

// Whatever of an issuer hangs, a look-up waits for one Timeout, and the error
// names what hangs.
func TestCache_Timeout_hangingIssuer(t *testing.T) {
	for name, row := range map[string]struct {
		paths []string
		found bool
	}{
		"metadata":          {[]string{oidcPath, oauthPath}, false},
		"one place":         {[]string{oidcPath}, true},
		"the other place":   {[]string{oauthPath}, true},
		"keys":              {[]string{"/jwks"}, false},
		"a place, and keys": {[]string{oidcPath, "/jwks"}, false},
	} {
		for _, timeout := range []time.Duration{0, 2 * time.Second, time.Minute} {
			t.Run(fmt.Sprint(name, timeout), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					issuer, cache := example(t, func(cfg *jwks.Config) { cfg.Timeout = timeout })
					hangs(issuer, row.paths...)
					began := time.Now()
					err := lookup(t, cache, issuer.Key())
					limit := max(timeout, 2*time.Second)
					if timeout == 0 {
						limit = 5 * time.Second
					}
					assert.LessOrEqual(t, time.Since(began), limit)
					if row.found {
						require.NoError(t, err)
						return
					}
					requireUnavailable(t, err)
					assert.ErrorContains(t, err, row.paths[len(row.paths)-1])
					assert.Equal(t, jwks.FaultTimeout, cache.Stats().LastFault)
				})
			})
		}
	}
}

// So does one for a key that is unknown where there were no keys at first, and
// one that joins a fetch under way.
func TestCache_Timeout_unknownKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		slow(issuer, 2*time.Second)
		began := time.Now()
		_, err := cache.Lookup(t.Context(), "invented", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		assert.LessOrEqual(t, time.Since(began), 5*time.Second)

		time.Sleep(defaultLife * 9 / 10)
		stall(issuer)
		require.NoError(t, lookup(t, cache, issuer.Key())) // a refresh is under way
		time.Sleep(2 * time.Second)
		began = time.Now()
		_, err = cache.Lookup(t.Context(), "another", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		assert.LessOrEqual(t, time.Since(began), 5*time.Second)
	})
}

// A source that hangs leaves those after it their share of the time, and one
// that heeds no context does as well.
func TestCache_Timeout_sources(t *testing.T) {
	for name, heeds := range map[string]bool{"heeds its context": true, "is deaf": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				hanging := userSource(func(ctx context.Context, _ bool) (*jwks.Set, time.Duration, error) {
					if heeds {
						<-ctx.Done()
					} else {
						time.Sleep(30 * time.Second)
					}
					return nil, 0, context.Canceled
				})
				set, err := jwks.Parse(document(testKey("ES256")))
				require.NoError(t, err)
				cache := newCache(t, jwks.Config{Sources: []jwks.Source{hanging, set}})
				began := time.Now()
				require.NoError(t, lookup(t, cache, testKey("ES256")))
				assert.LessOrEqual(t, time.Since(began), 5*time.Second)
			})
		})
	}
}

// An issuer that was down for however long is found within ten seconds of its
// return, by look-ups and by probes of readiness.
func TestCache_recovery(t *testing.T) {
	for name, ask := range map[string]func(*testing.T, *jwks.Cache, *claimstest.Issuer) error{
		"look-up": func(t *testing.T, c *jwks.Cache, i *claimstest.Issuer) error { return lookup(t, c, i.Key()) },
		"Ready":   func(t *testing.T, c *jwks.Cache, _ *claimstest.Issuer) error { return c.Ready(t.Context()) },
	} {
		for _, held := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", keys held at first ", held), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					issuer, cache := example(t, func(cfg *jwks.Config) { cfg.MaxStale = -1 })
					if held {
						require.NoError(t, cache.Ready(t.Context()))
					}
					issuer.Fail(http.StatusServiceUnavailable)
					for range 3 * 60 * 60 {
						_ = ask(t, cache, issuer)
						time.Sleep(time.Second)
					}
					before := cache.Stats()
					assert.LessOrEqual(t, time.Until(before.NextAttempt), 10*time.Second)
					issuer.Intercept(nil)
					for range 10 {
						_ = ask(t, cache, issuer)
						time.Sleep(time.Second)
					}
					assert.NoError(t, ask(t, cache, issuer))
					assert.LessOrEqual(t, before.Failures, 3*60*60/5, "nor more often than in 5 seconds")
				})
			})
		}
	}
}

// Keys that run out right after a refresh failed do not wait for the next one.
func TestCache_recovery_whenKeysRunOut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		issuer.Fail(http.StatusServiceUnavailable)
		began := time.Now()
		for time.Since(began) < defaultLife+time.Hour {
			require.NoError(t, lookup(t, cache, issuer.Key()))
			time.Sleep(time.Second)
		}
		issuer.Intercept(nil)
		time.Sleep(9 * time.Second)
		assert.NoError(t, lookup(t, cache, issuer.Key()))
	})
}

// Before the first keys, 256 look-ups wait for them; further ones are told so,
// and those that give up make room. A probe of readiness always waits.
func TestCache_firstKeys_waiting(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		stall(issuer)
		var waiting sync.WaitGroup
		var unavailable atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		for range 1000 {
			waiting.Go(func() {
				_, err := cache.Lookup(ctx, "any", "ES256")
				assert.ErrorIs(t, err, jwks.ErrUnavailable)
				unavailable.Add(1)
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 1000-256, unavailable.Load())
		atOnce(t, func() {
			_, err := cache.Lookup(t.Context(), "any", "ES256")
			assert.Equal(t, time.Second, requireUnavailable(t, err).RetryAfter)
			assert.ErrorContains(t, err, "256 look-ups wait")
		})
		ready := make(chan error, 1)
		go func() { ready <- cache.Ready(t.Context()) }()
		synctest.Wait()
		assert.Empty(t, ready, "it waits")
		cancel()
		waiting.Wait()
		began := time.Now()
		_, err := cache.Lookup(t.Context(), "any", "ES256")
		requireUnavailable(t, err)
		assert.Equal(t, 5*time.Second, time.Since(began), "there is room again")
		assert.ErrorIs(t, <-ready, jwks.ErrUnavailable)
	})
}
