package jwks_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
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

// inBubble runs a test on a clock of its own, in parallel with others. It
// panics if a goroutine is left a minute after the test.
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

// requireBackoff asserts that the pause is the documented one after n+1
// failures in a row, while keys are held or not.
func requireBackoff(t *testing.T, n int, pause time.Duration, held bool) {
	t.Helper()
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60}[min(n, 6)] * time.Second
	if !held {
		want = min(want, 8*time.Second)
	}
	require.GreaterOrEqual(t, pause, want*9/10, "failure %d", n)
	require.LessOrEqual(t, pause, want*11/10, "failure %d", n)
}

// everywhere is an [http.RoundTripper] that takes every request, of whatever
// host and scheme, to one handler.
type everywhere struct{ handler http.Handler }

func (e everywhere) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	e.handler.ServeHTTP(recorder, r)
	response := recorder.Result()
	response.Request = r
	return response, r.Context().Err()
}

// transport is an [http.RoundTripper].
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// serve makes a transport that calls a handler.
func serve(f http.HandlerFunc) transport { return everywhere{f}.RoundTrip }

// example returns an issuer that is reached directly, and a cache of its keys.
func example(t testing.TB, change func(*jwks.Config)) (*claimstest.Issuer, *jwks.Cache) {
	t.Helper()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	cfg := jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()}
	if change != nil {
		change(&cfg)
	}
	cache, err := jwks.NewCache(cfg)
	require.NoError(t, err)
	return issuer, cache
}

// lookupCurrent looks the issuer's present key up.
func lookupCurrent(ctx context.Context, issuer *claimstest.Issuer, cache *jwks.Cache) error {
	_, err := cache.Lookup(ctx, issuer.Key().ID, issuer.Key().Algorithm)
	return err
}

// TestMain keeps quiet: the caches of the tests have much to tell.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// hangs has the issuer never answer at some paths.
func hangs(issuer *claimstest.Issuer, paths ...string) {
	intercept(issuer, func(_ http.ResponseWriter, r *http.Request) {
		for _, path := range paths {
			if r.URL.Path == path {
				<-r.Context().Done()
			}
		}
	})
}

const (
	oidcPath  = "/.well-known/openid-configuration"
	oauthPath = "/.well-known/oauth-authorization-server"
)

// userSource is a user's own Source.
type userSource func(ctx context.Context, force bool) (*jwks.Set, time.Duration, error)

func (s userSource) KeySet(ctx context.Context, force bool) (*jwks.Set, time.Duration, error) {
	return s(ctx, force)
}
