package claims_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

func TestIssuers_comeAndGo(t *testing.T) {
	t.Parallel()
	a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
	b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
	issuers, err := claims.NewIssuers(configOf(t, a))
	require.NoError(t, err)
	ofA, ofB := bearer(a.Mint(claimstest.Token{})), bearer(b.Mint(claimstest.Token{}))

	_, err = issuers.Authenticate(t.Context(), ofB)
	require.ErrorIs(t, err, claims.ErrInvalidToken)

	require.NoError(t, issuers.Add(configOf(t, b)))
	assert.Equal(t, []string{"https://a.example", "https://b.example"}, issuers.Trusted())
	for _, token := range []claims.Credentials{ofA, ofB} {
		_, err = issuers.Authenticate(t.Context(), token)
		require.NoError(t, err)
	}

	require.Error(t, issuers.Add(claims.Config{Issuer: "https://a.example"}))
	_, err = issuers.Authenticate(t.Context(), ofA)
	require.NoError(t, err, "a Config that is refused changes nothing")

	assert.True(t, issuers.Remove("https://a.example"))
	assert.False(t, issuers.Remove("https://a.example"))
	_, err = issuers.Authenticate(t.Context(), ofA)
	require.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason(), "at the next request")
	_, err = issuers.Authenticate(t.Context(), ofB)
	require.NoError(t, err)

	// The same issuer by another Config.
	stricter := configOf(t, b)
	stricter.Audiences = []string{"https://other.example"}
	require.NoError(t, issuers.Add(stricter))
	_, err = issuers.Authenticate(t.Context(), ofB)
	require.Equal(t, claims.ReasonAudience, claims.AsError(err).Reason())

	assert.True(t, issuers.Remove("https://b.example"))
	_, err = issuers.Authenticate(t.Context(), ofB)
	require.ErrorIs(t, err, claims.ErrInvalidToken)
	assert.Empty(t, issuers.Trusted())
	require.NoError(t, issuers.Ready(t.Context()))
}

// For the race detector: trust changes while tokens are verified.
func TestIssuers_changeUnderLoad(t *testing.T) {
	t.Parallel()
	a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
	b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
	issuers, err := claims.NewIssuers(configOf(t, a))
	require.NoError(t, err)
	ofA, ofB := bearer(a.Mint(claimstest.Token{})), bearer(b.Mint(claimstest.Token{}))
	cfg := configOf(t, b)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				_, err := issuers.Authenticate(t.Context(), ofA)
				assert.NoError(t, err)
				if _, err = issuers.Authenticate(t.Context(), ofB); err != nil {
					assert.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason())
				}
			}
		})
		wg.Go(func() {
			for range 50 {
				assert.NoError(t, issuers.Add(cfg))
				issuers.Remove(b.URL())
			}
		})
	}
	wg.Wait()
	assert.Equal(t, []string{"https://a.example"}, issuers.Trusted())
}

// A constructor's error that was ignored is found where its result is used.
func TestNewVerifier_nilKeys(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]claims.KeySource{
		"*jwks.Cache": (*jwks.Cache)(nil), "*jwks.Set": (*jwks.Set)(nil),
	} {
		_, err := claims.NewVerifier(claims.Config{
			Issuer: "https://a.example", Audiences: []string{"a"}, Keys: keys,
		})
		assert.ErrorContains(t, err, "Config.Keys is a nil "+name)
	}
}

type broken struct{}

func (broken) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	var e *claims.Error
	return nil, e
}

func TestAuthorize_nilError(t *testing.T) {
	t.Parallel()
	caller, err := authorize(
		t.Context(), broken{}, presented, claims.Authenticated())
	assert.Nil(t, caller)
	require.ErrorIs(t, err, claims.ErrInvalidToken)
	assert.Equal(t, claims.ReasonRejected, claims.AsError(err).Reason())
}

// Ready says when it is worth asking again: when the last of the issuers is.
func TestIssuers_readyRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
		b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
		issuers, err := claims.NewIssuers(configOf(t, a), configOf(t, b))
		require.NoError(t, err)
		a.Fail(http.StatusServiceUnavailable)
		var last time.Duration
		for range 4 { // the pauses grow to 8 seconds
			err = issuers.Ready(t.Context())
			require.ErrorIs(t, err, claims.ErrUnavailable)
			assert.Greater(t, claims.AsError(err).RetryAfter(), last)
			last = claims.AsError(err).RetryAfter()
			time.Sleep(last)
		}
		assert.Greater(t, last, 7*time.Second)
		a.Intercept(nil)
		time.Sleep(time.Minute)
		require.NoError(t, issuers.Ready(t.Context()))
	})
}

func TestAnyOf_refusesAuthenticated(t *testing.T) {
	t.Parallel()
	needs := claims.AnyOf(claims.Authenticated(), claims.Scopes("admin"))
	require.ErrorContains(t, needs.Validate(), "Authenticated() cannot be part of AnyOf")
	require.ErrorIs(t, needs.Check(t.Context(), &claims.Claims{}), claims.ErrForbidden)
	assert.Empty(t, needs.Scope())
	assert.NoError(t, claims.All(claims.Authenticated(), claims.Scopes("admin")).Validate())
}

// noKeys is a KeySource that breaks its word.
type noKeys struct{}

func (noKeys) Lookup(context.Context, string, string) ([]*jwks.Key, error) {
	return []*jwks.Key{nil}, nil
}

func TestVerifier_nilKey(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.Keys = noKeys{} })
	_, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
	require.Error(t, err)
	assert.Equal(t, claims.ReasonUnknownKey, claims.AsError(err).Reason())
}
