package jwks_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// What is wrong with an issuer stands in the log and in the error's text: the final
// slash that was forgotten above all.
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

// A set without a usable key says of each what is wrong, of ten at most.
func TestParse_reasons(t *testing.T) {
	t.Parallel()
	_, err := jwks.Parse(keySet(`{"kty":"AKP","kid":"post-quantum"}`, jwkOf("ES256", members{"use": "enc", "kid": nil})))
	assert.EqualError(t, err,
		`jwks: no usable key among 2: key 0 ("post-quantum") unsupported_type; key 1 use`)
	_, err = jwks.Parse(keySet(strings.Split(strings.Repeat(`{"kty":"oct","kid":"`+strings.Repeat("x", 100)+`"} `, 500), " ")[:500]...))
	require.ErrorContains(t, err, "no usable key among 500: ")
	assert.Equal(t, 10, strings.Count(err.Error(), "unsupported_type"))
	assert.Less(t, len(err.Error()), 1200)
	_, err = jwks.Parse([]byte(`{"keys":[]}`))
	assert.EqualError(t, err, "jwks: no usable key among 0")
}

// A service that nobody asks is idle, not failing: alerts tell the two apart.
func TestStats_idle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		require.NoError(t, cache.Ready(t.Context()))
		began := time.Now()
		for time.Since(began) < 5*time.Hour {
			want := jwks.StateFresh
			if time.Since(began) >= defaultLife {
				want = jwks.StateIdle
			}
			require.Equal(t, want, cache.Stats().State)
			time.Sleep(time.Minute)
		}
		require.NoError(t, lookup(t, cache, issuer.Key()))
		require.Equal(t, jwks.StateFresh, cache.Stats().State)

		issuer.Fail(http.StatusServiceUnavailable)
		time.Sleep(2 * defaultLife)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		require.Equal(t, jwks.StateStale, cache.Stats().State, "it was asked, and fetching fails")
		time.Sleep(2 * time.Hour)
		require.Equal(t, jwks.StateUnavailable, cache.Stats().State, "and is not known to work again")
	})
}

// Of a set with more keys than are taken, the first thousand are, and it is told.
func TestParse_manyKeys(t *testing.T) {
	t.Parallel()
	for n, skipped := range map[int][]jwks.Skipped{
		101: nil, 1000: nil,
		1001: {{Index: 1000, KeyID: "the ES256 key", Reason: "too_many"}},
		1500: {{Index: 1000, KeyID: "the ES256 key", Reason: "too_many"}},
	} {
		set, err := jwks.Parse(manyKeys(n))
		require.NoError(t, err)
		assert.Len(t, set.Keys(), min(n, 1000))
		assert.Equal(t, skipped, set.Skipped())
	}
	bad := strings.Repeat(`{},`, 5000)
	set, err := jwks.Parse([]byte(`{"keys":[` + bad + jwkOf("ES256", nil) + `]}`))
	require.NoError(t, err, "however many cannot be used")
	assert.Len(t, set.Keys(), 1)
	assert.Len(t, set.Skipped(), 1000)
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
