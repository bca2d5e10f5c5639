package claims_test

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func anyRequest(context.Context, *claims.Claims, *message) (bool, error) { return true, nil }

// different are requirements of which no two are equal, each made anew.
func different() []claims.Requirement {
	s, p := claims.Scopes, claims.Permissions
	return []claims.Requirement{
		claims.Public(), claims.Authenticated(),
		s("a"), s("b"), s("a", "b"), s("b", "a"), s("a", "a"), s("A"),
		claims.AnyScope("a", "b"), claims.AnyScope("b", "a"), claims.AnyScope("a"),
		p("a"), p("b"), p("a", "b"), p("b", "a"),
		claims.AnyPermission("a", "b"), claims.AnyPermission("b", "a"), claims.AnyPermission("a"),
		claims.ACR("a"), claims.ACR("b"), claims.ACR("a", "b"), claims.ACR("b", "a"),
		claims.MaxAge(time.Second), claims.MaxAge(time.Minute),
		claims.All(s("a")), claims.All(s("a"), p("a")), claims.All(p("a"), s("a")),
		claims.All(s("a"), s("b")), claims.All(s("b"), s("a")), claims.All(s("a"), s("b"), s("b")),
		claims.All(claims.All(s("a"), s("b"))), claims.All(claims.All(s("a")), s("b")),
		claims.All(claims.Authenticated()),
		claims.AnyOf(p("a"), s("a")), claims.AnyOf(s("a"), p("a")),
		claims.AnyOf(s("a"), s("b")), claims.AnyOf(p("a"), p("b")), // not AnyScope, not AnyPermission
		claims.ReportOnly(s("a")), claims.ReportOnly(s("b")), claims.ReportOnly(claims.Authenticated()),
		claims.ReportOnly(claims.ReportOnly(s("a"))),
		claims.InWorkspace("w", p("a")), claims.InWorkspace("w", p("b")), claims.InWorkspace("W", p("a")),
		claims.InWorkspace("w", claims.InWorkspace("w", p("a"))),
		claims.InWorkspaceOf("w", (*message).GetWorkspace, p("a")),
		claims.Func("f", func(context.Context, *claims.Claims) (bool, error) { return true, nil }),
		claims.RequestFunc("f", anyRequest),
		// Those that are put together wrongly.
		s(), s(""), s("a b"), p(), p(""), claims.ACR(), claims.MaxAge(0), claims.MaxAge(-1),
		claims.All(), claims.AnyOf(), claims.Func("f", nil), claims.RequestFunc[*message]("f", nil),
		claims.All(claims.Public()), claims.AnyOf(claims.Public()), claims.AnyOf(claims.Authenticated()),
		claims.InWorkspace("", p("a")), claims.InWorkspace("w", s("a")), claims.ReportOnly(claims.Public()),
		claims.InWorkspaceOf[*message]("w", nil, p("a")),
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	list, again := different(), different()
	for i, a := range list {
		assert.True(t, a.Equal(a), "reflexive: %s", a)
		same := a // a copy
		assert.True(t, same.Equal(a), "%s", a)
		for j, b := range list {
			if i != j {
				assert.False(t, a.Equal(b), "%d %s, %d %s", i, a, j, b)
			}
		}
		for j, b := range again {
			assert.Equal(t, a.Equal(b), b.Equal(a), "symmetric: %s, %s", a, b)
			if i != j {
				assert.False(t, a.Equal(b), "%s, %s", a, b)
				continue
			}
			switch a.String()[:4] {
			case "Func", "Requ", "InWo":
				if a.String()[:4] != "InWo" || a.String() == `InWorkspaceOf("w", Permissions("a"))` {
					assert.False(t, a.Equal(b), "functions cannot be compared: %s", a)
					assert.False(t, claims.All(a).Equal(claims.All(b)), "%s", a)
					assert.False(t, claims.ReportOnly(a).Equal(claims.ReportOnly(b)), "%s", a)
					continue
				}
			}
			assert.True(t, a.Equal(b), "made alike: %s", a)
			assert.True(t, claims.All(a).Equal(claims.All(b)), "%s", a)
			assert.True(t, claims.ReportOnly(a).Equal(claims.ReportOnly(b)), "%s", a)
		}
	}
	assert.True(t, claims.Requirement{}.Equal(claims.Authenticated()))
	f := claims.RequestFunc("f", anyRequest)
	assert.True(t, claims.AnyOf(claims.Scopes("a"), f).Equal(claims.AnyOf(claims.Scopes("a"), f)), "the same function")
}

func TestMarshalText(t *testing.T) {
	t.Parallel()
	for _, r := range different() {
		var marshaler encoding.TextMarshaler = r
		text, err := marshaler.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, r.String(), string(text))
		assert.Equal(t, r.String(), fmt.Sprint(r))
		encoded, err := json.Marshal(map[string]claims.Requirement{"GET /": r})
		require.NoError(t, err)
		var table map[string]string
		require.NoError(t, json.Unmarshal(encoded, &table))
		assert.Equal(t, map[string]string{"GET /": r.String()}, table)
	}
	for want, r := range map[string]claims.Requirement{
		`All(ACR("a", "b"), MaxAge(5m0s), ReportOnly(Permissions("p\"")))`: claims.All(claims.ACR("a", "b"),
			claims.MaxAge(5*time.Minute), claims.ReportOnly(claims.Permissions(`p"`))),
		`InWorkspace("w\n", AnyPermission("a", "b"))`:           claims.InWorkspace("w\n", claims.AnyPermission("a", "b")),
		`InWorkspaceOf("n", RequestFunc("f"))`:                  inText(claims.RequestFunc("f", anyRequest)),
		`AnyOf(InWorkspaceOf("n", Permissions("a")), Func(""))`: claims.AnyOf(inText(claims.Permissions("a")), claims.Func("", nil)),
	} {
		assert.Equal(t, want, r.String())
	}
}

func inText(needs claims.Requirement) claims.Requirement {
	return claims.InWorkspaceOf("n", (*message).GetWorkspace, needs)
}

func TestScope_forms(t *testing.T) {
	t.Parallel()
	s, p := claims.Scopes, claims.Permissions
	for _, tt := range []struct {
		name  string
		needs claims.Requirement
		want  string
	}{
		{name: "none", needs: claims.Authenticated()},
		{name: "public", needs: claims.Public()},
		{name: "permissions", needs: claims.AnyOf(p("a"), claims.AnyPermission("b", "c"))},
		{name: "authentication", needs: claims.All(claims.ACR("a"), claims.MaxAge(time.Second))},
		{name: "only reported", needs: claims.All(p("x"), claims.ReportOnly(s("a")))},
		{name: "reported and needed", needs: claims.All(claims.ReportOnly(s("a")), s("b")), want: "b"},
		{name: "in a workspace", needs: claims.InWorkspace("w", claims.All(p("p"), s("a"))), want: "a"},
		{name: "in that of a request", needs: inNamed(claims.All(s("a"), p("p"))), want: "a"},
		{name: "each once", needs: claims.All(s("a", "b"), s("b", "c"), s("a")), want: "a b c"},
		{name: "as in the order given", needs: claims.All(p("p"), s("b"), s("a")), want: "b a"},
		{name: "first alternative that names one", needs: claims.AnyOf(p("p"), s("b"), s("a")), want: "b"},
		{name: "of each choice one", needs: claims.All(claims.AnyScope("a", "b"), claims.AnyScope("c", "d")), want: "a c"},
		{name: "nested choice", needs: claims.AnyOf(claims.AnyOf(p("p"), claims.All(s("a"), claims.AnyScope("b", "c"))), s("d")), want: "a b"},
		{name: "wrong", needs: s("a", "b c")},
		{name: "wrong inside", needs: claims.All(s("a"), s("b c"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, tt.needs.Scope())
			assert.Equal(t, tt.want, claims.AsError(claims.Allowed(t.Context(), tt.needs)).Scope())
		})
	}
}

// Nothing that is done with the arguments later, or with what is returned,
// changes a Requirement.
func TestRequirement_immutableParts(t *testing.T) {
	t.Parallel()
	names := func() []string { return []string{"a", "b"} }
	for name, build := range map[string]func([]string) claims.Requirement{
		"Permissions":   func(l []string) claims.Requirement { return claims.Permissions(l...) },
		"AnyPermission": func(l []string) claims.Requirement { return claims.AnyPermission(l...) },
		"ACR":           func(l []string) claims.Requirement { return claims.ACR(l...) },
		"AnyScope":      func(l []string) claims.Requirement { return claims.AnyScope(l...) },
	} {
		arguments := names()
		built := build(arguments)
		arguments[0], arguments[1] = "x", ""
		assert.True(t, built.Equal(build(names())), name)
		assert.NoError(t, built.Validate(), name)
		text, err := built.MarshalText()
		require.NoError(t, err)
		clear(text)
		assert.Equal(t, build(names()).String(), built.String(), name)
	}
	parts := []claims.Requirement{claims.ACR("a"), claims.Permissions("p")}
	all, anyOf := claims.All(parts...), claims.AnyOf(parts...)
	parts[0], parts[1] = claims.Public(), claims.Requirement{}
	assert.Equal(t, `All(ACR("a"), Permissions("p"))`, all.String())
	assert.Equal(t, `AnyOf(ACR("a"), Permissions("p"))`, anyOf.String())
	assert.NoError(t, all.Validate())
	assert.NoError(t, anyOf.Validate())
}
