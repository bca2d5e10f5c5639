package jwks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
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
				// About one attempt a minute, and one in 8 seconds in the two hours
				// without keys, however many look-ups there are.
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

// A key ID that a fetch did not bring leaves the next one to others.
func TestCache_remembersMisses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		ask := func(id string) int {
			before := issuer.KeySetRequests()
			_, err := cache.Lookup(t.Context(), id, "ES256")
			require.ErrorIs(t, err, jwks.ErrUnknownKey)
			return issuer.KeySetRequests() - before
		}
		assert.Equal(t, 1, ask("one"))
		assert.Equal(t, 0, ask("two"), "in the cooldown")
		time.Sleep(30 * time.Second)
		assert.Equal(t, 0, ask("one"), "remembered")
		assert.Equal(t, 1, ask("two"))
		time.Sleep(30 * time.Second)
		assert.Equal(t, 1, ask("one"), "forgotten after a minute")
		stats := cache.Stats()
		assert.EqualValues(t, 1, stats.CooldownHits)
		assert.EqualValues(t, 1, stats.MissHits)
	})
}

// Whoever gives up waiting does not keep the miss from being remembered.
func TestCache_remembersWhoGaveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		slow(issuer, 2*time.Second)
		requests := issuer.KeySetRequests()
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := cache.Lookup(ctx, "invented", "ES256")
			cancel()
			require.ErrorIs(t, err, jwks.ErrUnknownKey)
			time.Sleep(14 * time.Second)
		}
		assert.Equal(t, 1, issuer.KeySetRequests()-requests)
		assert.EqualValues(t, 3, cache.Stats().MissHits)
	})
}

// While the issuer hangs, invented key IDs hold few requests, and those that are
// remembered none.
func TestCache_missesWaitInBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		_, err := cache.Lookup(t.Context(), "remembered", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		time.Sleep(31 * time.Second)
		stall(issuer)
		var waiting sync.WaitGroup
		var refused atomic.Int32
		for n := range 1000 {
			waiting.Go(func() {
				_, err := cache.Lookup(t.Context(), fmt.Sprint(n), "ES256")
				assert.ErrorIs(t, err, jwks.ErrUnknownKey)
				refused.Add(1)
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 1000-256, refused.Load())
		atOnce(t, func() {
			_, err := cache.Lookup(t.Context(), "remembered", "ES256")
			assert.ErrorIs(t, err, jwks.ErrUnknownKey)
			assert.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		})
		waiting.Wait()
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

// A key that is left out is told of even if the others stay as they were.
func TestCache_tellsOfSkippedKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r witness
		issuer, cache := example(t, func(cfg *jwks.Config) { cfg.Observer = r.observe })
		require.NoError(t, cache.Ready(t.Context()))
		synctest.Wait()
		r.take()
		issuer.Intercept(func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", next)
			mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(strings.TrimSuffix(string(issuer.KeySet()), "]}") +
					`,{"kty":"AKP","kid":"post-quantum"}]}`))
			})
			return mux
		})
		time.Sleep(9 * time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		events, _ := r.take()
		assert.Equal(t, []string{"fetch refresh ", "skip unsupported_type "}, events)
		assert.EqualValues(t, 1, cache.Stats().Generation)
		assert.Len(t, cache.Stats().Skipped, 1)
	})
}

// A fetch that fails tells nothing about a key ID.
func TestCache_failureIsNoMiss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		issuer.Rotate("")
		issuer.Fail(http.StatusInternalServerError)
		require.ErrorIs(t, lookupCurrent(t.Context(), issuer, cache), jwks.ErrUnknownKey)
		assert.Zero(t, cache.Stats().Failures, "the scheduled fetches are not put off")
		issuer.Intercept(nil)
		time.Sleep(30 * time.Second)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
	})
}

// witness keeps what an observer and a logger are told.
type witness struct {
	mu     sync.Mutex
	events []jwks.Event
	log    bytes.Buffer
}

func (r *witness) observe(_ context.Context, e jwks.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *witness) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *witness) take() (kinds []string, log string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		kinds = append(kinds, fmt.Sprint(e.Kind, " ", e.Cause, e.Refusal, e.SkipReason, " ", e.Fault))
	}
	log = r.log.String()
	r.events = nil
	r.log.Reset()
	return kinds, log
}

func TestCache_tellsWhatHappens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r witness
		issuer, cache := example(t, func(cfg *jwks.Config) {
			cfg.Observer = r.observe
			cfg.Logger = slog.New(slog.NewTextHandler(&r, nil))
		})
		told := func(what string, events []string, lines ...string) {
			t.Helper()
			synctest.Wait()
			kinds, log := r.take()
			assert.Equal(t, events, kinds, what)
			assert.Equal(t, len(lines), strings.Count(log, "\n"), log)
			for _, line := range lines {
				assert.Contains(t, log, line, what)
			}
			assert.NotContains(t, log, "invented")
		}
		ask := func(id string) { _, _ = cache.Lookup(t.Context(), id, "ES256") }
		known := issuer.Key().ID
		assert.Equal(t, jwks.StateEmpty, cache.Stats().State)

		issuer.Fail(http.StatusBadGateway)
		ask(known)
		ask(known)
		told("down at start", []string{
			"fetch initial status", "refusal unavailable ", "refusal unavailable ",
		}, `level=ERROR msg="jwks: no usable keys: tokens cannot be verified" issuer=`+
			issuer.URL()+" before=empty fault=status err=\"jwks: "+issuer.URL()+
			"/.well-known/openid-configuration answered with status 502")
		for range 3 { // the same again is no news
			time.Sleep(2 * time.Minute)
			ask(known)
		}
		synctest.Wait()
		_, log := r.take()
		assert.Empty(t, log)

		issuer.Intercept(func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", next)
			mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
				var set map[string][]any
				assert.NoError(t, json.Unmarshal(issuer.KeySet(), &set))
				set["keys"] = append(set["keys"], map[string]any{"kty": "AKP", "kid": "post-quantum"})
				assert.NoError(t, json.NewEncoder(w).Encode(set))
			})
			return mux
		})
		time.Sleep(2 * time.Minute)
		ask(known)
		told("recovery", []string{
			"fetch initial ", "rotation  ", "skip unsupported_type ",
		}, "keys changed", `level=INFO msg="jwks: keys are current" issuer=`+
			issuer.URL()+" before=unavailable\n")
		stats := cache.Stats()
		assert.Equal(t, []string{known}, stats.KeyIDs)
		assert.Equal(t, []jwks.Skipped{{Index: 1, KeyID: "post-quantum", Reason: "unsupported_type"}},
			stats.Skipped)
		assert.Equal(t, cache.Set().Thumbprint(), stats.Thumbprint)

		for range 10 {
			ask(known)
		}
		told("served", nil)

		ask("invented 1")
		ask("invented 2")
		told("unknown key", []string{
			"fetch unknown_key ", "refusal unknown_key ", "refusal cooldown ",
		})

		issuer.Fail(http.StatusBadGateway)
		time.Sleep(9 * time.Minute)
		ask(known)
		told("fetching fails", []string{"fetch refresh status"}, "level=WARN")
		time.Sleep(2 * time.Minute)
		ask(known)
		told("stale", []string{"fetch refresh status"}, "level=WARN")
		assert.Equal(t, jwks.StateStale, cache.Stats().State)
		assert.Negative(t, cache.Stats().FreshFor)
		assert.Positive(t, cache.Stats().UsableFor)

		issuer.Intercept(nil)
		old := issuer.Key()
		issuer.Rotate("")
		issuer.Revoke(old)
		time.Sleep(2 * time.Minute)
		ask(known)
		told("rotation", []string{"fetch refresh ", "rotation  "}, "keys changed", "keys are current")
		stats = cache.Stats()
		assert.EqualValues(t, 2, stats.Generation)
		assert.Zero(t, stats.Failures)
		assert.Equal(t, map[jwks.Cause]uint64{
			jwks.CauseInitial: 5, jwks.CauseRefresh: 3, jwks.CauseUnknownKey: 1,
		}, stats.Fetches)
		assert.Equal(t, map[jwks.Fault]uint64{jwks.FaultStatus: 6}, stats.Faults)
	})
}

func TestThumbprint(t *testing.T) {
	t.Parallel()
	a, b := claimstest.MustKey("ES256"), claimstest.MustKey("EdDSA")
	parse := func(document []byte) string {
		set, err := jwks.Parse(document)
		require.NoError(t, err)
		return set.Thumbprint()
	}
	both := parse(document(a, b))
	assert.Equal(t, both, parse(document(b, a)))
	others := []string{both, parse(document(a)), parse(document(b))}
	renamed := a.JWK()
	renamed["kid"] = "other"
	document, err := json.Marshal(map[string]any{"keys": []any{renamed}})
	require.NoError(t, err)
	others = append(others, parse(document))
	slices.Sort(others)
	assert.Len(t, slices.Compact(others), 4)
}
