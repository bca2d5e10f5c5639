package claims_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// Whatever of a user's code panics, the request cannot be decided, and
// operators learn of what and where.
func TestGuard_panics(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{URL: "https://login.example/own/v2.0"})
	alice := says(t, m{"sub": "alice"})
	byAlice := authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) { return alice, nil })
	verifierOf := func(change func(*claims.Config)) claims.Authenticator {
		cfg := openConfig(t, issuer)
		change(&cfg)
		verifier, err := claims.NewVerifier(cfg)
		require.NoError(t, err)
		return verifier
	}
	var none map[string]any
	tier := func() { _ = none["tier"].(string) }
	allowing := func(context.Context, *claims.Claims) (bool, error) { tier(); return true, nil }
	for _, tt := range []struct {
		name  string
		auth  claims.Authenticator
		needs claims.Requirement
		text  string
	}{
		{
			name: "Config.Check", text: "interface conversion",
			auth: verifierOf(func(cfg *claims.Config) {
				cfg.Check = func(context.Context, *claims.Claims) error { tier(); return nil }
			}),
		},
		{
			name: "error of Config.Check", text: "nil pointer",
			auth: verifierOf(func(cfg *claims.Config) {
				cfg.Check = func(context.Context, *claims.Claims) error { return (*touchy)(nil) }
			}),
		},
		{
			name: "TrustTenant", text: "no list",
			auth: verifierOf(func(cfg *claims.Config) { cfg.TrustTenant = func(string) bool { panic("no list") } }),
		},
		{name: "Keys", text: "no keys", auth: verifierOf(func(cfg *claims.Config) { cfg.Keys = panicking{} })},
		{
			name: "error of Keys", text: "nil pointer",
			auth: verifierOf(func(cfg *claims.Config) {
				cfg.Keys = lookup(func() ([]*jwks.Key, error) { return nil, (*touchy)(nil) })
			}),
		},
		{
			name: "an error as the panic", text: "Authenticator panicked",
			auth: authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) {
				panic((*touchy)(nil))
			}),
		},
		{
			name: "Authenticator", text: "nobody",
			auth: authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) { panic("nobody") }),
		},
		{
			name: "error of an Authenticator", text: "nil pointer",
			auth: authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) {
				return nil, (*touchy)(nil)
			}),
		},
		{name: "Func", text: "interface conversion", auth: byAlice, needs: claims.Func("tier", allowing)},
		{
			name: "error of a Func", text: "nil pointer", auth: byAlice,
			needs: claims.Func("tier", func(context.Context, *claims.Claims) (bool, error) { return true, (*touchy)(nil) }),
		},
		{
			name: "RequestFunc", text: "interface conversion", auth: byAlice,
			needs: claims.RequestFunc("tier", func(ctx context.Context, c *claims.Claims, _ string) (bool, error) {
				return allowing(ctx, c)
			}),
		},
		{
			name: "InWorkspaceOf", text: "no workspace", auth: byAlice,
			needs: claims.InWorkspaceOf("w", func(string) string { panic("no workspace") }, claims.Permissions("p")),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			record := &record{}
			guard, err := claims.NewGuard(tt.auth, claims.GuardConfig{Observer: record.observe})
			require.NoError(t, err)
			token := issuer.Mint(claimstest.Token{})
			for range 2 {
				_, err = guard.Authorize(t.Context(), claims.Operation{Requirement: tt.needs}, bearer(token), "request")
				assertPanic(t, err, tt.text)
				decisions := record.take()
				require.Len(t, decisions, 1)
				assert.Equal(t, "unavailable", decisions[0].Outcome())
			}
		})
	}
}

// What a Filter asks about one item costs that item alone.
func TestFilter_panics(t *testing.T) {
	t.Parallel()
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice", "scope": "a"}), claims.GuardConfig{Observer: record.observe})
	ctx, err := ask(t.Context(), guard, claims.Authenticated(), nil)
	require.NoError(t, err)
	record.take()
	needs := func(item string) claims.Requirement {
		if item == "broken" {
			panic("no such item")
		}
		return claims.Scopes(item)
	}
	kept, err := claims.Filter(ctx, []string{"a", "broken", "b", "a", "broken"}, needs)
	assert.Equal(t, []string{"a", "a"}, kept)
	assertPanic(t, err, "no such item")
	assert.Len(t, record.take(), 1)

	_, err = claims.Filter(t.Context(), []string{"broken"}, needs)
	assertPanic(t, err, "no such item")
	kept, err = claims.Filter[string](ctx, []string{"a"}, nil)
	assert.Empty(t, kept)
	require.ErrorIs(t, err, claims.ErrUnavailable, "no function")
	kept, err = claims.Filter[string](ctx, nil, nil)
	assert.Empty(t, kept)
	assert.NoError(t, err)
}

// An Observer that panics changes no decision, and fills no log.
func TestObserver_panics(t *testing.T) { // not parallel: it has the default logger
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	synctest.Test(t, func(t *testing.T) {
		var told int
		guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
			Observer: func(context.Context, claims.Decision) {
				told++
				panic("no audit log")
			},
		})
		for range 1000 {
			ctx, err := ask(t.Context(), guard, claims.Authenticated(), nil)
			require.NoError(t, err)
			require.NoError(t, claims.Allowed(ctx, claims.Authenticated()))
			_, err = ask(t.Context(), guard, claims.Scopes("x"), nil)
			require.ErrorIs(t, err, claims.ErrInsufficientScope)
			require.ErrorIs(t, guard.Refuse(ctx, claims.Operation{}, claims.ErrNoToken), claims.ErrNoToken)
			guard.Ended(ctx, errDown)
		}
		assert.Equal(t, 5000, told)
		time.Sleep(time.Second)
		_, err := ask(t.Context(), guard, claims.Authenticated(), nil)
		require.NoError(t, err)
	})
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2)
	assert.Contains(t, lines[0], "no audit log")
	assert.Contains(t, lines[0], "guard_panic_test.go")
	assert.Contains(t, lines[0], "panics=1")
	assert.Contains(t, lines[1], "panics=5000")
}

// What was not made by a constructor opens no door and does not panic.
func TestGuard_zero(t *testing.T) {
	t.Parallel()
	for name, guard := range map[string]*claims.Guard{"nil": nil, "zero": {}} {
		for _, op := range []claims.Operation{{}, {Requirement: claims.Scopes("a")}} {
			ctx, err := guard.Authorize(t.Context(), op, bearer("a.b.c"), nil)
			assert.Nil(t, ctx, name)
			assert.ErrorIs(t, err, claims.ErrUnavailable, name)
			ctx, err = guard.AuthorizeStream(t.Context(), op, bearer("a.b.c"))
			assert.Nil(t, ctx, name)
			assert.ErrorIs(t, err, claims.ErrUnavailable, name)
			assert.ErrorIs(t, guard.Refuse(t.Context(), op, claims.ErrNoToken), claims.ErrNoToken, name)
		}
		outside := claims.NewContext(t.Context(), says(t, m{"sub": "alice"}))
		assert.False(t, guard.IsPending(outside), name)
		assert.Error(t, guard.Complete(outside, nil), name)
		guard.Ended(outside, errDown)
	}
}

// A zero Verifier and zero Tenants trust nobody.
func TestAuthenticators_zero(t *testing.T) {
	t.Parallel()
	for name, auth := range map[string]interface {
		claims.Authenticator
		Explain(context.Context, string) claims.Explanation
	}{
		"nil Verifier": (*claims.Verifier)(nil), "zero Verifier": &claims.Verifier{},
		"nil Tenants": (*claims.Tenants)(nil), "zero Tenants": &claims.Tenants{},
	} {
		_, err := auth.Authenticate(t.Context(), bearer("a.b.c"))
		assert.ErrorIs(t, err, claims.ErrUnavailable, name)
		assert.Error(t, auth.Explain(t.Context(), "a.b.c").Err, name)
		_, err = claims.NewGuard(auth, claims.GuardConfig{})
		assert.ErrorContains(t, err, "auth ", name)
		switch auth := auth.(type) {
		case *claims.Verifier:
			assert.ErrorIs(t, auth.Ready(t.Context()), claims.ErrUnavailable, name)
			assert.Zero(t, auth.KeyStats(), name)
			assert.Equal(t, "claims.Verifier{}", auth.String(), name)
		case *claims.Tenants:
			auth.Forget("https://a.example")
			assert.Zero(t, auth.Len(), name)
		}
	}
	_, err := claims.NewGuard(wrapper{}, claims.GuardConfig{Permissions: &claims.PermissionCache{}})
	assert.ErrorContains(t, err, "Config.Permissions was not made by NewPermissionCache")
	_, err = claims.NewGuard(wrapper{}, claims.GuardConfig{Permissions: (source)(nil)})
	assert.ErrorContains(t, err, "Config.Permissions is a nil function")
}
