package jwks_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// userSource is a user's own Source.
type userSource func(ctx context.Context, force bool) (*jwks.Set, time.Duration, error)

func (s userSource) KeySet(ctx context.Context, force bool) (*jwks.Set, time.Duration, error) {
	return s(ctx, force)
}

func TestSources_failOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, _ := example(t, nil)
		first, err := jwks.NewRemote(jwks.RemoteConfig{Issuer: issuer.URL(), Client: issuer.Client()})
		require.NoError(t, err)
		backup := claimstest.MustKey("ES256")
		set, err := jwks.Parse(document(backup))
		require.NoError(t, err)
		var asked atomic.Int32
		cache, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{
			first,
			userSource(func(context.Context, bool) (*jwks.Set, time.Duration, error) {
				asked.Add(1)
				return set, time.Hour, nil
			}),
		}})
		require.NoError(t, err)

		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		assert.Zero(t, asked.Load(), "the first answers")

		// A blip costs nothing while its keys are fresh, and strangers' key IDs do
		// not bring the backup in.
		issuer.Fail(http.StatusInternalServerError)
		_, err = cache.Lookup(t.Context(), backup.ID, backup.Algorithm)
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		time.Sleep(9 * time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		assert.Zero(t, asked.Load())
		assert.Equal(t, jwks.StateFailing, cache.Stats().State)

		time.Sleep(2 * time.Minute)
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		assert.EqualValues(t, 1, asked.Load())
		_, err = cache.Lookup(t.Context(), backup.ID, backup.Algorithm)
		require.NoError(t, err)
		stats := cache.Stats()
		assert.Equal(t, jwks.StateFailing, stats.State, "that the first fails is seen")
		assert.Equal(t, jwks.FaultStatus, stats.LastFault)
		assert.EqualValues(t, 3, stats.Faults[jwks.FaultStatus])

		// The first is asked again soon, however long the backup is good for.
		issuer.Intercept(nil)
		requests := issuer.KeySetRequests()
		time.Sleep(54 * time.Second)
		_, err = cache.Lookup(t.Context(), backup.ID, backup.Algorithm)
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, requests+1, issuer.KeySetRequests())
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		assert.EqualValues(t, 1, asked.Load())
	})
}

func TestSources_badAnswers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		source userSource
		fault  jwks.Fault
	}{
		"error": {func(context.Context, bool) (*jwks.Set, time.Duration, error) {
			return nil, 0, errors.New("secret store sealed")
		}, jwks.FaultSource},
		"nothing": {func(context.Context, bool) (*jwks.Set, time.Duration, error) {
			return nil, 0, nil
		}, jwks.FaultSource},
		"panic": {func(context.Context, bool) (*jwks.Set, time.Duration, error) {
			panic("secret store on fire")
		}, jwks.FaultSource},
		"goes": {func(context.Context, bool) (*jwks.Set, time.Duration, error) {
			runtime.Goexit()
			return nil, 0, nil
		}, jwks.FaultSource},
		"hangs": {func(ctx context.Context, _ bool) (*jwks.Set, time.Duration, error) {
			<-ctx.Done()
			return nil, 0, ctx.Err()
		}, jwks.FaultTimeout},
		"hangs for longer than it may": {
			func(context.Context, bool) (*jwks.Set, time.Duration, error) {
				time.Sleep(time.Hour)
				return nil, 0, errors.New("too late")
			}, jwks.FaultTimeout,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cache, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{row.source}})
				require.NoError(t, err)
				began := time.Now()
				_, err = cache.Lookup(t.Context(), "a", "ES256")
				require.ErrorIs(t, err, jwks.ErrUnavailable)
				assert.LessOrEqual(t, time.Since(began), 15*time.Second)
				assert.Equal(t, row.fault, cache.Stats().LastFault)
				time.Sleep(2 * time.Hour) // for the last to return
			})
		})
	}
}

func TestSources_force(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := claimstest.MustKey("ES256")
		set, err := jwks.Parse(document(key))
		require.NoError(t, err)
		var forced []bool
		cache, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{userSource(
			func(_ context.Context, force bool) (*jwks.Set, time.Duration, error) {
				forced = append(forced, force)
				return set, 0, nil
			})}})
		require.NoError(t, err)
		_, err = cache.Lookup(t.Context(), "invented", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		assert.Equal(t, []bool{false, true}, forced)
		assert.Equal(t, 10*time.Minute, cache.Stats().FreshFor, "the default where it can not tell")
	})
}

func TestConfig_reportsEverything(t *testing.T) {
	t.Parallel()
	_, err := jwks.NewCache(jwks.Config{
		Issuer:        "https://issuer.example",
		Sources:       []jwks.Source{nil},
		Timeout:       time.Hour,
		DefaultMaxAge: time.Second,
		MaxStale:      25 * time.Hour,
		Cooldown:      time.Millisecond,
	})
	require.Error(t, err)
	for _, field := range []string{
		"Sources takes the place", "Sources[0] is nil",
		"Timeout", "DefaultMaxAge", "MaxStale", "Cooldown",
	} {
		assert.ErrorContains(t, err, "Config."+field)
	}
	_, err = jwks.NewRemote(jwks.RemoteConfig{
		URL: "https://issuer.example/jwks", MetadataURL: "https://issuer.example/metadata", Timeout: -1,
	})
	assert.ErrorContains(t, err, `RemoteConfig.MetadataURL of "https://issuer.example/…" contradicts`)
	assert.ErrorContains(t, err, "RemoteConfig.Timeout of -1ns")
	_, err = jwks.NewRemote(jwks.RemoteConfig{Issuer: "x", MetadataURL: "ftp://issuer.example"})
	assert.ErrorContains(t, err, `RemoteConfig.MetadataURL of "ftp://issuer.example" must be an https URL`)
}

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

// While the first source is down, a rotation that the backup knows of is followed
// as any other.
func TestSources_rotationOfTheBackup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys := []*claimstest.Key{claimstest.MustKey("ES256")}
		cache, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{
			userSource(func(context.Context, bool) (*jwks.Set, time.Duration, error) {
				return nil, 0, errors.New("down")
			}),
			userSource(func(context.Context, bool) (*jwks.Set, time.Duration, error) {
				set, err := jwks.Parse(document(keys...))
				return set, 24 * time.Hour, err
			}),
		}})
		require.NoError(t, err)
		require.NoError(t, lookup(t, cache, keys[0]))
		keys = append(keys, claimstest.MustKey("ES256"))
		require.NoError(t, lookup(t, cache, keys[1]))
	})
}

// A source that does not return is not asked again meanwhile: nothing piles up.
func TestSources_deaf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set, err := jwks.Parse(document(claimstest.MustKey("ES256")))
		require.NoError(t, err)
		var calls atomic.Int32
		cache, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{userSource(
			func(context.Context, bool) (*jwks.Set, time.Duration, error) {
				if calls.Add(1) == 1 {
					time.Sleep(2 * time.Hour)
				}
				return set, 0, nil
			})}})
		require.NoError(t, err)
		began := time.Now()
		for time.Since(began) < 2*time.Hour {
			require.ErrorIs(t, cache.Ready(t.Context()), jwks.ErrUnavailable)
			time.Sleep(time.Minute)
		}
		assert.EqualValues(t, 1, calls.Load())
		time.Sleep(2 * time.Minute)
		require.NoError(t, cache.Ready(t.Context()), "it has come back")
	})
}

// numberedSource is a source of somebody's own that can be compared.
type numberedSource int

func (numberedSource) KeySet(context.Context, bool) (*jwks.Set, time.Duration, error) {
	return nil, 0, nil
}

func TestCache_SameConfig(t *testing.T) {
	t.Parallel()
	client := &http.Client{}
	own := userSource(func(context.Context, bool) (*jwks.Set, time.Duration, error) {
		return nil, 0, nil
	})
	remote := func() jwks.Source {
		r, err := jwks.NewRemote(jwks.RemoteConfig{Issuer: "https://issuer.example", Client: client})
		require.NoError(t, err)
		return r
	}
	base := jwks.Config{Issuer: "https://issuer.example", Client: client}
	for name, row := range map[string]struct {
		a, b jwks.Config
		same bool
	}{
		"the same": {base, base, true},
		"defaults written out": {base, jwks.Config{
			Issuer: base.Issuer, Client: client, Timeout: 5 * time.Second,
			DefaultMaxAge: 10 * time.Minute, MaxStale: time.Hour, Cooldown: 30 * time.Second,
		}, true},
		"observers": {base, jwks.Config{
			Issuer: base.Issuer, Client: client, Observer: func(context.Context, jwks.Event) {},
		}, true},
		"issuer": {base, jwks.Config{Issuer: "https://other.example", Client: client}, false},
		"client": {base, jwks.Config{Issuer: base.Issuer, Client: &http.Client{Timeout: 1}}, false},
		"URL":    {base, jwks.Config{URL: "https://issuer.example/jwks", Client: client}, false},
		"stale":  {base, jwks.Config{Issuer: base.Issuer, Client: client, MaxStale: -1}, false},
		"cooldown": {base, jwks.Config{
			Issuer: base.Issuer, Client: client, Cooldown: time.Minute,
		}, false},
		"files": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a"), remote()}},
			jwks.Config{Sources: []jwks.Source{jwks.File("/a"), remote()}}, true,
		},
		"other files": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}},
			jwks.Config{Sources: []jwks.Source{jwks.File("/b")}}, false,
		},
		"timeout": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}},
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}, Timeout: time.Second}, false,
		},
		"age": {base, jwks.Config{
			Issuer: base.Issuer, Client: client, DefaultMaxAge: time.Minute,
		}, false},
		"file and remote": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}},
			jwks.Config{Sources: []jwks.Source{remote()}}, false,
		},
		"one more": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}},
			jwks.Config{Sources: []jwks.Source{jwks.File("/a"), remote()}}, false,
		},
		"equal ones of one's own": {
			jwks.Config{Sources: []jwks.Source{numberedSource(1)}},
			jwks.Config{Sources: []jwks.Source{numberedSource(1)}}, true,
		},
		"unequal ones": {
			jwks.Config{Sources: []jwks.Source{numberedSource(1)}},
			jwks.Config{Sources: []jwks.Source{numberedSource(2)}}, false,
		},
		"function and one of one's own": {
			jwks.Config{Sources: []jwks.Source{own}},
			jwks.Config{Sources: []jwks.Source{numberedSource(1)}}, false,
		},
		"functions, which can not be compared": {
			jwks.Config{Sources: []jwks.Source{own}}, jwks.Config{Sources: []jwks.Source{own}}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newCache(t, row.a), newCache(t, row.b)
			assert.Equal(t, row.same, a.SameConfig(b))
			assert.Equal(t, row.same, b.SameConfig(a))
		})
	}
}
