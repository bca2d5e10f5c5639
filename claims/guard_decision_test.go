package claims_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// logged returns the records that an Observer writes for what f does.
func logged(t *testing.T, level slog.Level, f func(claims.Observer)) (records []m, text string) {
	t.Helper()
	var out bytes.Buffer
	f(claims.LogDecisions(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level}))))
	text = out.String()
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var record m
		require.NoError(t, decoder.Decode(&record))
		records = append(records, record)
	}
	return records, text
}

// One record for each outcome, with what is known and nothing that is secret.
func TestLogDecisions(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.PermissionClaims = []string{"permissions"} })
	token := issuer.Mint(claimstest.Token{
		Subject: "alice", ClientID: "shop", Scope: "read", Claims: m{"permissions": []string{"token"}},
	})
	failing := claims.Func("failing", func(context.Context, *claims.Claims) (bool, error) { return true, errDown })
	refusing := claims.Func("refusing", func(context.Context, *claims.Claims) (bool, error) {
		return false, claims.NewError(claims.ErrForbidden, "own_reason", errDown)
	})
	down := source(func(context.Context, claims.Principal) (claims.Grants, error) { return claims.Grants{}, errDown })
	p, s := claims.Permissions, claims.Scopes
	for _, tt := range []struct {
		name  string
		token string
		needs claims.Requirement
		by    claims.PermissionSource
		want  m // of the fields that say what came of it
	}{
		{name: "allowed", token: token, needs: s("read"), want: m{"level": "INFO", "outcome": "allowed"}},
		{name: "by the token", token: token, needs: p("token"), want: m{"level": "INFO", "outcome": "allowed", "permissions": "token"}},
		{name: "by the source", token: token, needs: p("source"), by: granting(everywhere("source")), want: m{"level": "INFO", "outcome": "allowed", "permissions": "source"}},
		{name: "no token", needs: s("read"), want: m{"level": "INFO", "outcome": "no_token", "reason": "no_token"}},
		{name: "malformed", token: "a b", needs: s("read"), want: m{"level": "INFO", "outcome": "invalid_request", "reason": "malformed_credentials"}},
		{name: "bad", token: token[:len(token)-8] + "AAAAAAAA", needs: s("read"), want: m{"level": "INFO", "outcome": "invalid_token", "reason": "signature", "issuer": issuer.URL()}},
		{name: "weak", token: token, needs: claims.ACR("gold"), want: m{"level": "INFO", "outcome": "insufficient_authentication", "reason": "authentication"}},
		{name: "scope", token: token, needs: s("write"), want: m{"level": "INFO", "outcome": "not_permitted", "reason": "scope"}},
		{name: "permission", token: token, needs: p("none"), want: m{"level": "INFO", "outcome": "not_permitted", "reason": "permission", "permissions": "token"}},
		{name: "for its own reason", token: token, needs: refusing, want: m{"level": "INFO", "outcome": "not_permitted", "reason": "own_reason", "cause": errDown.Error()}},
		{name: "undecided", token: token, needs: failing, want: m{"level": "ERROR", "outcome": "unavailable", "reason": "undecided", "cause": errDown.Error()}},
		{name: "source down", token: token, needs: p("none"), by: down, want: m{"level": "ERROR", "outcome": "unavailable", "reason": "permissions_unavailable", "permissions": "source", "cause": errDown.Error()}},
		{
			name: "would be refused", token: token, needs: claims.All(s("read"), claims.ReportOnly(s("write"))),
			want: m{"level": "WARN", "outcome": "allowed", "would_be": "not_permitted", "would_be_reason": "scope"},
		},
		{
			name: "could not be decided, if it were", token: token, needs: claims.ReportOnly(p("none")), by: down,
			want: m{"level": "WARN", "outcome": "allowed", "would_be": "unavailable", "would_be_reason": "permissions_unavailable", "would_be_cause": errDown.Error(), "permissions": "source"},
		},
		{name: "would be allowed", token: token, needs: claims.ReportOnly(s("read")), want: m{"level": "INFO", "outcome": "allowed"}},
		{
			name: "would be refused twice", token: token, needs: claims.All(claims.ReportOnly(claims.ACR("gold")), claims.ReportOnly(s("write"))),
			want: m{"level": "WARN", "outcome": "allowed", "would_be": "insufficient_authentication", "would_be_reason": "authentication"},
		},
		{
			name: "refused before it is reported", token: token, needs: claims.All(claims.ReportOnly(p("none")), s("write")),
			want: m{"level": "INFO", "outcome": "not_permitted", "reason": "scope"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			records, text := logged(t, slog.LevelInfo, func(observer claims.Observer) {
				guard, err := claims.NewGuard(verifier, claims.GuardConfig{Permissions: tt.by, Observer: observer})
				require.NoError(t, err)
				call := attempt{Operation: "GET /orders", Needs: tt.needs, Credentials: bearer(tt.token)}
				if tt.token == "" {
					call.Fault = claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, nil)
				}
				_, _ = decide(t.Context(), guard, call)
			})
			require.Len(t, records, 1)
			got := records[0]
			want := m{"msg": "access decision", "protocol": "HTTP", "operation": "GET /orders", "requirement": tt.needs.String()}
			for name, value := range tt.want {
				want[name] = value
			}
			if tt.token == token {
				want["issuer"], want["subject"], want["client_id"], want["key_id"] = issuer.URL(), "alice", "shop", issuer.Key().ID
			} else {
				assert.NotContains(t, got, "remembered")
			}
			for _, name := range []string{"time", "duration", "remembered"} {
				delete(got, name)
			}
			assert.Equal(t, want, got)
			if tt.token != "" {
				assert.NotContains(t, text, tt.token)
			}
		})
	}
}

// What nobody reads is not put together.
func TestLogDecisions_level(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level]int{slog.LevelInfo: 3, slog.LevelWarn: 2, slog.LevelError: 1, slog.LevelError + 1: 0} {
		records, _ := logged(t, level, func(observer claims.Observer) {
			guard := guardOf(t, callerWith(t, "read"), claims.GuardConfig{Observer: observer})
			for _, needs := range []claims.Requirement{claims.Scopes("read"), claims.ReportOnly(claims.Scopes("x")), lost} {
				_, _ = ask(t.Context(), guard, needs, nil)
			}
		})
		assert.Len(t, records, want, level)
	}
}

// Parts of a request are decisions of their own, of the same caller and
// operation.
func TestDecision_parts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		record := &record{}
		caller := permitted(t, m{"sub": "alice", "client_id": "shop", "scope": "read", "permissions": []string{"token"}})
		by := &counted{grants: everywhere("source"), took: 2 * time.Second}
		guard := guardOf(t, caller, claims.GuardConfig{Permissions: by, Observer: record.observe})
		ctx, err := ask(t.Context(), guard, claims.Scopes("read"), nil)
		require.NoError(t, err)
		whole := record.take()
		require.Len(t, whole, 1)
		assert.False(t, whole[0].Part)
		for _, tt := range []struct {
			needs    claims.Requirement
			origin   string
			took     time.Duration
			outcome  string
			reported bool
		}{
			{needs: claims.Scopes("read"), outcome: "allowed"},
			{needs: claims.Scopes("write"), outcome: "not_permitted"},
			{needs: claims.Permissions("token"), origin: "token", outcome: "allowed"},
			{needs: claims.Permissions("token", "source"), origin: "source", took: 2 * time.Second, outcome: "allowed"},
			{needs: claims.Permissions("source"), origin: "cache", outcome: "allowed"},
			{needs: claims.All(claims.Permissions("source"), claims.Permissions("token")), origin: "cache", outcome: "allowed"},
			{needs: claims.InWorkspace("w", claims.Permissions("token")), origin: "cache", outcome: "not_permitted"},
			{needs: claims.ReportOnly(claims.Permissions("none")), origin: "cache", outcome: "allowed", reported: true},
			{needs: lost, outcome: "unavailable"},
		} {
			start := time.Now()
			err := claims.Allowed(ctx, tt.needs)
			parts := record.take()
			require.Len(t, parts, 1, "%s", tt.needs)
			d := parts[0]
			assert.True(t, d.Part)
			assert.Equal(t, err == nil, d.Err == nil)
			assert.Equal(t, tt.outcome, d.Outcome(), "%s", tt.needs)
			assert.Equal(t, tt.reported, d.Reported != nil, "%s", tt.needs)
			assert.Equal(t, tt.origin, d.Permissions, "%s", tt.needs)
			assert.Equal(t, tt.took, d.Duration, "%s", tt.needs)
			assert.Equal(t, start, d.Time)
			assert.True(t, tt.needs.Equal(d.Requirement))
			assert.Equal(t, []string{"HTTP", "operation", "alice", "shop", "https://issuer.example"},
				[]string{d.Protocol, d.Operation, d.Subject, d.ClientID, d.Issuer})
			assert.NotContains(t, fmt.Sprintf("%+v %#v", d, d), presented.Token)
		}
		// Public is no question, and items of a list are none of their own.
		require.NoError(t, claims.Allowed(ctx, claims.Public()))
		_, err = claims.Filter(ctx, []int{1, 2}, func(int) claims.Requirement { return claims.Scopes("write") })
		require.NoError(t, err)
		assert.Empty(t, record.take())
		guard.Ended(ctx, claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil))
		ended := record.take()
		require.Len(t, ended, 1)
		assert.True(t, ended[0].Part)
		assert.Equal(t, claims.ReasonExpired, ended[0].Err.Reason())
		guard.Ended(t.Context(), errDown) // of nobody
		assert.Empty(t, record.take())
	})
}

// When it began, and how long it took: both of the verification and of what was
// asked then, not of the time for which a first message was waited for.
func TestDecision_time(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		record := &record{}
		caller := says(t, m{"sub": "alice"})
		guard, err := claims.NewGuard(authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) {
			time.Sleep(time.Second)
			return caller, nil
		}), claims.GuardConfig{Permissions: &counted{grants: everywhere("p"), took: 2 * time.Second}, Observer: record.observe})
		require.NoError(t, err)
		start := time.Now()
		took := func(want time.Duration) {
			t.Helper()
			decisions := record.take()
			require.Len(t, decisions, 1)
			assert.Equal(t, start, decisions[0].Time)
			assert.Equal(t, want, decisions[0].Duration)
		}
		_, err = ask(t.Context(), guard, claims.Permissions("p"), nil)
		require.NoError(t, err)
		took(3 * time.Second)
		start = time.Now()
		_, err = ask(t.Context(), guard, claims.Scopes("none"), nil)
		require.Error(t, err)
		took(time.Second)
		for _, end := range []func(context.Context) error{
			func(ctx context.Context) error { return guard.Complete(ctx, &message{"w"}) },
			func(ctx context.Context) error { guard.Ended(ctx, errDown); return nil },
		} {
			start = time.Now()
			ctx, err := decide(t.Context(), guard, attempt{
				Credentials: presented, Needs: inNamed(claims.Permissions("p")), Pending: true,
			})
			require.NoError(t, err)
			require.True(t, guard.IsPending(ctx))
			assert.Empty(t, record.take())
			time.Sleep(time.Hour)
			if err := end(ctx); err != nil {
				t.Fatal(err)
			}
			if decisions := record.take(); assert.Len(t, decisions, 1) {
				assert.Equal(t, start, decisions[0].Time)
				want := time.Second
				if decisions[0].Err == nil {
					want = 3 * time.Second
				}
				assert.Equal(t, want, decisions[0].Duration)
				assert.False(t, decisions[0].Part, "the operation was not decided before")
			}
			assert.False(t, guard.IsPending(ctx))
		}
	})
}

// Where permissions are from is known of a stream that was given up, too.
func TestDecision_originOfPending(t *testing.T) {
	t.Parallel()
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
		Permissions: granting(everywhere("p")), Observer: record.observe,
	})
	ofMessage := claims.RequestFunc("f", func(context.Context, *claims.Claims, *message) (bool, error) { return true, nil })
	for name, end := range map[string]func(context.Context) error{
		"complete": func(ctx context.Context) error { return guard.Complete(ctx, &message{"w"}) },
		"ended":    func(ctx context.Context) error { guard.Ended(ctx, errDown); return nil },
	} {
		ctx, err := decide(t.Context(), guard, attempt{
			Credentials: presented, Needs: claims.All(claims.Permissions("p"), ofMessage), Pending: true,
		})
		require.NoError(t, err, name)
		require.NoError(t, end(ctx), name)
		decisions := record.take()
		require.Len(t, decisions, 1, name)
		assert.Equal(t, "source", decisions[0].Permissions, name)
	}
}

// Who waits for an answer has it from the source.
func TestDecision_originOfCache(t *testing.T) {
	t.Parallel()
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{
		Permissions: cacheOf(t, granting(everywhere("p")), claims.PermissionCacheConfig{}), Observer: record.observe,
	})
	for _, want := range []string{"source", "cache"} {
		_, err := ask(t.Context(), guard, claims.Permissions("p"), nil)
		require.NoError(t, err)
		assert.Equal(t, want, record.take()[0].Permissions)
	}
}

// A trial is one of what is enforced, not of what a refusal could ask for.
func TestDecision_notTried(t *testing.T) {
	t.Parallel()
	record := &record{}
	guard := guardOf(t, callerWith(t, "held"), claims.GuardConfig{Observer: record.observe})
	_, err := ask(t.Context(), guard, claims.All(claims.Scopes("lacking"),
		claims.AnyOf(claims.Scopes("x"), claims.All(claims.Scopes("held"), claims.ReportOnly(yes)))), nil)
	assert.Equal(t, "lacking held", assertRefusal(t, claims.ErrInsufficientScope, err).Scope())
	assert.Nil(t, record.take()[0].Reported)
}

// Of an operation that nobody has listed, nothing is known to be needed.
func TestLogDecisions_unlisted(t *testing.T) {
	t.Parallel()
	records, _ := logged(t, slog.LevelInfo, func(observer claims.Observer) {
		for _, reason := range []claims.Reason{claims.ReasonUnlisted, claims.ReasonPermission} {
			observer(t.Context(), claims.Decision{Err: claims.NewError(claims.ErrForbidden, reason, nil)})
		}
	})
	require.Len(t, records, 2)
	assert.NotContains(t, records[0], "requirement")
	assert.Contains(t, records[1], "requirement")
}

// A part is logged as one, for those who want to see it.
func TestLogDecisions_part(t *testing.T) {
	t.Parallel()
	records, _ := logged(t, slog.LevelDebug, func(observer claims.Observer) {
		ctx, err := ask(t.Context(), guardOf(t, callerWith(t, "read"), claims.GuardConfig{Observer: observer}), claims.Authenticated(), nil)
		require.NoError(t, err)
		_ = claims.Allowed(ctx, claims.Scopes("write"))
	})
	require.Len(t, records, 2)
	assert.NotContains(t, records[0], "part")
	assert.Equal(t, "DEBUG", records[1]["level"])
	assert.Equal(t, true, records[1]["part"])
}

// A token that is met again says so, whichever of its verifiers a guard has.
func TestDecision_tokenCacheOfAll(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	issuers, err := claims.NewIssuers(configOf(t, issuer))
	require.NoError(t, err)
	tenants, err := claims.NewTenants(always(configOf(t, issuer)), claims.TenantsConfig{})
	require.NoError(t, err)
	for _, auth := range []claims.Authenticator{newVerifier(t, issuer, nil), issuers, tenants} {
		record := &record{}
		guard, err := claims.NewGuard(auth, claims.GuardConfig{Observer: record.observe})
		require.NoError(t, err)
		token := bearer(issuer.Mint(claimstest.Token{Subject: "alice"}))
		for _, want := range []bool{false, true} {
			_, err := decide(t.Context(), guard, attempt{Credentials: token})
			require.NoError(t, err, "%T", auth)
			assert.Equal(t, want, record.take()[0].Remembered, "%T", auth)
		}
	}
}

// Where one remembers nothing, nothing is said of it.
func TestDecision_tokenCacheOfNone(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	for name, sizes := range map[string]struct{ all, one int }{"all": {-1, 0}, "one": {0, -1}} {
		tenants, err := claims.NewTenants(func(context.Context, string) (claims.Config, error) {
			cfg := configOf(t, issuer)
			cfg.MaxTokens = sizes.one
			return cfg, nil
		}, claims.TenantsConfig{MaxTokens: sizes.all})
		require.NoError(t, err)
		record := &record{}
		guard, err := claims.NewGuard(tenants, claims.GuardConfig{Observer: record.observe})
		require.NoError(t, err)
		token := bearer(issuer.Mint(claimstest.Token{Subject: "alice"}))
		for range 2 {
			_, err := decide(t.Context(), guard, attempt{Credentials: token})
			require.NoError(t, err, name)
			assert.Equal(t, false, record.take()[0].Remembered, name)
		}
	}
}

// A token that is met again says so.
func TestDecision_tokenCache(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	for name, row := range map[string]struct {
		size int
		want []bool
	}{
		"remembered":     {0, []bool{false, true, true}},
		"not remembered": {-1, []bool{false, false, false}},
	} {
		record := &record{}
		guard, err := claims.NewGuard(newVerifier(t, issuer, func(cfg *claims.Config) { cfg.MaxTokens = row.size }),
			claims.GuardConfig{Observer: record.observe})
		require.NoError(t, err)
		token := bearer(issuer.Mint(claimstest.Token{Subject: "alice"}))
		for _, want := range row.want {
			_, _ = decide(t.Context(), guard, attempt{Credentials: token, Needs: claims.Scopes("x")})
			decisions := record.take()
			require.Len(t, decisions, 1)
			assert.Equal(t, want, decisions[0].Remembered, name)
		}
	}
}

// Of a list, there is one record of what cannot be decided: the first.
func TestFilter_observed(t *testing.T) {
	t.Parallel()
	record := &record{}
	ctx, err := ask(t.Context(), guardOf(t, callerWith(t, "a"), claims.GuardConfig{Observer: record.observe}), claims.Authenticated(), nil)
	require.NoError(t, err)
	record.take()
	because := func(item string) claims.Requirement {
		return decided(false, claims.NewError(claims.ErrUnavailable, claims.Reason(item), nil))
	}
	kept, err := claims.Filter(ctx, []string{"first", "second"}, because)
	assert.Empty(t, kept)
	assert.Equal(t, claims.Reason("first"), assertRefusal(t, claims.ErrUnavailable, err).Reason())
	decisions := record.take()
	require.Len(t, decisions, 1)
	assert.Equal(t, claims.Reason("first"), decisions[0].Err.Reason())
	assert.True(t, decisions[0].Part)
}

func TestFilter(t *testing.T) {
	t.Parallel()
	guard := guardOf(t, permitted(t, m{"sub": "alice", "scope": "read"}), claims.GuardConfig{
		Permissions: granting(claims.Grants{Workspaces: map[string][]string{"a": {"see"}, "c": {"see"}}}),
	})
	ctx, err := ask(t.Context(), guard, claims.Authenticated(), nil)
	require.NoError(t, err)
	inEach := func(w string) claims.Requirement { return claims.InWorkspace(w, claims.Permissions("see")) }
	kept, err := claims.Filter(ctx, []string{"a", "b", "c", "", "a/b", "A"}, inEach)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "c"}, kept)
	some := func(item int) claims.Requirement {
		return []claims.Requirement{claims.Public(), lost, claims.Authenticated(), no, claims.Scopes(), yes}[item]
	}
	kept2, err := claims.Filter(ctx, []int{0, 1, 2, 3, 4, 5}, some)
	assert.Equal(t, []int{0, 2, 5}, kept2)
	assertRefusal(t, claims.ErrUnavailable, err)
	kept2, err = claims.Filter(t.Context(), []int{5, 0, 1}, some)
	assert.Equal(t, []int{0}, kept2)
	assertRefusal(t, claims.ErrNoToken, err)
	kept, err = claims.Filter(ctx, nil, inEach)
	require.NoError(t, err)
	assert.Empty(t, kept)
}
