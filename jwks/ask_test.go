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

		// A blip costs nothing while its keys are fresh, and strangers' key IDs
		// do not bring the backup in.
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
		assert.Equal(t, 10*time.Minute, cache.Stats().FreshFor, "the default where it cannot tell")
	})
}

// While the first source is down, a rotation that the backup knows of is
// followed as any other.
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
