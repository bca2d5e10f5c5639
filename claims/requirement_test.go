package claims_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// callerWith returns a caller that was granted the scopes, "scope" in a token.
func callerWith(t testing.TB, scope any) *claims.Claims {
	t.Helper()
	object, err := json.Marshal(m{"sub": "alice", "scope": scope})
	require.NoError(t, err)
	caller, err := claims.FromJSON(object, claims.Config{})
	require.NoError(t, err)
	return caller
}

// decided is a Func that always has this result.
func decided(allowed bool, err error) claims.Requirement {
	return claims.Func("decided", func(context.Context, *claims.Claims) (bool, error) {
		return allowed, err
	})
}

var (
	yes  = decided(true, nil)
	no   = decided(false, nil)
	lost = decided(false, errors.New("the database is down"))
)

func TestRequirement(t *testing.T) {
	t.Parallel()
	type scopes = []string
	read, write := claims.Scopes("orders:read"), claims.Scopes("orders:write")
	for _, tt := range []struct {
		name    string
		needs   claims.Requirement
		text    string
		scope   string   // of a challenge
		meet    []scopes // callers that are allowed
		fail    []scopes // and refused
		class   error    // of the refusals
		asksFor string   // the scope of the refusals
	}{
		{
			name: "zero value", text: "Authenticated()", meet: []scopes{{}, {"x"}},
		},
		{
			name: "Authenticated", needs: claims.Authenticated(),
			text: "Authenticated()", meet: []scopes{{}, {"x"}},
		},
		{
			name: "Public", needs: claims.Public(), text: "Public()", meet: []scopes{{}, {"x"}},
		},
		{
			name: "Scopes of one", needs: read,
			text: `Scopes("orders:read")`, scope: "orders:read",
			meet:  []scopes{{"orders:read"}, {"x", "orders:read"}},
			fail:  []scopes{{}, {"x"}},
			class: claims.ErrInsufficientScope, asksFor: "orders:read",
		},
		{
			name: "Scopes of two", needs: claims.Scopes("a", "b"),
			text: `Scopes("a", "b")`, scope: "a b",
			meet:  []scopes{{"a", "b"}, {"b", "x", "a"}},
			fail:  []scopes{{}, {"a"}, {"b"}, {"ab"}},
			class: claims.ErrInsufficientScope, asksFor: "a b",
		},
		{
			name: "AnyScope of one", needs: claims.AnyScope("a"),
			text: `AnyScope("a")`, scope: "a",
			meet: []scopes{{"a"}}, fail: []scopes{{}, {"b"}},
			class: claims.ErrInsufficientScope, asksFor: "a",
		},
		{
			name: "AnyScope of two", needs: claims.AnyScope("a", "b"),
			text: `AnyScope("a", "b")`, scope: "a",
			meet:  []scopes{{"a"}, {"b"}, {"a", "b"}},
			fail:  []scopes{{}, {"ab"}, {"c"}},
			class: claims.ErrInsufficientScope, asksFor: "a",
		},
		{
			name: "All of scopes", needs: claims.All(read, write),
			text:  `All(Scopes("orders:read"), Scopes("orders:write"))`,
			scope: "orders:read orders:write",
			meet:  []scopes{{"orders:read", "orders:write"}},
			fail:  []scopes{{}, {"orders:read"}, {"orders:write"}},
			class: claims.ErrInsufficientScope, asksFor: "orders:read orders:write",
		},
		{
			name: "All of the same scope", needs: claims.All(read, claims.Scopes("orders:read", "x")),
			text:  `All(Scopes("orders:read"), Scopes("orders:read", "x"))`,
			scope: "orders:read x",
			meet:  []scopes{{"orders:read", "x"}}, fail: []scopes{{"x"}, {"orders:read"}},
			class: claims.ErrInsufficientScope, asksFor: "orders:read x",
		},
		{
			name: "All of scope and Func", needs: claims.All(read, yes),
			text: `All(Scopes("orders:read"), Func("decided"))`, scope: "orders:read",
			meet: []scopes{{"orders:read"}}, fail: []scopes{{}},
			class: claims.ErrInsufficientScope, asksFor: "orders:read",
		},
		{
			name: "All of one", needs: claims.All(claims.Authenticated()),
			text: `All(Authenticated())`, meet: []scopes{{}},
		},
		{
			name: "All of alternatives", needs: claims.All(claims.AnyScope("a", "b"), claims.Scopes("c")),
			text: `All(AnyScope("a", "b"), Scopes("c"))`, scope: "a c",
			meet: []scopes{{"a", "c"}, {"b", "c"}}, fail: []scopes{{"c"}, {"a"}, {"a", "b"}},
			class: claims.ErrInsufficientScope, asksFor: "a c",
		},
		{
			name: "AnyOf scopes", needs: claims.AnyOf(read, claims.Scopes("admin", "x")),
			text: `AnyOf(Scopes("orders:read"), Scopes("admin", "x"))`, scope: "orders:read",
			meet: []scopes{{"orders:read"}, {"admin", "x"}}, fail: []scopes{{}, {"admin"}, {"x"}},
			class: claims.ErrInsufficientScope, asksFor: "orders:read",
		},
		{
			name: "AnyOf Func and scope", needs: claims.AnyOf(no, read),
			text: `AnyOf(Func("decided"), Scopes("orders:read"))`, scope: "orders:read",
			meet: []scopes{{"orders:read"}}, fail: []scopes{{}},
			class: claims.ErrInsufficientScope, asksFor: "orders:read",
		},
		{
			name: "AnyOf without scopes", needs: claims.AnyOf(no, yes),
			text: `AnyOf(Func("decided"), Func("decided"))`, meet: []scopes{{}},
		},
		{
			name: "AnyOf All", needs: claims.AnyOf(claims.All(claims.Scopes("a"), claims.Scopes("b")), read),
			text:  `AnyOf(All(Scopes("a"), Scopes("b")), Scopes("orders:read"))`,
			scope: "a b",
			meet:  []scopes{{"a", "b"}, {"orders:read"}}, fail: []scopes{{"a"}, {"b"}},
			class: claims.ErrInsufficientScope, asksFor: "a b",
		},
		{
			name: "Func true", needs: yes, text: `Func("decided")`, meet: []scopes{{}},
		},
		{
			name: "Func false", needs: no, text: `Func("decided")`,
			fail: []scopes{{}, {"x"}}, class: claims.ErrForbidden,
		},
		{
			name: "name to be quoted", needs: claims.Func(`a "b"`, nil), text: `Func("a \"b\"")`,
			fail: []scopes{{}}, class: claims.ErrForbidden,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.text, tt.needs.String())
			assert.Equal(t, tt.text, fmt.Sprint(tt.needs))
			assert.Equal(t, tt.scope, tt.needs.Scope())
			assert.Equal(t, tt.name == "Public", tt.needs.IsPublic())
			if tt.name != "name to be quoted" {
				assert.NoError(t, tt.needs.Validate())
			}
			for _, granted := range tt.meet {
				assert.NoError(t, tt.needs.Check(t.Context(), callerWith(t, granted)), "%q", granted)
			}
			for _, granted := range tt.fail {
				err := tt.needs.Check(t.Context(), callerWith(t, granted))
				var refusal *claims.Error
				require.ErrorAs(t, err, &refusal, "%q", granted)
				assert.Equal(t, tt.class, refusal.Class(), "%q", granted)
				assert.Equal(t, tt.asksFor, refusal.Scope(), "%q", granted)
				reason := claims.ReasonPermission
				if tt.class == claims.ErrInsufficientScope {
					reason = claims.ReasonScope
				}
				assert.Equal(t, reason, refusal.Reason(), "%q", granted)
			}
		})
	}
}

// Scopes are compared exactly.
func TestScopes_tricks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		scope any
	}{
		{name: "none", scope: ""},
		{name: "empty array", scope: []string{}},
		{name: "superstring", scope: "orders:read:all orders:reader xorders:read"},
		{name: "prefix", scope: "orders orders: orders:rea"},
		{name: "suffix", scope: "read :read rders:read"},
		{name: "upper case", scope: "Orders:Read ORDERS:READ"},
		{name: "wildcards", scope: "* orders:* *:read orders.* .* orders:rea?"},
		{name: "commas", scope: "orders:read,orders:write"},
		{name: "tab", scope: "x\torders:read\ty"},
		{name: "tab before it", scope: "\torders:read"},
		{name: "line break", scope: "x\norders:read"},
		{name: "no-break space", scope: "x\u00a0orders:read"},
		{name: "NUL", scope: "orders:read\x00"},
		{name: "zero-width space", scope: "orders:read\u200b"},
		{name: "quotes", scope: `"orders:read"`},
		{name: "minus", scope: "-orders:read"},
		{name: "Cyrillic", scope: "\u043erders:read"},
		{name: "full-width colon", scope: "orders\uff1aread"},
		{name: "URL-encoded", scope: "orders%3Aread"},
		{name: "element with a space", scope: []string{"orders:read orders:write"}},
		{name: "element with spaces around", scope: []string{" orders:read "}},
		{name: "elements that join", scope: []string{"orders:", "read"}},
		{name: "empty element", scope: []string{"", " "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller := callerWith(t, tt.scope)
			assert.False(t, caller.HasScope("orders:read"))
			for _, needs := range []claims.Requirement{
				claims.Scopes("orders:read"), claims.AnyScope("orders:read"),
				claims.AnyScope("orders:read", "orders:write"),
				claims.All(claims.Scopes("orders:read")), claims.AnyOf(claims.Scopes("orders:read")),
			} {
				err := needs.Check(t.Context(), caller)
				assert.ErrorIs(t, err, claims.ErrInsufficientScope, "%v", needs)
			}
		})
	}
	for _, scope := range []any{
		"orders:read", " orders:read ", "x  orders:read y", []string{"orders:read"},
		[]string{"x y", "orders:read"},
	} {
		assert.NoError(t, claims.Scopes("orders:read").Check(t.Context(), callerWith(t, scope)))
	}
}

// What was put together wrongly is reported whole, and refuses everybody: also
// those who meet the part that is right.
func TestRequirement_invalid(t *testing.T) {
	t.Parallel()
	good := claims.Scopes("a")
	for _, tt := range []struct {
		name  string
		needs claims.Requirement
		wrong []string
	}{
		{name: "Scopes of nothing", needs: claims.Scopes(), wrong: []string{"Scopes"}},
		{name: "Scopes of an empty one", needs: claims.Scopes(""), wrong: []string{"Scopes", `""`}},
		{name: "Scopes in one string", needs: claims.Scopes("a b"), wrong: []string{"Scopes", `"a b"`}},
		{name: "Scopes with a quote", needs: claims.Scopes(`a"`), wrong: []string{`"a\""`}},
		{name: "Scopes with a backslash", needs: claims.Scopes(`a\b`), wrong: []string{`"a\\b"`}},
		{name: "Scopes with a line break", needs: claims.Scopes("a\n"), wrong: []string{`"a\n"`}},
		{name: "Scopes with a control", needs: claims.Scopes("a\x7f"), wrong: []string{`"a\x7f"`}},
		{name: "Scopes not ASCII", needs: claims.Scopes("é"), wrong: []string{`"é"`}},
		{name: "Scopes, the first wrong", needs: claims.Scopes("x y", "a"), wrong: []string{`"x y"`}},
		{
			name: "Scopes wrong twice", needs: claims.Scopes("x y", "a", "", "é"),
			wrong: []string{`"x y"`, `""`, `"é"`},
		},
		{name: "AnyScope of nothing", needs: claims.AnyScope(), wrong: []string{"AnyScope"}},
		{
			name: "AnyScope wrong twice", needs: claims.AnyScope("x y", ""),
			wrong: []string{"AnyScope", `"x y"`, `""`},
		},
		{name: "AnyScope, one wrong", needs: claims.AnyScope("a", "x y"), wrong: []string{`"x y"`}},
		{name: "All of nothing", needs: claims.All(), wrong: []string{"All"}},
		{name: "AnyOf nothing", needs: claims.AnyOf(), wrong: []string{"AnyOf"}},
		{name: "Func of nothing", needs: claims.Func("f", nil), wrong: []string{`Func("f")`}},
		{
			name: "Public in All", needs: claims.All(claims.Public(), good),
			wrong: []string{"Public", "All"},
		},
		{name: "Public alone in All", needs: claims.All(claims.Public()), wrong: []string{"Public"}},
		{
			name: "Public in AnyOf", needs: claims.AnyOf(good, claims.Public()),
			wrong: []string{"Public", "AnyOf"},
		},
		{name: "Public alone in AnyOf", needs: claims.AnyOf(claims.Public()), wrong: []string{"Public"}},
		{
			name:  "All wrong several times",
			needs: claims.All(good, claims.Scopes("x y"), claims.Func("f", nil), claims.Public()),
			wrong: []string{`"x y"`, `Func("f")`, "Public"},
		},
		{
			name:  "AnyOf wrong several times",
			needs: claims.AnyOf(good, claims.Scopes("x y"), claims.Func("f", nil), claims.Public()),
			wrong: []string{`"x y"`, `Func("f")`, "Public"},
		},
		{name: "AnyOf, one wrong", needs: claims.AnyOf(claims.Scopes(), good), wrong: []string{"Scopes"}},
		{
			name:  "deep inside All",
			needs: claims.All(good, claims.AnyOf(good, claims.All(good, claims.Scopes()))),
			wrong: []string{"Scopes"},
		},
		{
			name:  "deep inside AnyOf",
			needs: claims.AnyOf(good, claims.All(good, claims.AnyOf(good, claims.Public()))),
			wrong: []string{"Public"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.needs.Validate()
			for _, part := range tt.wrong {
				assert.ErrorContains(t, err, part)
			}
			for _, scope := range []any{"", "a", []string{"a", "x y", "", "é", "a b", `a"`, `a\b`, "a\n"}} {
				err := tt.needs.Check(t.Context(), callerWith(t, scope))
				var refusal *claims.Error
				if assert.ErrorAs(t, err, &refusal, "%q is allowed", scope) {
					assert.Contains(t, []error{claims.ErrForbidden, claims.ErrInsufficientScope}, refusal.Class())
				}
			}
		})
	}
}

func TestFunc(t *testing.T) {
	t.Parallel()
	cause := errors.New("postgres: password hunter2 refused")
	own := claims.NewError(claims.ErrForbidden, "own_reason", cause)
	for _, tt := range []struct {
		name    string
		allowed bool
		err     error
		class   error // nil if the caller is allowed
		reason  claims.Reason
	}{
		{name: "true", allowed: true},
		{name: "false", class: claims.ErrForbidden, reason: claims.ReasonPermission},
		{name: "error", err: cause, class: claims.ErrUnavailable, reason: claims.ReasonUndecided},
		{
			name: "true and an error", allowed: true, err: cause,
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
		{
			name: "context", err: context.DeadlineExceeded,
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
		{
			name: "forbidden", err: claims.ErrForbidden,
			class: claims.ErrForbidden, reason: claims.ReasonPermission,
		},
		{
			name: "forbidden and true", allowed: true, err: claims.ErrForbidden,
			class: claims.ErrForbidden, reason: claims.ReasonPermission,
		},
		{
			name: "forbidden, wrapped", err: fmt.Errorf("%w: %w", cause, claims.ErrForbidden),
			class: claims.ErrForbidden, reason: claims.ReasonPermission,
		},
		{
			name: "insufficient scope", err: claims.ErrInsufficientScope,
			class: claims.ErrInsufficientScope, reason: claims.ReasonScope,
		},
		{
			name: "insufficient authentication", err: claims.ErrInsufficientAuthentication,
			class: claims.ErrInsufficientAuthentication, reason: claims.ReasonAuthentication,
		},
		{
			name: "unavailable", err: claims.ErrUnavailable,
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
		// As when f finds that the token was revoked.
		{
			name: "invalid token", err: claims.ErrInvalidToken,
			class: claims.ErrInvalidToken, reason: claims.ReasonRejected,
		},
		{
			name: "no token", err: claims.ErrNoToken,
			class: claims.ErrNoToken, reason: claims.ReasonNoToken,
		},
		{
			name: "invalid request", err: claims.ErrInvalidRequest,
			class: claims.ErrInvalidRequest, reason: claims.ReasonMalformedCredentials,
		},
		{name: "refusal", err: own, class: claims.ErrForbidden, reason: "own_reason"},
		{
			name: "refusal and true", allowed: true, err: own,
			class: claims.ErrForbidden, reason: "own_reason",
		},
		{
			name: "refusal, wrapped", err: fmt.Errorf("x: %w", own),
			class: claims.ErrForbidden, reason: "own_reason",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			type key struct{}
			ctx := context.WithValue(t.Context(), key{}, 1)
			caller := callerWith(t, "")
			needs := claims.Func("f", func(got context.Context, who *claims.Claims) (bool, error) {
				assert.Equal(t, 1, got.Value(key{}))
				assert.Equal(t, caller, who)
				return tt.allowed, tt.err
			})
			err := needs.Check(ctx, caller)
			if tt.class == nil {
				require.NoError(t, err)
				return
			}
			var refusal *claims.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, tt.reason, refusal.Reason())
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, refusal.Text(), "hunter2")
			if errors.Is(tt.err, cause) {
				assert.ErrorIs(t, err, cause, "operators are told")
			}
		})
	}
}

// trace counts the calls of requirements, so that order and short circuit show.
type trace struct{ calls []string }

func (c *trace) of(name string, allowed bool, err error) claims.Requirement {
	return claims.Func(name, func(context.Context, *claims.Claims) (bool, error) {
		c.calls = append(c.calls, name)
		return allowed, err
	})
}

func TestAll_order(t *testing.T) {
	t.Parallel()
	unwell := errors.New("x")
	for _, tt := range []struct {
		name  string
		needs func(*trace) []claims.Requirement
		calls []string
		class error
		scope string
	}{
		{
			name: "all met",
			needs: func(c *trace) []claims.Requirement {
				return []claims.Requirement{c.of("1", true, nil), c.of("2", true, nil), c.of("3", true, nil)}
			},
			calls: []string{"1", "2", "3"},
		},
		{
			name: "second refuses",
			needs: func(c *trace) []claims.Requirement {
				return []claims.Requirement{c.of("1", true, nil), c.of("2", false, nil), c.of("3", true, nil)}
			},
			calls: []string{"1", "2"}, class: claims.ErrForbidden,
		},
		{
			name: "first undecided",
			needs: func(c *trace) []claims.Requirement {
				return []claims.Requirement{c.of("1", false, unwell), c.of("2", false, nil)}
			},
			calls: []string{"1", "2"}, class: claims.ErrForbidden,
		},
		{
			name: "first undecided, second allows",
			needs: func(c *trace) []claims.Requirement {
				return []claims.Requirement{c.of("1", false, unwell), c.of("2", true, nil)}
			},
			calls: []string{"1", "2"}, class: claims.ErrUnavailable,
		},
		{
			name: "scope lacking before a Func",
			needs: func(c *trace) []claims.Requirement {
				return []claims.Requirement{claims.Scopes("a"), c.of("1", false, nil), claims.Scopes("b")}
			},
			class: claims.ErrInsufficientScope, scope: "a b",
		},
		{
			name: "scope lacking after a Func that refuses",
			needs: func(c *trace) []claims.Requirement {
				return []claims.Requirement{c.of("1", false, nil), claims.Scopes("a")}
			},
			class: claims.ErrInsufficientScope, scope: "a",
		},
		{
			name: "scope lacking after a Func that allows",
			needs: func(c *trace) []claims.Requirement {
				return []claims.Requirement{c.of("1", true, nil), claims.Scopes("a")}
			},
			class: claims.ErrInsufficientScope, scope: "a",
		},
		{
			name: "forbidden for a reason that has to do with scope",
			needs: func(c *trace) []claims.Requirement {
				refusal := claims.NewError(
					claims.ErrForbidden, claims.ReasonPermission, claims.ErrInsufficientScope)
				return []claims.Requirement{c.of("1", false, refusal), c.of("2", true, nil)}
			},
			calls: []string{"1"}, class: claims.ErrForbidden,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &trace{}
			err := claims.All(tt.needs(c)...).Check(t.Context(), callerWith(t, ""))
			assert.Equal(t, tt.calls, c.calls)
			if tt.class == nil {
				require.NoError(t, err)
				return
			}
			var refusal *claims.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, tt.scope, refusal.Scope())
		})
	}
}

func TestAnyOf_precedence(t *testing.T) {
	t.Parallel()
	a, b := claims.Scopes("a"), claims.Scopes("b")
	tooWeak := decided(false, claims.ErrInsufficientAuthentication)
	// Forbidden, and the cause of it says something else.
	denied := decided(false, claims.NewError(
		claims.ErrForbidden, claims.ReasonPermission, claims.ErrUnavailable))
	type list = []claims.Requirement
	for _, tt := range []struct {
		name  string
		needs list
		class error // nil if the caller, who has scope "granted", is allowed
		scope string
	}{
		{name: "first met", needs: list{yes, lost}},
		{name: "last met", needs: list{no, a, claims.Scopes("granted")}},
		{name: "met after undecided", needs: list{lost, yes}},
		{name: "all forbidden", needs: list{no, no}, class: claims.ErrForbidden},
		{name: "first scope", needs: list{a, b}, class: claims.ErrInsufficientScope, scope: "a"},
		{
			name: "scope after forbidden", needs: list{no, b, a},
			class: claims.ErrInsufficientScope, scope: "b",
		},
		{
			name: "scope before forbidden", needs: list{a, no},
			class: claims.ErrInsufficientScope, scope: "a",
		},
		{name: "undecided last", needs: list{no, a, lost}, class: claims.ErrUnavailable},
		{name: "undecided first", needs: list{lost, a, no}, class: claims.ErrUnavailable},
		{
			name: "authentication after forbidden", needs: list{no, tooWeak},
			class: claims.ErrInsufficientAuthentication,
		},
		{
			name: "authentication before forbidden", needs: list{tooWeak, no},
			class: claims.ErrInsufficientAuthentication,
		},
		{
			name: "scope before authentication", needs: list{a, tooWeak},
			class: claims.ErrInsufficientScope, scope: "a",
		},
		{
			name: "scope of All", needs: list{no, claims.All(a, b)},
			class: claims.ErrInsufficientScope, scope: "a b",
		},
		{
			name: "undecided inside All", needs: list{a, claims.All(yes, lost)},
			class: claims.ErrUnavailable,
		},
		{
			name: "forbidden with another cause", needs: list{denied, a},
			class: claims.ErrInsufficientScope, scope: "a",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := claims.AnyOf(tt.needs...).Check(t.Context(), callerWith(t, "granted"))
			if tt.class == nil {
				require.NoError(t, err)
				return
			}
			var refusal *claims.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, tt.scope, refusal.Scope())
		})
	}

	c := &trace{}
	needs := claims.AnyOf(c.of("1", false, nil), c.of("2", true, nil), c.of("3", true, nil))
	require.NoError(t, needs.Check(t.Context(), callerWith(t, "")))
	assert.Equal(t, []string{"1", "2"}, c.calls)
}

// A Requirement keeps nothing that its maker can change later.
func TestRequirement_immutable(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b"}
	parts := []claims.Requirement{claims.Scopes("a"), claims.Scopes("b")}
	type snapshot struct{ text, scope string }
	all := []claims.Requirement{
		claims.Scopes(names...), claims.AnyScope(names...), claims.All(parts...), claims.AnyOf(parts...),
	}
	var before []snapshot
	for _, needs := range all {
		before = append(before, snapshot{needs.String(), needs.Scope()})
	}
	names[0], names[1] = "x", "y"
	parts[0], parts[1] = claims.Public(), claims.Authenticated()
	for i, needs := range all {
		assert.Equal(t, before[i], snapshot{needs.String(), needs.Scope()})
		assert.NoError(t, needs.Validate())
		assert.NoError(t, needs.Check(t.Context(), callerWith(t, "a b")))
		assert.Error(t, needs.Check(t.Context(), callerWith(t, "x y")))
	}
}
