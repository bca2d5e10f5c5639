package claims_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// message is a request that names a workspace.
type message struct{ workspace string }

func (m *message) GetWorkspace() string { return m.workspace }

type named interface{ GetWorkspace() string }

func inNamed(needs claims.Requirement) claims.Requirement {
	return claims.InWorkspaceOf("named", named.GetWorkspace, needs)
}

func TestInWorkspace(t *testing.T) {
	t.Parallel()
	grants := claims.Grants{
		Permissions: []string{"everywhere"},
		Workspaces:  map[string][]string{"a": {"p"}, "b": {"q"}, "": {"nowhere"}, "*": {"star"}},
	}
	p := claims.Permissions
	deep := claims.InWorkspace
	for _, tt := range []struct {
		name  string
		needs claims.Requirement
		holds bool
	}{
		{name: "in its own", needs: deep("a", p("p")), holds: true},
		{name: "in another", needs: deep("b", p("p"))},
		{name: "in none", needs: p("p")},
		{name: "unknown workspace", needs: deep("c", p("p"))},
		{name: "everywhere, in one", needs: deep("a", p("everywhere")), holds: true},
		{name: "everywhere, in an unknown one", needs: deep("c", p("everywhere")), holds: true},
		{name: "everywhere, in none", needs: p("everywhere"), holds: true},
		{name: "of the empty one", needs: p("nowhere")},
		{name: "of the empty one, in one", needs: deep("a", p("nowhere"))},
		{name: "of what is called star", needs: deep("a", p("star"))},
		{name: "in what is called star", needs: deep("*", p("star")), holds: true},
		{name: "star is not every", needs: deep("*", p("p"))},
		{name: "both, in one", needs: deep("a", p("p", "everywhere")), holds: true},
		{name: "of two", needs: deep("a", p("p", "q"))},
		{name: "two workspaces", needs: claims.All(deep("a", p("p")), deep("b", p("q"))), holds: true},
		{name: "two, mixed up", needs: claims.All(deep("b", p("p")), deep("a", p("q")))},
		{name: "alternative", needs: claims.AnyOf(deep("b", p("p")), deep("a", p("p"))), holds: true},
		{name: "by the token", needs: p("token"), holds: true},
		{name: "by the token, in one", needs: deep("a", p("token"))},
		{name: "it ends where it ends", needs: claims.All(deep("a", p("p")), p("token")), holds: true},
		{name: "and not later", needs: claims.All(deep("a", p("p")), p("p"))},
		{name: "after a refusal inside", needs: claims.AnyOf(deep("a", p("q")), p("token")), holds: true},
		{name: "two side by side", needs: claims.All(deep("b", p("q")), deep("a", p("p"))), holds: true},
		{name: "one of two", needs: claims.All(deep("b", p("p")), deep("a", p("p")))},
		{name: "scopes are of no workspace", needs: deep("a", claims.All(p("p"), claims.Scopes("s"))), holds: true},
		{name: "a scope lacking", needs: deep("a", claims.All(p("p"), claims.Scopes("t")))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, tt.needs.Validate())
			caller := permitted(t, m{"sub": "alice", "scope": "s", "permissions": []string{"token"}})
			guard := guardOf(t, caller, claims.GuardConfig{Permissions: granting(grants)})
			_, err := ask(t.Context(), guard, tt.needs, nil)
			assert.Equal(t, tt.holds, err == nil, "%v", err)
		})
	}
}

func TestInWorkspaceOf(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("w", 256)
	grants := claims.Grants{
		Permissions: []string{"everywhere"},
		Workspaces: map[string][]string{
			"a": {"p"}, "": {"p"}, long: {"p"}, long + "w": {"p"},
		},
	}
	for _, tt := range []struct {
		name    string
		request any
		needs   claims.Requirement
		holds   bool
	}{
		{name: "its own", request: &message{"a"}, needs: claims.Permissions("p"), holds: true},
		{name: "another", request: &message{"b"}, needs: claims.Permissions("p")},
		{name: "other case", request: &message{"A"}, needs: claims.Permissions("p")},
		{name: "path below", request: &message{"a/b"}, needs: claims.Permissions("p")},
		{name: "path that leads to it", request: &message{"b/../a"}, needs: claims.Permissions("p")},
		{name: "space before", request: &message{" a"}, needs: claims.Permissions("p")},
		{name: "NUL behind", request: &message{"a\x00"}, needs: claims.Permissions("p")},
		{name: "star", request: &message{"*"}, needs: claims.Permissions("p")},
		{name: "none", request: &message{""}, needs: claims.Permissions("p")},
		{name: "none, for what holds everywhere", request: &message{""}, needs: claims.Permissions("everywhere")},
		{name: "unknown, for what holds everywhere", request: &message{"z"}, needs: claims.Permissions("everywhere"), holds: true},
		{name: "as long as can be", request: &message{long}, needs: claims.Permissions("p"), holds: true},
		{name: "too long", request: &message{long + "w"}, needs: claims.Permissions("p")},
		{name: "too long, for what holds everywhere", request: &message{long + "w"}, needs: claims.Permissions("everywhere")},
		{name: "no request", needs: claims.Permissions("everywhere")},
		{name: "no such request", request: "a", needs: claims.Permissions("everywhere")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller := permitted(t, m{"sub": "alice", "permissions": []string{"p"}})
			guard := guardOf(t, caller, claims.GuardConfig{Permissions: granting(grants)})
			needs := inNamed(tt.needs)
			require.NoError(t, needs.ValidateFor((*message)(nil)))
			ctx, err := ask(t.Context(), guard, needs, tt.request)
			if tt.holds {
				require.NoError(t, err)
				assert.NoError(t, claims.Allowed(ctx, needs))
				return
			}
			refusal := assertRefusal(t, claims.ErrForbidden, err)
			assert.Equal(t, claims.ReasonPermission, refusal.Reason())
			assert.Empty(t, refusal.Scope())
			if _, ok := tt.request.(named); !ok {
				assert.ErrorContains(t, refusal.Unwrap(), `InWorkspaceOf("named"`, "operators are told")
				assert.ErrorContains(t, refusal.Unwrap(), "wants a claims_test.named")
			}
		})
	}
}

// Without a source there are no workspaces, whatever the token says.
func TestInWorkspace_withoutSource(t *testing.T) {
	t.Parallel()
	caller := permitted(t, m{"sub": "alice", "permissions": []string{"p"}})
	for _, needs := range []claims.Requirement{
		claims.InWorkspace("a", claims.Permissions("p")), inNamed(claims.Permissions("p")),
		claims.InWorkspace("a", claims.AnyPermission("x", "p")),
	} {
		_, err := ask(t.Context(), guardOf(t, caller, claims.GuardConfig{}), needs, &message{"a"})
		assertRefusal(t, claims.ErrForbidden, err)
		assertRefusal(t, claims.ErrForbidden, needs.Check(t.Context(), caller))
		assertRefusal(t, claims.ErrForbidden, claims.Allowed(claims.NewContext(t.Context(), caller), needs))
	}
}
