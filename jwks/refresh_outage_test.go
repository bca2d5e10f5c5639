package jwks_test

import (
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// The table of the package comment, over a day: which second which outcome.
func TestCache_outageTimeline(t *testing.T) {
	t.Parallel()
	const fresh, stale = 10 * time.Minute, time.Hour
	for name, row := range map[string]struct {
		maxStale time.Duration
		want     time.Duration
	}{
		"default":  {0, fresh + stale},
		"not":      {-time.Hour, fresh},
		"longest":  {24 * time.Hour, fresh + 24*time.Hour},
		"a second": {time.Second, fresh + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuer, cache := example(t, func(cfg *jwks.Config) {
					cfg.MaxStale = row.maxStale
					cfg.Logger = slog.New(slog.DiscardHandler)
				})
				require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
				issuer.Fail(http.StatusInternalServerError)
				began := time.Now()
				for time.Since(began) < row.want+2*time.Hour {
					err := lookupCurrent(t.Context(), issuer, cache)
					at := time.Since(began)
					if at < row.want {
						require.NoError(t, err, "at %v", at)
					} else {
						require.ErrorIs(t, err, jwks.ErrUnavailable, "at %v", at)
						var u *jwks.UnavailableError
						require.ErrorAs(t, err, &u)
						require.LessOrEqual(t, u.RetryAfter, 9*time.Second)
					}
					synctest.Wait()
					want := jwks.StateFresh
					switch {
					case at >= row.want:
						want = jwks.StateUnavailable
					case at >= fresh:
						want = jwks.StateStale
					case cache.Stats().Failures > 0:
						want = jwks.StateFailing
					}
					require.Equal(t, want, cache.Stats().State, "at %v", at)
					time.Sleep(time.Second)
				}
				// About one attempt a minute, and one in 8 seconds in the two
				// hours without keys, however many look-ups there are.
				assert.Less(t, issuer.KeySetRequests(), int(row.want.Minutes()+120*60/8)*11/10)

				issuer.Intercept(nil)
				time.Sleep(9 * time.Second)
				require.NoError(t, lookupCurrent(t.Context(), issuer, cache), "it recovers by itself")
				assert.Equal(t, jwks.StateFresh, cache.Stats().State)
			})
		})
	}
}

// RetryAfter is true: before it nothing is fetched, at it something is.
func TestCache_retryAfterIsTrue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		issuer.Fail(http.StatusInternalServerError)
		for range 10 {
			err := lookupCurrent(t.Context(), issuer, cache)
			var u *jwks.UnavailableError
			require.ErrorAs(t, err, &u)
			requests := issuer.Requests("/.well-known/openid-configuration")
			time.Sleep(u.RetryAfter - time.Second) // it may be rounded up to a second
			_ = lookupCurrent(t.Context(), issuer, cache)
			require.Equal(t, requests, issuer.Requests("/.well-known/openid-configuration"))
			time.Sleep(time.Second)
			_ = lookupCurrent(t.Context(), issuer, cache)
			require.Equal(t, requests+1, issuer.Requests("/.well-known/openid-configuration"))
		}
		assert.EqualValues(t, 30, cache.Stats().Unavailable)
	})
}

// A replica that is only probed has keys in reserve for an outage.
func TestCache_readyRefreshes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		for range 12 * 60 {
			require.NoError(t, cache.Ready(t.Context()))
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		assert.GreaterOrEqual(t, issuer.KeySetRequests(), 12)
		issuer.Fail(http.StatusServiceUnavailable)
		time.Sleep(time.Hour)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
	})
}
