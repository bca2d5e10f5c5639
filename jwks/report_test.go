package jwks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

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

// What is wrong with an issuer stands in the log and in the error's text: the
// final slash that was forgotten above all.
func TestCache_tellsWhatIsWrong(t *testing.T) {
	for name, row := range map[string]struct {
		metadata string
		says     string
		fault    jwks.Fault
	}{
		"final slash": {
			`{"issuer":"https://issuer.example/","jwks_uri":"https://issuer.example/jwks"}`,
			`speaks for issuer "https://issuer.example/", not "https://issuer.example"`, jwks.FaultMetadata,
		},
		"no keys": {
			`{"issuer":"https://issuer.example"}`, `has no jwks_uri`, jwks.FaultMetadata,
		},
		"keys elsewhere": {
			`{"issuer":"https://issuer.example","jwks_uri":"http://issuer.example/jwks?secret"}`,
			`has a jwks_uri of "http://issuer.example/…" that must be https`, jwks.FaultMetadata,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var r witness
				mux := http.NewServeMux() // 404 for the rest
				mux.HandleFunc(oidcPath, func(w http.ResponseWriter, _ *http.Request) {
					_, _ = w.Write([]byte(row.metadata))
				})
				cache := newCache(t, jwks.Config{
					Issuer: issuerURL, Client: &http.Client{Transport: everywhere{mux}},
					Logger: slog.New(slog.NewJSONHandler(&r, nil)),
				})
				err := requireUnavailable(t, cache.Ready(t.Context()))
				synctest.Wait()
				_, log := r.take()
				log = strings.ReplaceAll(log, `\"`, `"`)
				for _, text := range []string{err.Error(), log} {
					assert.Contains(t, text, row.says)
					assert.Contains(t, text, issuerURL)
					assert.NotContains(t, text, "secret")
				}
				assert.Equal(t, row.fault, cache.Stats().LastFault, "whatever other places answer")
			})
		})
	}
}

// When it is another thing that is wrong, it is told as well.
func TestCache_tellsOfAnotherFault(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var r witness
		issuer, cache := example(t, func(cfg *jwks.Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(&r, nil))
		})
		for _, row := range []struct {
			status int
			says   string
		}{{503, "status 503"}, {503, ""}, {0, "not answered in time"}, {0, ""}} {
			if row.status != 0 {
				issuer.Fail(row.status)
			} else {
				stall(issuer)
			}
			_ = cache.Ready(t.Context())
			time.Sleep(10 * time.Second)
			_, log := r.take()
			if row.says == "" {
				assert.Empty(t, log)
				continue
			}
			assert.Equal(t, 1, strings.Count(log, "\n"), log)
		}
	})
}

// A transport of the user's may put the URL in its errors.
func TestCache_tellsNoQuery(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var r witness
		cache := newCache(t, jwks.Config{
			URL: issuerURL + "/jwks?api_key=secret", Logger: slog.New(slog.NewTextHandler(&r, nil)),
			Client: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				return nil, fmt.Errorf("cannot reach %s: %w", r.URL, errors.ErrUnsupported)
			})},
		})
		err := cache.Ready(t.Context())
		require.ErrorIs(t, err, errors.ErrUnsupported)
		assert.ErrorContains(t, err, "cannot reach https://issuer.example/jwks?…")
		synctest.Wait()
		_, log := r.take()
		assert.Contains(t, log, "cannot reach")
		assert.NotContains(t, err.Error()+log, "secret")
	})
}

func TestCache_tellsOfTooManyKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var r witness
		set, err := jwks.Parse(manyKeys(1200))
		require.NoError(t, err)
		cache := newCache(t, jwks.Config{
			Sources: []jwks.Source{set}, Observer: r.observe, Logger: slog.New(slog.NewTextHandler(&r, nil)),
		})
		require.NoError(t, cache.Ready(t.Context()))
		synctest.Wait()
		kinds, log := r.take()
		assert.Contains(t, kinds, "skip too_many ")
		assert.Contains(t, log, "more keys than are taken")
	})
}

// A rotation tells what came and what went, and nothing that stayed.
func TestRotation_tellsTheDifference(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var rotations []jwks.Event
		issuer := newIssuer(t, issuerURL)
		cache := newCache(t, jwks.Config{URL: issuer.JWKSURL(), Client: issuer.Client(), Observer: func(_ context.Context, e jwks.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == jwks.EventRotation {
				rotations = append(rotations, e)
			}
		}})
		told := func() jwks.Event {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			require.Len(t, rotations, 1)
			e := rotations[0]
			rotations = nil
			return e
		}
		first := issuer.Key()
		require.NoError(t, lookup(t, cache, first))
		e := told()
		assert.Equal(t, []string{first.ID}, e.Added)
		assert.Empty(t, e.Removed)
		second := issuer.Rotate("ES256")
		require.NoError(t, lookup(t, cache, second))
		e = told()
		assert.Equal(t, []string{second.ID}, e.Added)
		assert.Empty(t, e.Removed)
		issuer.Revoke(first)
		time.Sleep(cooldown)
		third := issuer.Rotate("ES256")
		require.NoError(t, lookup(t, cache, third))
		e = told()
		assert.Equal(t, []string{third.ID}, e.Added)
		assert.Equal(t, []string{first.ID}, e.Removed)
	})
}

// The first keys are news once, and skipped keys are told of with each
// rotation.
func TestCache_tellsOfFirstKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var r witness
		issuer, cache := example(t, func(cfg *jwks.Config) {
			cfg.Observer = r.observe
			cfg.Logger = slog.New(slog.NewTextHandler(&r, nil))
		})
		issuer.Intercept(func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", next)
			mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
				document := strings.TrimSuffix(strings.TrimSpace(string(issuer.KeySet())), "]}")
				_, _ = io.WriteString(w, document+`,{"kty":"AKP","kid":"post-quantum"}]}`)
			})
			return mux
		})
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		kinds, log := r.take()
		assert.Equal(t, []string{"fetch initial ", "rotation  ", "skip unsupported_type "}, kinds)
		assert.Equal(t, 1, strings.Count(log, "\n"), log)
		issuer.Rotate("ES256")
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		kinds, _ = r.take()
		assert.Equal(t, []string{"fetch unknown_key ", "rotation  ", "skip unsupported_type "}, kinds)
	})
}
