package claims_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// A source is asked if, and only if, what the token says does not decide.
func TestPermissionSource_askedOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	p, s := claims.Permissions, claims.Scopes
	for _, tt := range []struct {
		name  string
		needs claims.Requirement
		calls int
		holds bool
	}{
		{name: "nothing needed", holds: true},
		{name: "a scope", needs: s("s"), holds: true},
		{name: "by the token", needs: p("token"), holds: true},
		{name: "by the source", needs: p("source"), calls: 1, holds: true},
		{name: "by both", needs: p("token", "source"), calls: 1, holds: true},
		{name: "several by the source", needs: claims.All(p("source"), p("source2"), p("source")), calls: 1, holds: true},
		{name: "by neither", needs: p("none"), calls: 1},
		{name: "a scope that is lacking first", needs: claims.All(p("source"), s("none"))},
		{name: "a scope that does", needs: claims.AnyOf(p("source"), s("s")), holds: true},
		{name: "an acr that is lacking", needs: claims.All(claims.InWorkspace("w", p("source")), claims.ACR("gold"))},
		{name: "one of the token's, first", needs: claims.AnyPermission("token", "source"), holds: true},
		{name: "one of the token's, last", needs: claims.AnyPermission("source", "token"), holds: true},
		{name: "an alternative of the token's", needs: claims.AnyOf(p("source"), p("token")), holds: true},
		{name: "in a workspace", needs: claims.InWorkspace("w", p("token")), calls: 1},
		{name: "only reported", needs: claims.ReportOnly(p("source")), holds: true},
		{name: "wrong", needs: claims.All(p("source"), p(""))},
	} {
		for name, cached := range map[string]bool{"/source": false, "/cache": true} {
			t.Run(tt.name+name, func(t *testing.T) {
				t.Parallel()
				asked := &counted{grants: everywhere("source", "source2")}
				var by claims.PermissionSource = asked
				if cached {
					by = cacheOf(t, asked, claims.PermissionCacheConfig{})
				}
				caller := permitted(t, m{"sub": "alice", "scope": "s", "permissions": []string{"token"}})
				_, err := ask(t.Context(), guardOf(t, caller, claims.GuardConfig{Permissions: by}), tt.needs, nil)
				assert.Equal(t, tt.holds, err == nil, "%v", err)
				assert.Equal(t, tt.calls, asked.calls())
			})
		}
	}
}

// Parts of one request ask once, side by side or one after the other.
func TestPermissionSource_oncePerRequest(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind func(claims.PermissionSource) claims.PermissionSource) {
		by := &held{make(chan claims.Principal, 99), make(chan claims.Grants, 99)}
		caller := permitted(t, m{"sub": "alice", "client_id": "shop"})
		ctx, err := ask(t.Context(), guardOf(t, caller, claims.GuardConfig{Permissions: kind(by)}), claims.Authenticated(), nil)
		require.NoError(t, err)
		var parts sync.WaitGroup
		for range 50 {
			parts.Go(func() {
				assert.NoError(t, claims.Allowed(ctx, claims.Permissions("p")))
				assertRefusal(t, claims.ErrForbidden, claims.Allowed(ctx, claims.Permissions("q")))
				assertRefusal(t, claims.ErrForbidden, claims.InWorkspace("w", claims.Permissions("q")).Check(ctx, caller))
			})
		}
		assert.Equal(t, claims.Principal{Issuer: "https://issuer.example", Subject: "alice", ClientID: "shop"}, <-by.asked)
		for range 100 {
			runtime.Gosched()
		}
		by.answer <- everywhere("p")
		parts.Wait()
		assert.Empty(t, by.asked)
	})
}

// A request that lasts longer than the answer, as a stream does, asks again.
func TestPermissionSource_longRequest(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind func(claims.PermissionSource) claims.PermissionSource) {
		synctest.Test(t, func(t *testing.T) {
			by := &counted{grants: everywhere("p"), took: time.Second}
			guard := guardOf(t, permitted(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: kind(by)})
			ctx, err := ask(t.Context(), guard, claims.Permissions("p"), nil)
			require.NoError(t, err)
			by.set(claims.Grants{}, nil)
			time.Sleep(29*time.Second - time.Nanosecond)
			assert.NoError(t, claims.Allowed(ctx, claims.Permissions("p")))
			assert.Equal(t, 1, by.calls())
			time.Sleep(time.Nanosecond)
			assertRefusal(t, claims.ErrForbidden, claims.Allowed(ctx, claims.Permissions("p")))
			assert.Equal(t, 2, by.calls())
		})
	})
}

// A part that gives up does not speak for the others, and none has to wait
// longer than it wants to.
func TestPermissionSource_partsThatGiveUp(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind func(claims.PermissionSource) claims.PermissionSource) {
		by := &held{make(chan claims.Principal, 99), make(chan claims.Grants, 99)}
		guard := guardOf(t, permitted(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: kind(by)})
		ctx, err := ask(t.Context(), guard, claims.Authenticated(), nil)
		require.NoError(t, err)
		patient, hurried := make(chan error, 1), make(chan error, 1)
		go func() { patient <- claims.Allowed(ctx, claims.Permissions("p")) }()
		<-by.asked
		gone, cancel := context.WithCancel(ctx)
		cancel()
		go func() { hurried <- claims.Allowed(gone, claims.Permissions("p")) }()
		select {
		case err := <-hurried:
			assertRefusal(t, claims.ErrUnavailable, err)
		case <-time.After(2 * time.Second):
			t.Error("it waits for another part, whose patience is not its own")
		}
		by.answer <- everywhere("p")
		assert.NoError(t, <-patient)
		assert.NoError(t, claims.Allowed(ctx, claims.Permissions("p")))
	})
}

// A failure of any kind is no refusal and no permission.
func TestPermissionSource_failures(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]source{
		"error": func(context.Context, claims.Principal) (claims.Grants, error) { return claims.Grants{}, errDown },
		"forbidden": func(context.Context, claims.Principal) (claims.Grants, error) {
			return claims.Grants{}, claims.ErrForbidden
		},
		"refusal": func(context.Context, claims.Principal) (claims.Grants, error) {
			return claims.Grants{}, claims.NewError(claims.ErrInvalidToken, "own", errDown)
		},
		"grants and an error": func(context.Context, claims.Principal) (claims.Grants, error) { return everywhere("p"), errDown },
		"panic":               func(context.Context, claims.Principal) (claims.Grants, error) { panic(errDown.Error()) },
		"panic with an error": func(context.Context, claims.Principal) (claims.Grants, error) { panic(errDown) },
		"nil pointer": func(_ context.Context, who claims.Principal) (claims.Grants, error) {
			return *map[string]*claims.Grants{}[who.Subject], nil
		},
		"context": func(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
			return everywhere("p"), context.Canceled
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller := permitted(t, m{"sub": "alice", "permissions": []string{"token"}})
			for _, by := range []claims.PermissionSource{fail, cacheOf(t, fail, claims.PermissionCacheConfig{})} {
				record := &record{}
				guard := guardOf(t, caller, claims.GuardConfig{Permissions: by, Observer: record.observe})
				for _, needs := range []claims.Requirement{
					claims.Permissions("p"), claims.AnyPermission("q", "p"), claims.InWorkspace("w", claims.Permissions("token")),
					claims.All(claims.Authenticated(), claims.Permissions("token", "p")),
				} {
					_, err := ask(t.Context(), guard, needs, nil)
					refusal := assertRefusal(t, claims.ErrUnavailable, err)
					assert.Equal(t, claims.ReasonPermissionsUnavailable, refusal.Reason())
					assert.Equal(t, time.Second, refusal.RetryAfter())
					assert.NotContains(t, refusal.Error()+refusal.Text(), errDown.Error())
					assert.NotNil(t, errors.Unwrap(refusal), "operators are told")
					decisions := record.take()
					require.Len(t, decisions, 1)
					assert.Equal(t, "unavailable", decisions[0].Outcome())
				}
				_, err := ask(t.Context(), guard, claims.Permissions("token"), nil)
				assert.NoError(t, err, "what the token decides")
			}
		})
	}
}

// A caller without subject and client has no permissions but those of the
// token.
func TestPermissionSource_notAskedAboutNobody(t *testing.T) {
	t.Parallel()
	asked := &counted{grants: everywhere("p")}
	for _, by := range []claims.PermissionSource{asked, cacheOf(t, asked, claims.PermissionCacheConfig{})} {
		for _, caller := range []*claims.Claims{
			permitted(t, m{"permissions": []string{"token"}}), permitted(t, m{"sub": "", "client_id": "", "permissions": []string{"token"}}),
			permitted(t, m{"client_id": "shop", "permissions": []string{"token"}}),
			permitted(t, m{"azp": "shop", "sub": "", "preferred_username": "bob", "permissions": []string{"token"}}),
		} {
			guard := guardOf(t, caller, claims.GuardConfig{Permissions: by})
			_, err := ask(t.Context(), guard, claims.Permissions("token"), nil)
			require.NoError(t, err)
			for _, needs := range []claims.Requirement{claims.Permissions("p"), claims.InWorkspace("w", claims.Permissions("p"))} {
				_, err = ask(t.Context(), guard, needs, nil)
				assertRefusal(t, claims.ErrForbidden, err)
			}
		}
	}
	assert.Zero(t, asked.calls())
	_, err := ask(t.Context(), guardOf(t, permitted(t, m{"sub": "shop", "client_id": "shop"}), claims.GuardConfig{Permissions: asked}), claims.Permissions("p"), nil)
	assert.NoError(t, err, "a client that acts for itself is somebody")
}

// A source without a cache has its time too.
func TestPermissionSource_timeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
			Permissions: source(func(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
				<-ctx.Done()
				return claims.Grants{}, ctx.Err()
			}),
		})
		start := time.Now()
		_, err := ask(t.Context(), guard, claims.Permissions("p"), nil)
		assertRefusal(t, claims.ErrUnavailable, err)
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}
