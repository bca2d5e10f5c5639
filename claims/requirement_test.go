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
