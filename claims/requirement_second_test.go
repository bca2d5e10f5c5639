package claims_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// byToken is an Authenticator of callers by their tokens, for what no issuer
// says of them.
type byToken map[string]*claims.Claims

func (b byToken) Authenticate(_ context.Context, c claims.Credentials) (*claims.Claims, error) {
	if caller := b[c.Token]; caller != nil {
		return caller, nil
	}
	return nil, claims.ErrInvalidToken
}

// twofold is a guard of which a request may have a second credential, and a
// third.
type twofold struct {
	guard  *claims.Guard
	record record
	asked  atomic.Int32 // for a further credential
}

func newTwofold(t testing.TB, cfg claims.GuardConfig) *twofold {
	t.Helper()
	w := &twofold{}
	cfg.Observer = w.record.observe
	cfg.Second = map[string]claims.Authenticator{
		"sandbox": byToken{
			"dev": says(t, m{"iss": "boxes", "sub": "box-1", "scope": "enter run"}), "poor": says(t, m{"sub": "box-2"}),
		},
		"user": byToken{"bob": says(t, m{"sub": "bob", "scope": "read", "client_id": "app"})},
	}
	guard, err := claims.NewGuard(byToken{"alice": says(t, m{"sub": "alice", "scope": "read"})}, cfg)
	require.NoError(t, err)
	w.guard = guard
	return w
}

// with returns the credentials of a request that has these tokens, which may be
// empty; "-" stands for what is there and malformed.
func (w *twofold) with(first string, further m) claims.Credentials {
	c := claims.Credentials{}
	if first != "" {
		c = bearer(first)
	}
	c.Second = func(name string) (claims.Credentials, error) {
		w.asked.Add(1)
		switch token, _ := further[name].(string); token {
		case "":
			return claims.Credentials{}, claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, nil)
		case "-":
			return claims.Credentials{}, claims.NewError(claims.ErrInvalidRequest, claims.ReasonSeveralCredentials, nil)
		default:
			return bearer(token), nil
		}
	}
	return c
}

func (w *twofold) ask(
	t testing.TB, needs claims.Requirement, c claims.Credentials,
) (context.Context, error) {
	t.Helper()
	op := claims.Operation{Protocol: "HTTP", Name: "GET /", Requirement: needs}
	require.NoError(t, w.guard.Validate(op, nil), needs)
	return decide(t.Context(), w.guard, attempt{Operation: op.Name, Needs: needs, Credentials: c})
}

func TestSecond(t *testing.T) {
	t.Parallel()
	box := func(needs claims.Requirement) claims.Requirement { return claims.Second("sandbox", needs) }
	enter := box(claims.Scopes("enter"))
	for name, tt := range map[string]struct {
		needs         claims.Requirement
		first, second string
		class         error // nil if it passes
		by            string
		text, scope   string
	}{
		"both":              {enter, "alice", "dev", nil, "", "", ""},
		"any":               {box(claims.Authenticated()), "alice", "poor", nil, "", "", ""},
		"with the first's":  {claims.All(claims.Scopes("read"), enter), "alice", "dev", nil, "", "", ""},
		"no first":          {enter, "", "dev", claims.ErrNoToken, "", "This operation needs an access token.", ""},
		"no first, scope":   {claims.All(claims.Scopes("read"), enter), "", "dev", claims.ErrNoToken, "", "This operation needs an access token.", "read"},
		"a bad first":       {enter, "mallory", "dev", claims.ErrInvalidToken, "", "The access token is not accepted.", ""},
		"neither":           {enter, "", "", claims.ErrNoToken, "", "This operation needs an access token.", ""},
		"both bad":          {enter, "mallory", "mallory", claims.ErrInvalidToken, "", "The access token is not accepted.", ""},
		"no second":         {enter, "alice", "", claims.ErrNoToken, "sandbox", "sandbox: This operation needs an access token.", "enter"},
		"a bad second":      {enter, "alice", "mallory", claims.ErrInvalidToken, "sandbox", "sandbox: The access token is not accepted.", "enter"},
		"another's":         {enter, "alice", "alice", claims.ErrInvalidToken, "sandbox", "sandbox: The access token is not accepted.", "enter"},
		"several":           {enter, "alice", "-", claims.ErrInvalidRequest, "sandbox", "sandbox: The request has more than one credential of this kind.", ""},
		"malformed":         {enter, "alice", "a b", claims.ErrInvalidRequest, "sandbox", "sandbox: This credential is malformed.", ""},
		"too little":        {enter, "alice", "poor", claims.ErrInsufficientScope, "sandbox", "sandbox: The access token lacks a scope that this operation needs.", "enter"},
		"in all":            {claims.All(claims.Scopes("read"), enter), "alice", "poor", claims.ErrInsufficientScope, "sandbox", "sandbox: The access token lacks a scope that this operation needs.", "enter"},
		"first decides":     {claims.All(enter, claims.Scopes("write")), "alice", "poor", claims.ErrInsufficientScope, "", "The access token lacks a scope that this operation needs.", "write"},
		"not permitted":     {box(no), "alice", "dev", claims.ErrForbidden, "sandbox", "sandbox: The caller is not permitted to do this.", ""},
		"undecided":         {box(lost), "alice", "dev", claims.ErrUnavailable, "sandbox", "sandbox: The permission cannot be decided at the moment.", ""},
		"one of two":        {claims.AnyOf(claims.Scopes("write"), enter), "alice", "dev", nil, "", "", ""},
		"none of two":       {claims.AnyOf(claims.Permissions("p"), enter), "alice", "", claims.ErrNoToken, "sandbox", "sandbox: This operation needs an access token.", "enter"},
		"the first of two":  {claims.AnyOf(claims.Scopes("read"), enter), "alice", "mallory", nil, "", "", ""},
		"not the first's":   {claims.All(claims.Scopes("read"), box(claims.Authenticated())), "alice", "", claims.ErrNoToken, "sandbox", "sandbox: This operation needs an access token.", ""},
		"optional, without": {box(claims.Optional()), "alice", "", nil, "", "", ""},
		"optional, with":    {box(claims.Optional()), "alice", "dev", nil, "", "", ""},
		"optional, bad":     {box(claims.Optional()), "alice", "mallory", claims.ErrInvalidToken, "sandbox", "sandbox: The access token is not accepted.", ""},
		"alone":             {claims.All(claims.Optional(), enter), "", "dev", nil, "", "", ""},
		"alone, missing":    {claims.All(claims.Optional(), enter), "", "", claims.ErrNoToken, "sandbox", "sandbox: This operation needs an access token.", "enter"},
		"alone, bad first":  {claims.All(claims.Optional(), enter), "mallory", "dev", claims.ErrInvalidToken, "", "The access token is not accepted.", ""},
		"either, neither":   {claims.All(claims.Optional(), claims.AnyOf(yes, enter)), "", "", claims.ErrNoToken, "sandbox", "sandbox: This operation needs an access token.", "enter"},
		"either, first":     {claims.All(claims.Optional(), claims.AnyOf(yes, enter)), "alice", "", nil, "", "", ""},
		"either, second":    {claims.All(claims.Optional(), claims.AnyOf(yes, enter)), "", "dev", nil, "", "", ""},
		"tried":             {claims.All(claims.Authenticated(), claims.ReportOnly(enter)), "alice", "", nil, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTwofold(t, claims.GuardConfig{Permissions: granting(claims.Grants{})})
			ctx, err := w.ask(t, tt.needs, w.with(tt.first, m{"sandbox": tt.second}))
			record := w.record.take()
			require.Len(t, record, 1)
			if tt.class == nil {
				require.NoError(t, err)
				assert.Nil(t, record[0].Err)
				return
			}
			assert.Nil(t, ctx)
			refusal := assertRefusal(t, tt.class, err)
			assert.Equal(t, tt.by, refusal.Second())
			assert.Equal(t, tt.text, refusal.Text())
			assert.Equal(t, tt.scope, refusal.Scope())
			assert.Equal(t, refusal, record[0].Err)
		})
	}
}

// A handler finds each caller by name, if the operation needed them.
func TestSecondFromContext(t *testing.T) {
	t.Parallel()
	w := newTwofold(t, claims.GuardConfig{})
	everything := w.with("alice", m{"sandbox": "dev", "user": "bob"})
	subjects := func(ctx context.Context) [3]string {
		var found [3]string
		caller, ok := claims.FromContext(ctx)
		assert.Equal(t, ok, caller != nil)
		found[0] = caller.Subject()
		for i, name := range []string{"sandbox", "user"} {
			caller, ok := claims.SecondFromContext(ctx, name)
			assert.Equal(t, ok, caller != nil)
			found[i+1] = caller.Subject()
		}
		return found
	}
	for _, tt := range []struct {
		needs claims.Requirement
		want  [3]string
		asked int32
	}{
		{claims.Authenticated(), [3]string{"alice"}, 0},
		{claims.Scopes("read"), [3]string{"alice"}, 0},
		{claims.AnyOf(claims.Scopes("read"), claims.Second("sandbox", claims.Authenticated())), [3]string{"alice"}, 0},
		{claims.Second("sandbox", claims.Scopes("run")), [3]string{"alice", "box-1"}, 1},
		{claims.All(claims.Second("user", claims.Scopes("read")), claims.Second("sandbox", claims.Optional())), [3]string{"alice", "box-1", "bob"}, 2},
		// What is not met, or only tried, opens nothing.
		{claims.AnyOf(claims.Second("sandbox", claims.Scopes("x")), claims.Second("user", claims.Authenticated())), [3]string{"alice", "", "bob"}, 2},
		{claims.All(claims.Authenticated(), claims.ReportOnly(claims.Second("sandbox", claims.Authenticated()))), [3]string{"alice"}, 1},
	} {
		w.asked.Store(0)
		ctx, err := w.ask(t, tt.needs, everything)
		require.NoError(t, err)
		assert.Equal(t, tt.want, subjects(ctx), tt.needs)
		assert.Equal(t, tt.asked, w.asked.Load(), tt.needs)
	}
	ctx, err := w.ask(t, claims.Second("sandbox", claims.Optional()), w.with("alice", nil))
	require.NoError(t, err)
	assert.Equal(t, [3]string{"alice"}, subjects(ctx), "one that is missing is nobody")
	assert.Equal(t, [3]string{}, subjects(t.Context()))
}

// Whom a requirement is asked about is whose credential it names.
func TestSecond_whoIsAsked(t *testing.T) {
	t.Parallel()
	var seen []string
	note := claims.Func("note", func(_ context.Context, caller *claims.Claims) (bool, error) {
		seen = append(seen, caller.Subject())
		return true, nil
	})
	by := source(func(_ context.Context, who claims.Principal) (claims.Grants, error) {
		seen = append(seen, "permissions of "+who.Subject)
		return claims.Grants{Workspaces: map[string][]string{"w-" + who.Subject: {"p"}}}, nil
	})
	w := newTwofold(t, claims.GuardConfig{Permissions: by})
	of := claims.InWorkspaceOf("request", func(name string) string { return name }, claims.Permissions("p"))
	needs := claims.All(note, claims.Second("user", claims.All(note, of)))
	op := claims.Operation{Name: "operation", Requirement: needs}
	both := w.with("alice", m{"user": "bob"})
	ctx, err := w.guard.Authorize(t.Context(), op, both, "w-bob")
	require.NoError(t, err)
	assert.Equal(t, []string{"alice", "bob", "permissions of bob"}, seen)
	workspace, ok := claims.WorkspaceFromContext(ctx)
	assert.True(t, ok)
	assert.Equal(t, "w-bob", workspace)
	_, err = w.guard.Authorize(t.Context(), op, both, "w-alice")
	assert.Equal(t, "user", assertRefusal(t, claims.ErrForbidden, err).Second())

	// A part asks about the second as the operation did, and about the first.
	seen = nil
	assert.NoError(t, claims.Allowed(ctx, claims.Second("user", claims.InWorkspace("w-bob", claims.Permissions("p")))))
	assert.Empty(t, seen, "it is known")
	assertRefusal(t, claims.ErrForbidden, claims.Allowed(ctx, claims.InWorkspace("w-bob", claims.Permissions("p"))))
	assert.Equal(t, []string{"permissions of alice"}, seen)
}

// The first message of a stream decides about the second credential as well.
func TestSecond_pending(t *testing.T) {
	t.Parallel()
	w := newTwofold(t, claims.GuardConfig{Permissions: granting(claims.Grants{Workspaces: map[string][]string{"w": {"p"}}})})
	of := claims.InWorkspaceOf("request", func(name string) string { return name }, claims.Permissions("p"))
	op := claims.Operation{Name: "operation", Requirement: claims.Second("sandbox", of)}
	for workspace, class := range map[string]error{"w": nil, "v": claims.ErrForbidden} {
		ctx, err := w.guard.AuthorizeStream(t.Context(), op, w.with("alice", m{"sandbox": "dev"}))
		require.NoError(t, err)
		require.True(t, w.guard.IsPending(ctx))
		assert.Empty(t, w.record.take())
		err = w.guard.Complete(ctx, workspace)
		require.Len(t, w.record.take(), 1)
		if class != nil {
			assert.Equal(t, "sandbox", assertRefusal(t, class, err).Second())
			continue
		}
		require.NoError(t, err)
		name, _ := claims.WorkspaceFromContext(ctx)
		assert.Equal(t, workspace, name)
		assert.NoError(t, w.guard.Recheck(ctx))
	}
	_, err := w.guard.AuthorizeStream(t.Context(), op, w.with("alice", nil))
	assertRefusal(t, claims.ErrNoToken, err, "which no message changes")
}

// A part may need a credential that the operation did not.
func TestSecond_Allowed(t *testing.T) {
	t.Parallel()
	w := newTwofold(t, claims.GuardConfig{})
	ctx, err := w.ask(t, claims.Authenticated(), w.with("alice", m{"sandbox": "dev", "user": "mallory"}))
	require.NoError(t, err)
	w.record.take()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			assert.NoError(t, claims.Allowed(ctx, claims.Second("sandbox", claims.Scopes("run"))))
			refusal := assertRefusal(t, claims.ErrInsufficientScope, claims.Allowed(ctx, claims.Second("sandbox", claims.Scopes("x"))))
			assert.Equal(t, "sandbox", refusal.Second())
			caller, ok := claims.SecondFromContext(ctx, "sandbox")
			assert.True(t, ok)
			assert.Equal(t, "box-1", caller.Subject())
		})
	}
	group.Wait()
	assertRefusal(t, claims.ErrInvalidToken, claims.Allowed(ctx, claims.Second("user", claims.Authenticated())))
	assertRefusal(t, claims.ErrForbidden, claims.Allowed(ctx, claims.Second("unknown", claims.Optional())), "no Config names it")
	kept, err := claims.Filter(ctx, []string{"run", "x"}, func(scope string) claims.Requirement {
		return claims.Second("sandbox", claims.Scopes(scope))
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"run"}, kept)
}

// The record says whose credentials there were, and which was refused.
func TestSecond_record(t *testing.T) {
	t.Parallel()
	needs := claims.All(claims.Second("sandbox", claims.Scopes("run")), claims.Second("user", claims.Scopes("write")))
	records, _ := logged(t, slog.LevelInfo, func(observer claims.Observer) {
		w := newTwofold(t, claims.GuardConfig{})
		_, err := w.ask(t, needs, w.with("alice", m{"sandbox": "dev", "user": "bob"}))
		require.Error(t, err)
		d := w.record.take()[0]
		assert.Equal(t, "user", d.Err.Second())
		assert.Equal(t, "alice", d.Subject)
		assert.Equal(t, []claims.SecondCaller{
			{Name: "sandbox", Issuer: "boxes", Subject: "box-1"}, {Name: "user", Subject: "bob", ClientID: "app"},
		}, d.Seconds)
		observer(t.Context(), d)
	})
	require.Len(t, records, 1)
	assert.Equal(t, "user", records[0]["credential"])
	text, err := json.Marshal(records[0]["seconds"])
	require.NoError(t, err)
	assert.JSONEq(t, `{"sandbox":{"issuer":"boxes","subject":"box-1"},"user":{"subject":"bob","client_id":"app"}}`, string(text))
	assert.Equal(t, `All(Second("sandbox", Scopes("run")), Second("user", Scopes("write")))`, records[0]["requirement"])
}

// What lasts ends with the first of its tokens, and is asked about all of them.
func TestSecond_Lasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) *claims.Claims {
			return says(t, m{"sub": d.String(), "scope": "s", "exp": time.Now().Add(d).Unix()})
		}
		boxes := &revocable{byToken: byToken{"short": in(time.Minute), "long": in(time.Hour)}}
		guard, err := claims.NewGuard(byToken{"first": in(10 * time.Minute)}, claims.GuardConfig{
			Second: map[string]claims.Authenticator{"box": boxes},
		})
		require.NoError(t, err)
		w := &twofold{guard: guard}
		second := claims.Second("box", claims.Scopes("s"))
		for name, tt := range map[string]struct {
			needs claims.Requirement
			token string
			until time.Duration
			by    string
		}{
			"the second":      {second, "short", time.Minute, "box"},
			"the first":       {second, "long", 10 * time.Minute, ""},
			"nobody needs it": {claims.AnyOf(claims.Scopes("s"), second), "short", 10 * time.Minute, ""},
			"it is missing":   {claims.Second("box", claims.Optional()), "", 10 * time.Minute, ""},
			"no first":        {claims.All(claims.Optional(), second), "long", time.Hour, "box"},
		} {
			first := "first"
			if name == "no first" {
				first = ""
			}
			ctx, err := w.ask(t, tt.needs, w.with(first, m{"box": tt.token}))
			require.NoError(t, err, name)
			until, over := guard.Lasts(ctx)
			assert.Equal(t, tt.until, time.Until(until), name)
			assert.Equal(t, tt.by, over.Second(), name)
			refusal := assertRefusal(t, claims.ErrInvalidToken, guard.Ended(ctx, over), name)
			assert.Equal(t, claims.ReasonExpired, refusal.Reason())
			assert.Equal(t, tt.by, refusal.Second())
		}

		ctx, err := w.ask(t, second, w.with("first", m{"box": "short"}))
		require.NoError(t, err)
		require.NoError(t, claims.Recheck(ctx))
		boxes.revoked.Store(true)
		for _, recheck := range []func(context.Context) error{claims.Recheck, guard.Recheck} {
			refusal := assertRefusal(t, claims.ErrInvalidToken, recheck(ctx))
			assert.Equal(t, "box", refusal.Second())
			assert.Equal(t, claims.ReasonRejected, refusal.Reason())
		}
		boxes.revoked.Store(false)
		require.NoError(t, claims.Recheck(ctx))
		time.Sleep(time.Minute)
		refusal := assertRefusal(t, claims.ErrInvalidToken, claims.Recheck(ctx))
		assert.Equal(t, "box", refusal.Second())
		assert.Equal(t, claims.ReasonExpired, refusal.Reason())
		assert.Equal(t, "s", refusal.Scope())
	})
}

// revocable says by Recheck that none of its tokens counts any more.
type revocable struct {
	byToken
	revoked atomic.Bool
}

func (r *revocable) Recheck(context.Context, *claims.Claims) error {
	if r.revoked.Load() {
		return errors.New("revoked")
	}
	return nil
}

// A handler can be tested with several callers.
func TestNewSecondContext(t *testing.T) {
	t.Parallel()
	alice, bob := says(t, m{"sub": "alice"}), says(t, m{"sub": "bob", "scope": "read"})
	ctx := claims.NewSecondContext(claims.NewContext(t.Context(), alice), "user", bob)
	ctx = claims.NewSecondContext(ctx, "sandbox", alice)
	for name, want := range map[string]string{"user": "bob", "sandbox": "alice"} {
		caller, ok := claims.SecondFromContext(ctx, name)
		assert.True(t, ok)
		assert.Equal(t, want, caller.Subject())
	}
	caller, ok := claims.FromContext(ctx)
	assert.True(t, ok)
	assert.Equal(t, "alice", caller.Subject())
	assert.NoError(t, claims.Allowed(ctx, claims.Second("user", claims.Scopes("read"))))
	assertRefusal(t, claims.ErrInsufficientScope, claims.Allowed(ctx, claims.Second("sandbox", claims.Scopes("read"))))

	ctx = claims.NewSecondContext(ctx, "user", nil)
	_, ok = claims.SecondFromContext(ctx, "user")
	assert.False(t, ok)
	assertRefusal(t, claims.ErrNoToken, claims.Allowed(ctx, claims.Second("user", claims.Authenticated())))
	ctx = claims.NewSecondContext(t.Context(), "user", bob)
	_, ok = claims.FromContext(ctx)
	assert.False(t, ok)
	_, ok = claims.SecondFromContext(ctx, "user")
	assert.True(t, ok)
}

// What can be wrong is an error at start, all of it at once.
func TestSecond_mistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		needs claims.Requirement
		want  []string
	}{
		{claims.Second("", claims.Authenticated()), []string{`Second("") is not a token`}},
		{claims.Second("a b", claims.Scopes()), []string{`Second("a b") is not a token`, "Scopes needs at least one scope"}},
		{claims.Second("DPoP", claims.Authenticated()), []string{"is an authentication scheme"}},
		{claims.Second("box", claims.Public()), []string{"Public cannot be part of Second"}},
		{claims.Second("box", claims.Second("box", claims.Authenticated())), []string{"has a Second in a Second"}},
		{claims.Second("box", claims.All(claims.Authenticated(), claims.Second("x", claims.Authenticated()))), []string{"has a Second in a Second"}},
		{claims.InWorkspace("w", claims.All(claims.Permissions("p"), claims.Second("x", claims.Authenticated()))), []string{"has a Second in a workspace"}},
		{
			claims.All(claims.Second("box", claims.Scopes("a")), claims.All(claims.Second("box", claims.Scopes("b")))),
			[]string{`All has Second("box") several times`},
		},
	} {
		err := tt.needs.Validate()
		for _, want := range tt.want {
			assert.ErrorContains(t, err, want)
		}
	}
	_, err := claims.NewGuard(nil, claims.GuardConfig{Second: map[string]claims.Authenticator{
		"Bearer": byToken{}, "box": nil, "own": (*claims.Verifier)(nil),
	}})
	for _, want := range []string{
		"auth is nil", `Config.Second has "Bearer", which is an authentication scheme`,
		`Config.Second["box"]: its Authenticator is nil`, `Config.Second["own"]: its Authenticator is a nil pointer`,
	} {
		assert.ErrorContains(t, err, want)
	}
	guard, err := claims.NewGuard(byToken{}, claims.GuardConfig{Second: map[string]claims.Authenticator{"box": permissionVerifier()}})
	require.NoError(t, err)
	check := func(needs claims.Requirement) error {
		return guard.Validate(claims.Operation{Requirement: needs}, nil)
	}
	assert.NoError(t, check(claims.Second("box", claims.Permissions("p"))), "its tokens grant any")
	assert.ErrorContains(t, check(claims.Second("bx", claims.Authenticated())), `Config.Second has no "bx", but "box"`)
	plain := guardOf(t, says(t, m{}), claims.GuardConfig{})
	assert.ErrorContains(t, plain.Validate(claims.Operation{Requirement: claims.Second("box", claims.Authenticated())}, nil),
		`Config.Second has no "box", but nothing`)
	// Permissions of the second are looked for where its tokens are from.
	plain, err = claims.NewGuard(permissionVerifier(), claims.GuardConfig{
		Second: map[string]claims.Authenticator{"box": offline(t, nil)},
	})
	require.NoError(t, err)
	assert.ErrorContains(t, plain.Validate(claims.Operation{Requirement: claims.Second("box", claims.Permissions("p"))}, nil),
		`no token grants "p"`)

	assert.True(t, claims.Second("a", claims.Scopes("x")).Equal(claims.Second("a", claims.Scopes("x"))))
	assert.False(t, claims.Second("a", claims.Scopes("x")).Equal(claims.Second("b", claims.Scopes("x"))))
	assert.False(t, claims.Second("a", claims.Scopes("x")).Equal(claims.Second("a", claims.Scopes("y"))))
	assert.False(t, claims.Second("a", claims.Scopes("x")).Equal(claims.Scopes("x")))
}
