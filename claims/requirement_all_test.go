package claims_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// A refusal asks for everything at once that the token has to have.
func TestAuthentication_asksForAll(t *testing.T) {
	t.Parallel()
	needs := claims.All(
		claims.Scopes("a"), claims.ACR("gold", "silver"), claims.MaxAge(time.Hour),
		claims.All(claims.Scopes("b", "a"), claims.ACR("silver", "bronze"), claims.MaxAge(time.Minute)),
		claims.AnyOf(claims.Permissions("secret-permission"), claims.Scopes("c")),
	)
	require.NoError(t, needs.Validate())
	refusal := assertRefusal(t, claims.ErrInsufficientAuthentication,
		needs.Check(t.Context(), callerWith(t, "a b c")))
	assert.Equal(t, "a b c", refusal.Scope())
	assert.Equal(t, "silver", refusal.ACRValues())
	assert.Equal(t, time.Minute, refusal.MaxAge())
	refusal = assertRefusal(t, claims.ErrInsufficientScope, needs.Check(t.Context(), callerWith(t, "x")))
	assert.Equal(t, "a b c", refusal.Scope())
	assert.Empty(t, refusal.ACRValues())
	assert.Zero(t, refusal.MaxAge())
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

// What is asked for besides what is lacking is, of alternatives, that which the
// caller has already; else the first that another token would help with. Nobody
// is asked for the sake of it.
func TestAll_asksForLeast(t *testing.T) {
	t.Parallel()
	p, s := claims.Permissions, claims.Scopes
	asked := func(t *testing.T) claims.Requirement {
		return claims.Func("asked", func(context.Context, *claims.Claims) (bool, error) {
			t.Error("Func was asked")
			return true, nil
		})
	}
	askedOfMessage := func(t *testing.T) claims.Requirement {
		return claims.RequestFunc("asked", func(context.Context, *claims.Claims, *message) (bool, error) {
			t.Error("RequestFunc was asked")
			return true, nil
		})
	}
	for _, tt := range []struct {
		name  string
		needs func(t *testing.T) claims.Requirement // besides scope "lacking"
		scope string
	}{
		{name: "the first", needs: func(*testing.T) claims.Requirement { return claims.AnyScope("x", "y") }, scope: "x"},
		{name: "that which is held", needs: func(*testing.T) claims.Requirement { return claims.AnyScope("x", "held") }, scope: "held"},
		{
			name:  "a permission that is held",
			needs: func(*testing.T) claims.Requirement { return claims.AnyOf(s("x"), p("token")) },
		},
		{
			name:  "a permission that is not",
			needs: func(*testing.T) claims.Requirement { return claims.AnyOf(p("none"), s("x")) }, scope: "x",
		},
		{
			name:  "in All",
			needs: func(*testing.T) claims.Requirement { return claims.All(claims.AnyScope("x", "held")) }, scope: "held",
		},
		{
			name: "in All, in a workspace",
			needs: func(*testing.T) claims.Requirement {
				return claims.InWorkspace("w", claims.All(p("none"), claims.AnyScope("x", "held")))
			},
			scope: "held",
		},
		{
			name: "a permission in the workspace",
			needs: func(*testing.T) claims.Requirement {
				return claims.InWorkspace("w", claims.AnyOf(s("x"), p("in w")))
			},
		},
		{
			name: "a permission in another",
			needs: func(*testing.T) claims.Requirement {
				return claims.InWorkspace("v", claims.AnyOf(s("x"), p("in w")))
			},
			scope: "x",
		},
		{
			name:  "a permission in the workspace of the message",
			needs: func(*testing.T) claims.Requirement { return inNamed(claims.AnyOf(s("x"), p("in w"))) },
		},
		{
			name: "of another message",
			needs: func(*testing.T) claims.Requirement {
				return claims.InWorkspaceOf("other", func(string) string { return "w" }, claims.AnyOf(s("x"), p("in w")))
			},
			scope: "x",
		},
		{
			name: "of another message, and what the token says",
			needs: func(*testing.T) claims.Requirement {
				return claims.InWorkspaceOf("other", func(string) string { return "w" }, claims.AnyOf(s("x"), p("token")))
			},
			scope: "x",
		},
		{name: "Func", needs: func(t *testing.T) claims.Requirement { return claims.AnyOf(asked(t), s("x")) }, scope: "x"},
		{
			name:  "RequestFunc",
			needs: func(t *testing.T) claims.Requirement { return claims.AnyOf(askedOfMessage(t), s("x")) }, scope: "x",
		},
		{
			name: "what is only tried",
			needs: func(t *testing.T) claims.Requirement {
				return claims.AnyOf(s("x"), claims.All(s("held"), claims.ReportOnly(asked(t))))
			},
			scope: "held",
		},
		{
			name:  "an age",
			needs: func(*testing.T) claims.Requirement { return claims.AnyOf(claims.MaxAge(time.Minute), s("x")) },
		},
		{
			name:  "an acr goes with none",
			needs: func(*testing.T) claims.Requirement { return claims.AnyOf(claims.ACR("gold"), s("x")) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller := permitted(t, m{"sub": "alice", "scope": "held", "permissions": []string{"token"}})
			guard := guardOf(t, caller, claims.GuardConfig{
				Permissions: granting(claims.Grants{Workspaces: map[string][]string{"w": {"in w"}}}),
				Observer:    (&record{}).observe,
			})
			ctx, err := ask(t.Context(), guard, claims.Authenticated(), &message{"w"})
			assert.NoError(t, err)
			assertRefusal(t, claims.ErrForbidden, claims.Allowed(ctx, p("none"))) // now the source is known
			refusal := assertRefusal(t, claims.ErrInsufficientScope, claims.Allowed(ctx, claims.All(s("lacking"), tt.needs(t))))
			want := "lacking"
			if tt.scope != "" {
				want = "lacking " + tt.scope
			}
			assert.Equal(t, want, refusal.Scope())
		})
	}
}

// Of what cannot be decided the first is told, and a refusal keeps a reason of
// its own.
func TestAll_whichRefusal(t *testing.T) {
	t.Parallel()
	because := func(class error, reason claims.Reason) claims.Requirement {
		return decided(false, claims.NewError(class, reason, nil))
	}
	for _, tt := range []struct {
		needs  claims.Requirement
		class  error
		reason claims.Reason
		scope  string
	}{
		{
			needs: claims.All(because(claims.ErrUnavailable, "first"), because(claims.ErrUnavailable, "second")),
			class: claims.ErrUnavailable, reason: "first",
		},
		{
			needs: claims.All(claims.Scopes("a"), because(claims.ErrInsufficientScope, "own")),
			class: claims.ErrInsufficientScope, reason: "own", scope: "a",
		},
		{
			needs: claims.All(claims.Scopes("a"), because(claims.ErrInsufficientAuthentication, "own")),
			class: claims.ErrInsufficientAuthentication, reason: "own", scope: "a",
		},
	} {
		refusal := assertRefusal(t, tt.class, tt.needs.Check(t.Context(), callerWith(t, "a")), "%s", tt.needs)
		assert.Equal(t, tt.reason, refusal.Reason())
		assert.Equal(t, tt.scope, refusal.Scope())
	}
	for _, class := range []error{claims.ErrInsufficientScope, claims.ErrInsufficientAuthentication} {
		err := claims.All(claims.Scopes("a"), decided(false, fmt.Errorf("%w: %w", class, errDown))).
			Check(t.Context(), callerWith(t, "a"))
		assertRefusal(t, class, err)
		assert.ErrorIs(t, err, errDown, "operators are told")
	}
}

// However deep it stands, what asks somebody comes after what the token says,
// and what is only tried after what is enforced.
func TestAll_localFirst(t *testing.T) {
	t.Parallel()
	s := claims.Scopes
	before := func(local claims.Requirement) func(c *trace) claims.Requirement {
		return func(c *trace) claims.Requirement { return claims.All(c.of("asked", true, nil), local) }
	}
	for name, needs := range map[string]func(c *trace) claims.Requirement{
		"Scopes": before(s("a")), "AnyScope": before(claims.AnyScope("a", "x")),
		"All": before(claims.All(s("a"))), "AnyOf": before(claims.AnyOf(s("a"), s("x"))),
		"AnyOf first": before(claims.AnyOf(claims.All(s("a"), s("b")), claims.All(s("b"), s("x")))),
		"ACR":         before(claims.ACR("gold")), "MaxAge": before(claims.MaxAge(time.Minute)),
		"in All": func(c *trace) claims.Requirement {
			return claims.All(claims.All(c.of("asked", true, nil), s("b")), s("a"))
		},
		"in AnyOf": func(c *trace) claims.Requirement {
			return claims.All(claims.AnyOf(s("x"), c.of("asked", true, nil)), s("a"))
		},
		"in a trial": func(c *trace) claims.Requirement {
			return claims.All(claims.All(claims.ReportOnly(c.of("asked", true, nil)), s("b")), s("a"))
		},
		"in a trial, before a Func": func(c *trace) claims.Requirement {
			return claims.All(claims.ReportOnly(c.of("asked", true, nil)), decided(false, claims.ErrInsufficientScope))
		},
		"of the request": func(c *trace) claims.Requirement {
			return claims.All(claims.RequestFunc("f", func(context.Context, *claims.Claims, any) (bool, error) {
				c.calls = append(c.calls, "asked")
				return true, nil
			}), s("a"))
		},
	} {
		c, record := &trace{}, &record{}
		guard := guardOf(t, callerWith(t, "b"), claims.GuardConfig{Observer: record.observe})
		_, err := ask(t.Context(), guard, needs(c), &message{"w"})
		class := claims.ErrInsufficientScope
		if name == "ACR" || name == "MaxAge" {
			class = claims.ErrInsufficientAuthentication
		}
		assertRefusal(t, class, err, name)
		assert.Empty(t, c.calls, name)
	}
}
