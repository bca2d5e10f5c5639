package claims_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
)

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

// Of two refusals of a weight that of the alternative named first is given,
// though another was checked before.
func TestAnyOf_firstNamed(t *testing.T) {
	t.Parallel()
	weak := decided(false, claims.ErrInsufficientAuthentication)
	for _, tt := range []struct {
		needs claims.Requirement
		class error
	}{
		{claims.AnyOf(weak, claims.Scopes("a")), claims.ErrInsufficientAuthentication},
		{claims.AnyOf(claims.Scopes("a"), weak), claims.ErrInsufficientScope},
		{claims.AnyOf(no, weak, claims.Scopes("a")), claims.ErrInsufficientAuthentication},
	} {
		assertRefusal(t, tt.class, tt.needs.Check(t.Context(), callerWith(t, "")), "%s", tt.needs)
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
