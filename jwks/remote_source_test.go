package jwks_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

func TestRemote_metadataURL(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		issuer string
		ok     bool
	}{
		"the issuer that it names": {"https://issuer.example/{tenantid}/v2.0", true},
		"another":                  {"https://issuer.example/common/v2.0", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
			require.NoError(t, err)
			issuer.Intercept(func(next http.Handler) http.Handler {
				mux := http.NewServeMux()
				mux.Handle("/", next)
				mux.HandleFunc("/somewhere", func(w http.ResponseWriter, _ *http.Request) {
					_, _ = w.Write([]byte(`{"issuer":"https://issuer.example/{tenantid}/v2.0",` +
						`"jwks_uri":"https://issuer.example/jwks"}`))
				})
				return mux
			})
			cache, err := jwks.NewCache(jwks.Config{
				Issuer:      row.issuer,
				MetadataURL: "https://issuer.example/somewhere",
				Client:      issuer.Client(),
			})
			require.NoError(t, err)
			err = lookupCurrent(t.Context(), issuer, cache)
			assert.Equal(t, row.ok, err == nil)
			if !row.ok {
				assert.Equal(t, jwks.FaultMetadata, cache.Stats().LastFault)
			}
		})
	}
}

// The keys move: the old place goes on answering, or fails.
func TestRemote_keysMove(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]bool{"old place stays": false, "old place gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuer, cache := example(t, nil)
				require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
				old := issuer.KeySet()
				issuer.Rotate("")
				issuer.Intercept(func(next http.Handler) http.Handler {
					mux := http.NewServeMux()
					mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
						if gone {
							w.WriteHeader(http.StatusGone)
						}
						_, _ = w.Write(old)
					})
					mux.HandleFunc("/moved", func(w http.ResponseWriter, _ *http.Request) {
						_, _ = w.Write(issuer.KeySet())
					})
					mux.HandleFunc("/.well-known/openid-configuration",
						func(w http.ResponseWriter, _ *http.Request) {
							_, _ = w.Write([]byte(`{"issuer":"https://issuer.example",` +
								`"jwks_uri":"https://issuer.example/moved"}`))
						})
					return mux
				})
				if gone { // seen by the scheduled fetch, without an unknown key
					time.Sleep(9 * time.Minute)
					_, err := cache.Lookup(t.Context(), cache.Set().Keys()[0].ID(), "ES256")
					require.NoError(t, err)
					synctest.Wait()
					assert.Equal(t, 1, issuer.Requests("/moved"))
				}
				require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
			})
		})
	}
}

func TestFault_namesNoQuery(t *testing.T) {
	t.Parallel()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	for _, status := range []int{0, 404} {
		if status != 0 {
			issuer.Fail(status)
		} else {
			issuer.Intercept(func(http.Handler) http.Handler {
				return http.RedirectHandler("/jwks", http.StatusFound)
			})
		}
		cache, err := jwks.NewCache(jwks.Config{
			URL: "https://issuer.example/jwks?key=secret-in-query", Client: issuer.Client(),
		})
		require.NoError(t, err)
		err = cache.Ready(t.Context())
		require.ErrorIs(t, err, jwks.ErrUnavailable)
		assert.NotContains(t, err.Error(), "secret-in-query")
	}
}

// What one place said of its keys' version does not count at another.
func TestRemote_etagOfAnotherPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, cache := example(t, nil)
		issuer.Intercept(answering(http.Header{"Etag": {`"1"`}}))
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		keys := issuer.KeySet()
		asked := 0
		issuer.Intercept(func(http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
				asked++
				assert.Empty(t, r.Header.Get("If-None-Match"))
				_, _ = w.Write(keys)
			})
			mux.HandleFunc("/.well-known/openid-configuration",
				func(w http.ResponseWriter, _ *http.Request) {
					_, _ = w.Write([]byte(`{"issuer":"https://issuer.example",` +
						`"jwks_uri":"https://issuer.example/moved"}`))
				})
			return mux
		})
		time.Sleep(9 * time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		assert.Equal(t, 1, asked)
		assert.Equal(t, jwks.StateFresh, cache.Stats().State)
	})
}

// A request takes as long as it may, and no longer.
func TestRemote_Timeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		for timeout, want := range map[time.Duration]time.Duration{0: 5 * time.Second, 2 * time.Second: 2 * time.Second} {
			cache := newCache(t, jwks.Config{URL: issuer.JWKSURL(), Client: issuer.Client(), Timeout: timeout})
			stall(issuer)
			start := time.Now()
			requireUnavailable(t, lookup(t, cache, issuer.Key()))
			assert.Equal(t, want, time.Since(start))
		}
	})
}

// Without an entity tag there is nothing to compare with.
func TestRemote_noETag(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		var mu sync.Mutex
		var conditional []bool
		document := issuer.KeySet()
		issuer.Intercept(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				_, asked := r.Header["If-None-Match"]
				conditional = append(conditional, asked)
				_, _ = w.Write(document)
			})
		})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		time.Sleep(defaultLife)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, []bool{false, false}, conditional)
	})
}
