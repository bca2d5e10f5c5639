package claims_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// What is known of the caller whose request it is says nothing of another.
func TestCheck_anotherCaller(t *testing.T) {
	t.Parallel()
	alice, bob := permitted(t, m{"sub": "alice", "scope": "a"}), permitted(t, m{"sub": "bob", "scope": "b"})
	by := source(func(_ context.Context, who claims.Principal) (claims.Grants, error) {
		return everywhere(who.Subject), nil
	})
	ctx, err := ask(t.Context(), guardOf(t, alice, claims.GuardConfig{Permissions: by}), claims.Permissions("alice"), nil)
	require.NoError(t, err)
	for _, tt := range []struct {
		needs claims.Requirement
		alice error
		bob   error
	}{
		{needs: claims.Scopes("a"), bob: claims.ErrInsufficientScope},
		{needs: claims.Scopes("b"), alice: claims.ErrInsufficientScope},
		{needs: claims.Permissions("alice"), bob: claims.ErrForbidden},
		{needs: claims.Permissions("bob"), alice: claims.ErrForbidden},
	} {
		assertRefusal(t, tt.alice, tt.needs.Check(ctx, alice), "%s", tt.needs)
		assertRefusal(t, tt.bob, tt.needs.Check(ctx, bob), "%s", tt.needs)
		assertRefusal(t, tt.alice, claims.Allowed(ctx, tt.needs), "%s", tt.needs)
		assertRefusal(t, tt.bob, claims.Allowed(claims.NewContext(ctx, bob), tt.needs), "%s", tt.needs)
	}
}

// A handler that goes on in the name of another caller does so in the same
// request.
func TestNewContext_sameRequest(t *testing.T) {
	t.Parallel()
	alice, bob := callerWith(t, "a"), callerWith(t, "b")
	ctx, err := ask(t.Context(), guardOf(t, alice, claims.GuardConfig{}), claims.Authenticated(), &message{"w"})
	require.NoError(t, err)
	ofW := claims.RequestFunc("of w", func(_ context.Context, _ *claims.Claims, r *message) (bool, error) {
		return r.workspace == "w", nil
	})
	assert.NoError(t, claims.Allowed(claims.NewContext(ctx, bob), ofW))
	assert.NoError(t, ofW.Check(ctx, bob))
	_, ok := claims.WorkspaceFromContext(claims.NewContext(ctx, bob))
	assert.False(t, ok)
	assertRefusal(t, claims.ErrForbidden, claims.Allowed(claims.NewContext(t.Context(), bob), ofW))
}

func TestNewContext_sameWorkspace(t *testing.T) {
	t.Parallel()
	alice, bob := callerWith(t, "a"), callerWith(t, "b")
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: granting(everywhere("p"))})
	ctx, err := ask(t.Context(), guard, inNamed(claims.Permissions("p")), &message{"w"})
	require.NoError(t, err)
	for _, ctx := range []context.Context{ctx, claims.NewContext(ctx, bob), claims.NewContext(claims.NewContext(ctx, bob), alice)} {
		workspace, ok := claims.WorkspaceFromContext(ctx)
		assert.True(t, ok)
		assert.Equal(t, "w", workspace)
	}
}

// What others put into a context stays there.
func TestAuthorize_context(t *testing.T) {
	t.Parallel()
	type key struct{ int }
	deadline := time.Now().Add(time.Hour)
	outer, cancel := context.WithDeadline(context.WithValue(t.Context(), key{1}, "one"), deadline)
	ctx, err := ask(outer, guardOf(t, callerWith(t, "a"), claims.GuardConfig{}), claims.Authenticated(), nil)
	require.NoError(t, err)
	assert.Equal(t, "one", ctx.Value(key{1}))
	assert.Nil(t, ctx.Value(key{2}))
	got, _ := ctx.Deadline()
	assert.Equal(t, deadline, got)
	cancel()
	assert.ErrorIs(t, ctx.Err(), context.Canceled)
}

// Each finds the workspace that it looks for, also once another is known.
func TestInWorkspaceOf_two(t *testing.T) {
	t.Parallel()
	type transfer struct{ from, to string }
	from := claims.InWorkspaceOf("from", func(r transfer) string { return r.from }, claims.Permissions("take"))
	to := claims.InWorkspaceOf("to", func(r transfer) string { return r.to }, claims.Permissions("give"))
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: granting(claims.Grants{
		Workspaces: map[string][]string{"a": {"take"}, "b": {"give"}},
	})})
	ctx, err := ask(t.Context(), guard, claims.All(from, to), transfer{"a", "b"})
	require.NoError(t, err)
	require.NoError(t, claims.Recheck(ctx))
	workspace, _ := claims.WorkspaceFromContext(ctx)
	assert.Equal(t, "a", workspace)
	ctx, err = ask(t.Context(), guard, from, transfer{"a", "a"})
	require.NoError(t, err)
	assertRefusal(t, claims.ErrForbidden, claims.Allowed(ctx, to))
	ctx, err = ask(t.Context(), guard, from, transfer{"a", "b"})
	require.NoError(t, err)
	assert.NoError(t, claims.Allowed(ctx, to))
}

// One guard that a request passes twice, for two callers, keeps apart what they
// may do.
func TestAuthorize_twoCallers(t *testing.T) {
	t.Parallel()
	callers := map[string]*claims.Claims{"a": says(t, m{"sub": "alice"}), "b": says(t, m{"sub": "bob"})}
	guard, err := claims.NewGuard(authenticator(func(_ context.Context, r claims.Credentials) (*claims.Claims, error) {
		return callers[r.Token], nil
	}), claims.GuardConfig{Permissions: source(func(_ context.Context, who claims.Principal) (claims.Grants, error) {
		return everywhere(who.Subject), nil
	})})
	require.NoError(t, err)
	ctx, err := decide(t.Context(), guard, attempt{Credentials: bearer("a"), Needs: claims.Permissions("alice")})
	require.NoError(t, err)
	_, err = decide(ctx, guard, attempt{Credentials: bearer("b"), Needs: claims.Permissions("alice")})
	assertRefusal(t, claims.ErrForbidden, err)
	_, err = decide(ctx, guard, attempt{Credentials: bearer("b"), Needs: claims.Permissions("bob")})
	assert.NoError(t, err)
}

// Who is refused whatever the message says is refused before it is there.
func TestAuthorize_pendingButRefused(t *testing.T) {
	t.Parallel()
	guard := guardOf(t, callerWith(t, "a"), claims.GuardConfig{})
	ofMessage := claims.RequestFunc("f", anyRequest)
	for _, tt := range []struct {
		needs   claims.Requirement
		class   error
		pending bool
	}{
		{needs: claims.All(ofMessage, no), class: claims.ErrForbidden},
		{needs: claims.All(ofMessage, claims.Scopes("b")), class: claims.ErrInsufficientScope},
		{needs: claims.All(ofMessage, lost), pending: true},
		{needs: claims.All(ofMessage, yes), pending: true},
		{needs: yes},
	} {
		ctx, err := decide(t.Context(), guard, attempt{Credentials: presented, Needs: tt.needs, Pending: true})
		assertRefusal(t, tt.class, err, "%s", tt.needs)
		if err != nil {
			continue
		}
		assert.Equal(t, tt.pending, guard.IsPending(ctx), "%s", tt.needs)
		if !tt.pending { // there is nothing to be completed
			assertRefusal(t, claims.ErrForbidden, guard.Complete(ctx, &message{"w"}), "%s", tt.needs)
		}
	}
	assertRefusal(t, claims.ErrForbidden, guard.Complete(t.Context(), &message{"w"}))
}

// Two guards, one behind the other, that remember the same token: each asks its
// own source, whatever the other's has said.
func TestAuthorize_sourceOfItsOwn(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, nil)
	token := bearer(issuer.Mint(claimstest.Token{Subject: "alice"}))
	for name, kind := range map[string]func(claims.PermissionSource) claims.PermissionSource{
		"source": func(s claims.PermissionSource) claims.PermissionSource { return s },
		"cache": func(s claims.PermissionSource) claims.PermissionSource {
			return cacheOf(t, s, claims.PermissionCacheConfig{})
		},
	} {
		guardBy := func(permission string) *claims.Guard {
			guard, err := claims.NewGuard(verifier, claims.GuardConfig{Permissions: kind(granting(everywhere(permission)))})
			require.NoError(t, err)
			return guard
		}
		outer, inner := guardBy("outer"), guardBy("inner")
		authorize := func(ctx context.Context, guard *claims.Guard, permission string) (context.Context, error) {
			return decide(ctx, guard, attempt{Credentials: token, Needs: claims.Permissions(permission)})
		}
		for range 3 { // the token is remembered, and what was said of the caller
			ctx, err := authorize(t.Context(), outer, "outer")
			require.NoError(t, err, name)
			_, err = authorize(ctx, inner, "outer")
			assertRefusal(t, claims.ErrForbidden, err, name)
			_, err = authorize(ctx, inner, "inner")
			require.NoError(t, err, name)
			_, err = authorize(ctx, outer, "inner")
			assertRefusal(t, claims.ErrForbidden, err, name)
		}
	}
}

// What is known already is used before anybody is asked, and is from the cache.
func TestAnyOf_knownFirst(t *testing.T) {
	t.Parallel()
	record, c := &record{}, &trace{}
	guard := guardOf(t, permitted(t, m{"sub": "alice", "scope": "read"}), claims.GuardConfig{
		Permissions: granting(everywhere("p")), Observer: record.observe,
	})
	ctx, err := ask(t.Context(), guard, claims.Authenticated(), nil)
	require.NoError(t, err)
	record.take()
	either := claims.AnyOf(c.of("asked", false, nil), claims.Permissions("p"))
	for _, want := range []string{"source", "cache", "cache"} {
		require.NoError(t, claims.Allowed(ctx, either))
		decisions := record.take()
		require.Len(t, decisions, 1)
		assert.Equal(t, want, decisions[0].Permissions)
	}
	assert.Equal(t, []string{"asked"}, c.calls, "as long as the permission was not known")

	// Not before what the token says.
	require.NoError(t, claims.Allowed(ctx, claims.AnyOf(claims.Permissions("p"), claims.Scopes("read"))))
	assert.Empty(t, record.take()[0].Permissions)
	// Nor in the place of what is to be reported.
	require.NoError(t, claims.Allowed(ctx, claims.AnyOf(no,
		claims.All(claims.Permissions("p"), claims.ReportOnly(claims.Scopes("write"))))))
	assert.NotNil(t, record.take()[0].Reported)
}

// A failure counts for the rest of the request.
func TestAllowed_failsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		by := &counted{err: errDown}
		ctx, err := ask(t.Context(), guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: by}), claims.Authenticated(), nil)
		require.NoError(t, err)
		for range 3 {
			assertRefusal(t, claims.ErrUnavailable, claims.Allowed(ctx, claims.Permissions("p")))
		}
		assert.Equal(t, 1, by.calls())
		time.Sleep(time.Second)
		by.set(everywhere("p"), nil)
		assert.NoError(t, claims.Allowed(ctx, claims.Permissions("p")), "for a second")
	})
}

// A part that gives up does not speak for the others.
func TestAllowed_givesUp(t *testing.T) {
	t.Parallel()
	by := &counted{grants: everywhere("p"), took: time.Hour}
	ctx, err := ask(t.Context(), guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: by}), claims.Authenticated(), nil)
	require.NoError(t, err)
	part, cancel := context.WithCancel(ctx)
	cancel()
	assertRefusal(t, claims.ErrUnavailable, claims.Allowed(part, claims.Permissions("p")))
	by.mu.Lock()
	by.took = 0
	by.mu.Unlock()
	assert.NoError(t, claims.Allowed(ctx, claims.Permissions("p")))
}

// What a source returns when nobody waits for it any more may be a part: it
// grants nothing, and denies nothing.
func TestSource_stoppedHalfWay(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	by := source(func(ctx context.Context, _ claims.Principal) (claims.Grants, error) {
		cancel()
		<-ctx.Done()
		return everywhere("p"), nil
	})
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: by})
	for _, needs := range []claims.Requirement{claims.Permissions("p"), claims.Permissions("q")} {
		_, err := ask(ctx, guard, needs, nil)
		assertRefusal(t, claims.ErrUnavailable, err, "%s", needs)
	}
}
