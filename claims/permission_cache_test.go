package claims_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// An answer is valid for its TTL from when it was asked, and the next is asked
// for in the last quarter of it, for which nobody waits.
func TestPermissionCache_ttl(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p"), took: 4 * time.Second}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{TTL: 40 * time.Second})
		alice := holderOf(t, cache, m{"sub": "alice"})
		assert.Equal(t, allowed, alice.may()) // at 4 s
		assert.Equal(t, 1, by.calls())
		assert.Equal(t, allowed, alice.after(26*time.Second-ns))
		assert.Equal(t, 1, by.calls(), "fresh")
		by.set(claims.Grants{}, nil)
		start := time.Now()
		assert.Equal(t, allowed, alice.after(ns)) // at 30 s
		assert.Equal(t, 2, by.calls(), "ahead")
		assert.Equal(t, allowed, alice.after(4*time.Second-2*ns))
		assert.Equal(t, 4*time.Second-ns, time.Since(start), "nobody waits")
		assert.Equal(t, 2, by.calls())
		assert.Equal(t, refused, alice.after(3*ns), "the next answer")
		assert.Equal(t, refused, alice.after(25*time.Second))
		assert.Equal(t, 2, by.calls())
		// Nobody asks for a while: the answer has expired.
		by.set(everywhere("p"), nil)
		start = time.Now()
		assert.Equal(t, allowed, alice.after(time.Minute))
		assert.Equal(t, time.Minute+4*time.Second, time.Since(start), "this one waits")
		assert.Equal(t, 3, by.calls())
	})
}

// The next answer is not put off by who looks at the one before.
func TestPermissionCache_aheadWhoeverAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p")}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{TTL: 40 * time.Second})
		for range 30 {
			_, err := cache.Permissions(t.Context(), claims.Principal{Subject: "alice"})
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		assert.Equal(t, 1, by.calls())
		_, err := cache.Permissions(t.Context(), claims.Principal{Subject: "alice"})
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, 2, by.calls())
	})
}

// nobody is a source that is no pointer.
type nobody struct{}

func (nobody) Permissions(context.Context, claims.Principal) (claims.Grants, error) {
	return claims.Grants{}, nil
}

// What is taken away is gone after the TTL, or after a call of the source where
// that takes longer.
func TestPermissionCache_revoked(t *testing.T) {
	t.Parallel()
	for _, took := range []time.Duration{0, time.Second, 4 * time.Second} {
		for _, ttl := range []time.Duration{time.Second / 2, 3 * time.Second, 30 * time.Second} {
			t.Run(fmt.Sprint(took, " ", ttl), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					by := &counted{grants: everywhere("p"), took: took}
					alice := holderOf(t, cacheOf(t, by, claims.PermissionCacheConfig{TTL: ttl}), m{"sub": "alice"})
					revoked := time.Now().Add(20*time.Second + ttl/3)
					time.AfterFunc(time.Until(revoked), func() { by.set(claims.Grants{}, nil) })
					seen := map[truth]int{}
					for time.Since(revoked) < 40*time.Second {
						outcome := alice.after(100 * time.Millisecond)
						if seen[outcome]++; outcome == allowed {
							assert.LessOrEqual(t, time.Since(revoked), max(ttl, took))
						} else {
							assert.Positive(t, time.Since(revoked))
						}
					}
					assert.Equal(t, refused, alice.may())
					assert.Greater(t, seen[allowed], 3)
					assert.Zero(t, seen[undecided])
					time.Sleep(took) // one may be under way
				})
			})
		}
	}
}

// While the source fails, an answer that is valid stays so; after it callers
// are told that it cannot be decided, and the source is asked once a second.
func TestPermissionCache_outage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{grants: everywhere("p")}
		alice := holderOf(t, cacheOf(t, by, claims.PermissionCacheConfig{TTL: 40 * time.Second}), m{"sub": "alice"})
		assert.Equal(t, allowed, alice.may())
		by.set(claims.Grants{}, errDown)
		assert.Equal(t, allowed, alice.after(30*time.Second))
		assert.Equal(t, 2, by.calls())
		assert.Equal(t, allowed, alice.after(time.Second-ns))
		assert.Equal(t, 2, by.calls(), "within a second")
		for range 9 {
			assert.Equal(t, allowed, alice.after(time.Second))
		}
		assert.Equal(t, 11, by.calls()) // the answer ends in a nanosecond
		assert.Equal(t, undecided, alice.after(ns))
		calls := by.calls()
		for range 9 {
			assert.Equal(t, undecided, alice.after(time.Second/10))
		}
		assert.LessOrEqual(t, by.calls(), calls+1, "once a second")
		by.set(everywhere("p"), nil)
		calls = by.calls()
		outcome := alice.after(time.Second)
		assert.Equal(t, allowed, outcome, "then it is asked again")
		assert.Equal(t, calls+1, by.calls())
		by.set(claims.Grants{}, errDown)
		assert.Equal(t, allowed, alice.after(39*time.Second), "a new answer counts as long as any")
		assert.Equal(t, undecided, alice.after(time.Second))
	})
}

func TestPermissionCache_failureIsKeptForASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{err: errDown}
		cache := cacheOf(t, by, claims.PermissionCacheConfig{})
		alice, bob := holderOf(t, cache, m{"sub": "alice"}), holderOf(t, cache, m{"sub": "bob"})
		assert.Equal(t, undecided, alice.may())
		by.set(everywhere("p"), nil)
		assert.Equal(t, undecided, alice.after(time.Second-ns))
		assert.Equal(t, 1, by.calls())
		assert.Equal(t, allowed, bob.may(), "of one principal, no other")
		assert.Equal(t, allowed, alice.after(ns))
		assert.Equal(t, 3, by.calls())
	})
}

func TestPermissionCache_Forget(t *testing.T) {
	t.Parallel()
	people := map[string]m{
		"alice":          {"iss": "a", "sub": "alice", "client_id": "shop"},
		"alice's tablet": {"iss": "a", "sub": "alice", "client_id": "tablet"},
		"bob":            {"iss": "a", "sub": "bob", "client_id": "shop"},
		"alice of b":     {"iss": "b", "sub": "alice", "client_id": "shop"},
		"shop":           {"iss": "a", "sub": "shop", "client_id": "shop"},
	}
	for _, tt := range []struct {
		name   string
		forget claims.Principal
		gone   []string
	}{
		{name: "exactly", forget: claims.Principal{Issuer: "a", Subject: "alice", ClientID: "shop"}, gone: []string{"alice"}},
		{name: "a subject of an issuer", forget: claims.Principal{Issuer: "a", Subject: "alice"}, gone: []string{"alice", "alice's tablet"}},
		{name: "a subject", forget: claims.Principal{Subject: "alice"}, gone: []string{"alice", "alice's tablet", "alice of b"}},
		{name: "an issuer", forget: claims.Principal{Issuer: "b"}, gone: []string{"alice of b"}},
		{name: "a client", forget: claims.Principal{ClientID: "shop"}, gone: []string{"alice", "bob", "alice of b", "shop"}},
		{name: "all", gone: []string{"alice", "alice's tablet", "bob", "alice of b", "shop"}},
		{name: "nobody", forget: claims.Principal{Subject: "carol"}},
		{name: "another case", forget: claims.Principal{Subject: "Alice"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			by := &counted{grants: everywhere("p")}
			cache := cacheOf(t, by, claims.PermissionCacheConfig{})
			holders := map[string]holder{}
			requests := map[string]context.Context{}
			for name, members := range people {
				holders[name] = holderOf(t, cache, members)
				require.Equal(t, allowed, holders[name].may())
				ctx, err := ask(t.Context(), holders[name].guard, claims.Permissions("p"), nil)
				require.NoError(t, err)
				requests[name] = ctx
			}
			require.Equal(t, len(people), cache.Len())
			by.set(claims.Grants{}, nil)
			cache.Forget(tt.forget)
			assert.Equal(t, len(people)-len(tt.gone), cache.Len())
			for name, holder := range holders {
				want := allowed
				for _, gone := range tt.gone {
					if gone == name {
						want = refused
					}
				}
				assert.Equal(t, want, holder.may(), name)
				assert.Equal(t, want, truthOf(claims.Allowed(requests[name], claims.Permissions("p"))), "%s, in a request that has begun", name)
			}
			assert.Equal(t, len(people)+len(tt.gone), by.calls())
		})
	}
}

func TestNewPermissionCache_mistakes(t *testing.T) {
	t.Parallel()
	var none *claims.PermissionCache
	cache, err := claims.NewPermissionCache(nil, claims.PermissionCacheConfig{TTL: -1, Max: -1, Timeout: -1})
	assert.Nil(t, cache)
	for _, part := range []string{"needs a PermissionSource", "TTL", "Max", "Timeout"} {
		assert.ErrorContains(t, err, part)
	}
	_, err = claims.NewPermissionCache(none, claims.PermissionCacheConfig{TTL: time.Hour + 1, Max: 10_000_001, Timeout: time.Minute + 1})
	for _, part := range []string{"needs a PermissionSource", "TTL", "Max", "Timeout"} {
		assert.ErrorContains(t, err, part)
	}
	cacheOf(t, nobody{}, claims.PermissionCacheConfig{})
	cacheOf(t, &counted{}, claims.PermissionCacheConfig{TTL: time.Hour, Max: 10_000_000, Timeout: time.Minute})
	_, err = claims.NewGuard(nil, claims.GuardConfig{Permissions: none})
	assert.ErrorContains(t, err, "auth is nil")
	assert.ErrorContains(t, err, "Config.Permissions")
}

// A failure is an error to whoever asks the cache itself, too: no Grants are
// not the same as none that are known.
func TestPermissionCache_Permissions(t *testing.T) {
	t.Parallel()
	who := claims.Principal{Subject: "alice"}
	grants, err := cacheOf(t, &counted{err: errDown}, claims.PermissionCacheConfig{}).Permissions(t.Context(), who)
	assertRefusal(t, claims.ErrUnavailable, err)
	assert.ErrorIs(t, err, errDown)
	assert.Equal(t, claims.Grants{}, grants)
	grants, err = cacheOf(t, granting(everywhere("b", "a")), claims.PermissionCacheConfig{}).Permissions(t.Context(), who)
	require.NoError(t, err)
	assert.Equal(t, everywhere("a", "b"), grants)
}

func TestPermissionCache_zero(t *testing.T) {
	t.Parallel()
	for name, cache := range map[string]*claims.PermissionCache{"zero": {}, "nil": nil} {
		_, err := cache.Permissions(t.Context(), claims.Principal{Subject: "alice"})
		assertRefusal(t, claims.ErrUnavailable, err, name)
		cache.Forget(claims.Principal{})
		assert.Zero(t, cache.Len())
	}
}
