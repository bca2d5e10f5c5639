package claims_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// What is wrong is reported whole, and refuses everybody, whoever it is.
func TestValidate_allAtOnce(t *testing.T) {
	t.Parallel()
	p, s := claims.Permissions, claims.Scopes
	for _, tt := range []struct {
		name  string
		needs claims.Requirement
		wrong []string
	}{
		{
			name: "everything", needs: claims.All(s("x y"), p(""), claims.ACR("q\""), claims.MaxAge(1), claims.Func("f", nil),
				claims.RequestFunc[*message]("g", nil), claims.InWorkspaceOf[*message]("h", nil, p("p")),
				claims.InWorkspace("w", s("a")), claims.ReportOnly(claims.Public()), claims.AnyOf(claims.Authenticated()), claims.All()),
			wrong: []string{`"x y"`, "Permissions", `"q\""`, "MaxAge", `Func("f")`, `RequestFunc("g")`, `InWorkspaceOf("h")`,
				`InWorkspace("w"`, "ReportOnly", "AnyOf", "All needs"},
		},
		{name: "no workspace", needs: claims.InWorkspace("", p("p")), wrong: []string{"InWorkspace"}},
		{name: "a workspace too long", needs: claims.InWorkspace(strings.Repeat("w", 257), p("p")), wrong: []string{"InWorkspace"}},
		{name: "no permission in it", needs: claims.InWorkspace("w", claims.AnyOf(s("a"), yes)), wrong: []string{"Permissions"}},
		{name: "nested", needs: claims.InWorkspace("w", claims.All(p("p"), claims.InWorkspace("v", p("p")))), wrong: []string{"a workspace in a workspace"}},
		{name: "only reported in it", needs: claims.InWorkspace("w", claims.ReportOnly(p("p"))), wrong: []string{"Permissions"}},
		{name: "nothing in it", needs: claims.InWorkspace("w", claims.Authenticated()), wrong: []string{"Permissions"}},
		{name: "no workspace, and wrong inside", needs: claims.InWorkspace("", p("")), wrong: []string{"a workspace of", "Permissions needs"}},
		{name: "no function, and wrong inside", needs: claims.InWorkspaceOf[*message]("h", nil, s("a b")), wrong: []string{"no function", `"a b"`}},
		{name: "Public in a workspace", needs: claims.InWorkspace("w", claims.All(p("p"), claims.Public())), wrong: []string{"Public"}},
		{name: "ReportOnly as an alternative", needs: claims.AnyOf(s("a"), claims.ReportOnly(p("p"))), wrong: []string{"ReportOnly"}},
		{name: "ReportOnly as an alternative, in All", needs: claims.AnyOf(s("a"), claims.All(claims.ReportOnly(p("p")))), wrong: []string{"all callers"}},
		{name: "Authenticated as an alternative", needs: claims.AnyOf(s("a"), claims.Authenticated()), wrong: []string{"Authenticated"}},
		{name: "Authenticated as an alternative, in All", needs: claims.AnyOf(s("a"), claims.All(claims.Authenticated())), wrong: []string{"all callers"}},
		{name: "reported, yet wrong", needs: claims.ReportOnly(claims.All(s(), p())), wrong: []string{"Scopes", "Permissions"}},
		{name: "no acr does", needs: claims.All(claims.ACR("a"), claims.InWorkspace("w", claims.All(p("p"), claims.ACR("b")))), wrong: []string{"acr"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.needs.Validate()
			for _, part := range tt.wrong {
				assert.ErrorContains(t, err, part)
			}
			assert.Equal(t, err, tt.needs.Validate(), "each time")
			caller := permitted(t, m{
				"sub": "alice", "scope": []string{"a", "x y", "", "a b"}, "permissions": []string{"p"},
				"acr": "a", "auth_time": time.Now().Unix(),
			})
			record := &record{}
			guard := guardOf(t, caller, claims.GuardConfig{Permissions: granting(claims.Grants{
				Permissions: []string{"", "p"}, Workspaces: map[string][]string{"": {"p", ""}, "w": {"p", ""}},
			}), Observer: record.observe})
			_, err = ask(t.Context(), guard, tt.needs, &message{"w"})
			assert.Error(t, err, "somebody is let in")
		})
	}
}

func TestValidate_longestWorkspace(t *testing.T) {
	t.Parallel()
	assert.NoError(t, claims.InWorkspace(strings.Repeat("w", 256), claims.Permissions("p")).Validate())
}

func TestValidateFor(t *testing.T) {
	t.Parallel()
	p := claims.Permissions
	ofHTTP := claims.InWorkspaceOf("h", func(r *http.Request) string { return r.PathValue("w") }, p("p"))
	ofMessage := claims.RequestFunc("m", anyRequest)
	ofAll := claims.InWorkspaceOf("any", func(any) string { return "w" }, p("p"))
	for _, tt := range []struct {
		name    string
		needs   claims.Requirement
		request any
		wrong   []string // none if it is right
	}{
		{name: "authenticated", request: 1},
		{name: "public", needs: claims.Public()},
		{name: "it looks at nothing", needs: claims.All(claims.Scopes("a"), p("p"))},
		{name: "of its type", needs: ofHTTP, request: (*http.Request)(nil)},
		{name: "a message", needs: ofMessage, request: &message{}},
		{name: "an interface that it has", needs: inNamed(p("p")), request: &message{}},
		{name: "any", needs: ofAll, request: 1},
		{name: "of another type", needs: ofHTTP, request: &message{}, wrong: []string{"InWorkspaceOf", "*http.Request", "message"}},
		{name: "an interface that it lacks", needs: inNamed(p("p")), request: 1, wrong: []string{"InWorkspaceOf", "named", "int"}},
		{name: "nothing", needs: ofMessage, wrong: []string{"RequestFunc", "message", "nil"}},
		{name: "any, and nothing", needs: ofAll, wrong: []string{"InWorkspaceOf"}},
		{
			name:    "several, wherever they are",
			needs:   claims.All(claims.Scopes("a"), claims.AnyOf(p("q"), ofHTTP), claims.ReportOnly(ofMessage), claims.InWorkspace("w", claims.All(p("p"), inNamed(p("p"))))),
			request: 1, wrong: []string{`InWorkspaceOf("h"`, `RequestFunc("m")`, `InWorkspaceOf("named"`},
		},
		{
			name:    "in a workspace",
			needs:   claims.InWorkspace("w", claims.All(p("p"), ofMessage)),
			request: 1, wrong: []string{"wants a *claims_test.message"},
		},
		{
			name:  "and what is wrong besides",
			needs: claims.All(claims.Scopes("a b"), ofHTTP), request: 1,
			wrong: []string{`"a b"`, `InWorkspaceOf("h"`},
		},
		{name: "without its function", needs: claims.RequestFunc[*message]("m", nil), request: 1, wrong: []string{"no function"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.needs.ValidateFor(tt.request)
			if len(tt.wrong) == 0 {
				require.NoError(t, err)
			}
			for _, part := range tt.wrong {
				assert.ErrorContains(t, err, part)
			}
		})
	}
}
