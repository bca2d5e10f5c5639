package claims_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// keysFunc is a source of keys.
type keysFunc func(context.Context) (*jwks.Set, error)

func (f keysFunc) KeySet(ctx context.Context, _ bool) (*jwks.Set, time.Duration, error) {
	set, err := f(ctx)
	return set, 10 * time.Minute, err
}

// grantsFunc is a PermissionSource.
type grantsFunc func(claims.Principal) (claims.Grants, error)

func (f grantsFunc) Permissions(_ context.Context, who claims.Principal) (claims.Grants, error) {
	return f(who)
}

// feed is news whose last was heard at a time.
type feed struct {
	heard atomic.Pointer[time.Time]
}

func (f *feed) Latest() *claims.News         { return nil }
func (f *feed) Revoked(*claims.Claims) error { return nil }
func (f *feed) Subscribe(func()) func()      { return func() {} }

func (f *feed) Heard() time.Time {
	if at := f.heard.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

func (f *feed) hear() {
	now := time.Now()
	f.heard.Store(&now)
}

// What must not act on old news does not, in an outage of each of its sources;
// what does not say so goes on, and it acts again once there is news.
func TestFreshWithin(t *testing.T) {
	t.Parallel()
	const most = 5 * time.Second
	for _, out := range []string{"feed", "keys", "grants"} {
		t.Run(out, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
				require.NoError(t, err)
				var down atomic.Bool
				var asked atomic.Int32
				keys, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{keysFunc(
					func(context.Context) (*jwks.Set, error) {
						asked.Add(1)
						if out == "keys" && down.Load() {
							return nil, errors.New("down")
						}
						return jwks.Parse(issuer.KeySet())
					})}})
				require.NoError(t, err)
				verifier, err := claims.NewVerifier(claims.Config{
					Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
				})
				require.NoError(t, err)
				cache, err := claims.NewPermissionCache(grantsFunc(func(claims.Principal) (claims.Grants, error) {
					if out == "grants" && down.Load() {
						return claims.Grants{}, errors.New("down")
					}
					return claims.Grants{Permissions: []string{"refund"}}, nil
				}), claims.PermissionCacheConfig{TTL: time.Minute})
				require.NoError(t, err)
				news := &feed{}
				news.hear()
				guard, err := claims.NewGuard(verifier, claims.GuardConfig{Permissions: cache, Revocations: news})
				require.NoError(t, err)
				token := claims.Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{Subject: "alice"})}
				ask := func(needs claims.Requirement) error {
					op := claims.Operation{Protocol: "HTTP", Name: "POST /refunds", Requirement: needs}
					require.NoError(t, guard.Validate(op, (*http.Request)(nil)))
					_, err := guard.Authorize(t.Context(), op, token, nil)
					return err
				}
				reads := claims.Permissions("refund")
				refunds := claims.All(claims.FreshWithin(most), claims.Permissions("refund"))
				for range 3 {
					assert.NoError(t, ask(reads))
					assert.NoError(t, ask(claims.EndsWithToken(refunds)))
					time.Sleep(2 * most)
					news.hear()
				}
				assert.LessOrEqual(t, asked.Load(), int32(5), "as often as news is needed")
				down.Store(true)
				for range 3 {
					time.Sleep(most + time.Second)
					if out != "feed" {
						news.hear()
					}
					assert.NoError(t, ask(reads), "others go on")
					for _, needs := range []claims.Requirement{refunds, claims.EndsWithToken(refunds)} {
						err := ask(needs)
						if assert.ErrorIs(t, err, claims.ErrUnavailable) && out != "grants" {
							assert.Equal(t, claims.ReasonStale, claims.AsError(err).Reason())
						}
					}
				}
				down.Store(false)
				time.Sleep(2 * time.Second)
				news.hear()
				assert.NoError(t, ask(refunds))
			})
		})
	}
}

// A feed that was never heard is too old; where there is none, nothing is.
func TestFreshWithin_feed(t *testing.T) {
	t.Parallel()
	alice := says(t, m{"sub": "alice"})
	op := claims.Operation{Name: "x", Requirement: claims.FreshWithin(time.Hour)}
	for _, tt := range []struct {
		news claims.Revocations
		ok   bool
	}{{nil, true}, {&feed{}, false}} {
		guard, err := claims.NewGuard(byToken{"a": alice}, claims.GuardConfig{Revocations: tt.news})
		require.NoError(t, err)
		_, err = guard.Authorize(t.Context(), op, claims.Credentials{Scheme: "Bearer", Token: "a"}, nil)
		assert.Equal(t, tt.ok, err == nil, "%v", err)
	}
}

// A key that was withdrawn is noticed by the fetch that FreshWithin causes.
func TestFreshWithin_withdrawnKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
		require.NoError(t, err)
		other, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
		require.NoError(t, err)
		var withdrawn atomic.Bool
		keys, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{keysFunc(
			func(context.Context) (*jwks.Set, error) {
				if withdrawn.Load() {
					return jwks.Parse(other.KeySet())
				}
				return jwks.Parse(issuer.KeySet())
			})}})
		require.NoError(t, err)
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
		})
		require.NoError(t, err)
		guard, err := claims.NewGuard(verifier, claims.GuardConfig{})
		require.NoError(t, err)
		op := claims.Operation{Name: "x", Requirement: claims.FreshWithin(time.Second)}
		token := claims.Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{Subject: "alice"})}
		_, err = guard.Authorize(t.Context(), op, token, nil)
		require.NoError(t, err)
		withdrawn.Store(true)
		time.Sleep(2 * time.Second)
		_, err = guard.Authorize(t.Context(), op, token, nil)
		assert.ErrorIs(t, err, claims.ErrInvalidToken)
	})
}

func TestFreshWithin_Validate(t *testing.T) {
	t.Parallel()
	assert.NoError(t, claims.FreshWithin(time.Second).Validate())
	assert.ErrorContains(t, claims.FreshWithin(time.Second-1).Validate(), "less than a second")
	assert.Equal(t, `All(Scopes("w"), FreshWithin(5s))`,
		claims.All(claims.Scopes("w"), claims.FreshWithin(5*time.Second)).String())
	assert.True(t, claims.FreshWithin(time.Minute).Equal(claims.FreshWithin(60*time.Second)))
	assert.False(t, claims.FreshWithin(time.Minute).Equal(claims.FreshWithin(time.Second)))
}
