package claims_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// one is a table with one operation, none without a requirement.
func one(needs ...claims.Requirement) claims.AccessTable {
	table := claims.AccessTable{}
	for _, r := range needs {
		table = append(table, claims.Operation{Protocol: "HTTP", Name: "POST /refund", Requirement: r})
	}
	return table
}

// What is said is who may do what they could not, and who may not any more.
func TestAccessTable_Changes(t *testing.T) {
	t.Parallel()
	type r = claims.Requirement
	scopes, perm, all, anyOf, second := claims.Scopes, claims.Permissions, claims.All, claims.AnyOf, claims.Second
	f := claims.Func("own", func(context.Context, *claims.Claims) (bool, error) { return true, nil })
	g := claims.Func("own", func(context.Context, *claims.Claims) (bool, error) { return false, nil })
	of := claims.InWorkspaceOf("path", func(any) string { return "" }, perm("p"))
	for name, tt := range map[string]struct {
		before, after  r
		opened, closed []string // to whom, in part
	}{
		"the same":              {scopes("a"), scopes("a"), nil, nil},
		"another order":         {all(scopes("a"), perm("p")), all(perm("p"), scopes("a")), nil, nil},
		"in one":                {all(scopes("a"), scopes("b")), scopes("b", "a"), nil, nil},
		"one of one":            {claims.AnyScope("a"), scopes("a"), nil, nil},
		"absorbed":              {anyOf(scopes("a"), scopes("a", "b")), scopes("a"), nil, nil},
		"distributed":           {all(scopes("a"), claims.AnyScope("b", "c")), anyOf(scopes("a", "b"), scopes("a", "c")), nil, nil},
		"less":                  {scopes("a", "b"), scopes("a"), []string{`that has the scope "a" may`}, nil},
		"more":                  {scopes("a"), scopes("a", "b"), nil, []string{`that has the scope "a" may not`}},
		"another":               {scopes("orders:refund"), scopes("orders:read"), []string{`a caller with a valid token that has the scope "orders:read" may; before, it took Scopes("orders:refund")`}, []string{`"orders:refund" may not any more; now it takes Scopes("orders:read")`}},
		"one more way":          {scopes("a"), claims.AnyScope("a", "b"), []string{`the scope "b" may`}, nil},
		"any token":             {scopes("a"), claims.Authenticated(), []string{"a caller with a valid token may"}, nil},
		"nobody known":          {claims.Authenticated(), claims.Optional(), []string{"a caller with no token may"}, nil},
		"everybody":             {claims.Optional(), claims.Public(), []string{"everybody, whatever credential they show, may"}, nil},
		"nobody unknown":        {claims.Public(), claims.Optional(), nil, []string{"everybody, whatever credential they show, may not"}},
		"a scope, no scope":     {scopes("p"), perm("p"), []string{`the permission "p" may`}, []string{`the scope "p" may not`}},
		"a workspace":           {claims.InWorkspace("w", perm("p")), perm("p"), []string{`the permission "p" may`}, []string{`the permission "p" in the workspace "w" may not`}},
		"of the request":        {of, claims.InWorkspaceOf("path", func(any) string { return "x" }, perm("q")), []string{`the permission "q" in the workspace of "path" may`}, []string{`"p"`}},
		"tried":                 {all(scopes("a"), claims.ReportOnly(scopes("b"))), scopes("a", "b"), nil, []string{`that has the scope "a" may not`}},
		"tried first":           {claims.Authenticated(), claims.ReportOnly(scopes("b")), nil, nil},
		"stronger":              {scopes("a"), all(scopes("a"), claims.ACR("mfa")), nil, []string{`the scope "a" may not`}},
		"another way to log in": {claims.ACR("mfa"), claims.ACR("mfa", "pwd"), []string{`the authentication "pwd" may`}, nil},
		"older":                 {claims.MaxAge(time.Minute), claims.MaxAge(time.Hour), []string{"an authentication of the last 1h0m0s may"}, nil},
		"younger":               {claims.MaxAge(time.Hour), claims.MaxAge(time.Minute), nil, []string{"an authentication of the last 1h0m0s may not"}},
		"a function's name":     {f, g, nil, nil},
		"a function":            {all(scopes("a"), f), scopes("a"), []string{`the scope "a" may`}, nil},
		"or a function":         {scopes("a"), anyOf(scopes("a"), f), []string{`what Func("own") allows may`}, nil},
		"no second":             {all(scopes("a"), second("box", claims.Authenticated())), scopes("a"), []string{`that has the scope "a" may`}, nil},
		"a second":              {scopes("a"), all(scopes("a"), second("box", scopes("run"))), nil, []string{`the scope "a" may not`}},
		"the second's scope":    {second("box", scopes("run")), second("box", claims.AnyScope("run", "see")), []string{`a caller with a valid token and a valid token for "box" that has the scope "see" may`}, nil},
		"whose scope":           {scopes("a"), second("box", scopes("a")), []string{`a valid token and a valid token for "box" that has the scope "a" may`}, []string{`a valid token that has the scope "a" may not`}},
		"a second, or none":     {second("box", claims.Authenticated()), second("box", claims.Optional()), []string{`a valid token and no token for "box" may`}, nil},
		"without the first":     {second("box", claims.Authenticated()), all(claims.Optional(), second("box", claims.Authenticated())), []string{`a caller with no token and a valid token for "box" may`}, nil},
		"outlives":              {scopes("a"), claims.MayOutlive(scopes("a")), []string{"it may go on when the token has expired"}, nil},
		"ends":                  {scopes("a"), claims.EndsWithToken(scopes("a")), nil, []string{"it ends with the token"}},
		"does not end":          {claims.EndsWithToken(scopes("a")), claims.MayOutlive(scopes("b")), []string{`the scope "b" may`, "it may go on"}, []string{`the scope "a" may not`}},
	} {
		var opened, closed []string
		for _, c := range one(tt.before).Changes(one(tt.after)) {
			assert.Equal(t, "POST /refund", c.Operation)
			if c.Opened {
				opened = append(opened, c.Text)
			} else {
				closed = append(closed, c.Text)
			}
		}
		assertParts(t, tt.opened, opened, name+": opened")
		assertParts(t, tt.closed, closed, name+": closed")
	}
}

func assertParts(t *testing.T, want, got []string, name string) {
	t.Helper()
	if assert.Len(t, got, len(want), "%s: %q", name, got) {
		for i := range want {
			assert.Contains(t, got[i], want[i], name)
		}
	}
}

// Whatever the requirements, nothing is said to be opened exactly if everybody
// who meets the one afterwards met the one before: real callers tell.
func TestAccessTable_Changes_implication(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "b", "c", "d"}
	pick := func() []string {
		list := []string{words[random.IntN(len(words))], words[random.IntN(len(words))]}
		return list[:1+random.IntN(2)]
	}
	var any func(depth int) claims.Requirement
	any = func(depth int) claims.Requirement {
		switch n := random.IntN(6); {
		case depth > 2 || n < 2:
			return claims.Scopes(pick()...)
		case n == 2:
			return claims.AnyScope(pick()...)
		case n < 5:
			return claims.All(any(depth+1), any(depth+1))
		default:
			return claims.AnyOf(any(depth+1), any(depth+1))
		}
	}
	var callers []*claims.Guard
	for set := range 1 << len(words) {
		var scope []string
		for i, word := range words {
			if set&(1<<i) != 0 {
				scope = append(scope, word)
			}
		}
		callers = append(callers, guardOf(t, says(t, m{"scope": strings.Join(scope, " ")}), claims.GuardConfig{}))
	}
	opened, same := 0, 0
	for range 500 {
		before, after := any(0), any(0)
		want := false
		for _, guard := range callers {
			_, old := ask(t.Context(), guard, before, nil)
			_, now := ask(t.Context(), guard, after, nil)
			want = want || now == nil && old != nil
		}
		got := false
		for _, c := range one(before).Changes(one(after)) {
			got = got || c.Opened
		}
		require.Equal(t, want, got, "%s then %s", before, after)
		if want {
			opened++
		} else {
			same++
		}
	}
	assert.Greater(t, opened, 50)
	assert.Greater(t, same, 50)
}

// What is listed no more is closed, and what is new is open to whom it says.
func TestAccessTable_Changes_operations(t *testing.T) {
	t.Parallel()
	refund := one(claims.Scopes("a"))
	got := one().Changes(refund)
	require.Len(t, got, 1)
	assert.Equal(t, `HTTP POST /refund: a caller with a valid token that has the scope "a" may; before, it took what nobody has, as it was not listed`, got[0].String())
	got = refund.Changes(one())
	require.Len(t, got, 1)
	assert.False(t, got[0].Opened)

	// Several servers have it: what has changed is not looked into, and said.
	assert.Empty(t, one(claims.Scopes("a"), claims.Scopes("b")).Changes(one(claims.Scopes("a"), claims.Scopes("b"))))
	got = one(claims.Scopes("a"), claims.Scopes("b")).Changes(one(claims.Scopes("a"), claims.Scopes("c")))
	require.Len(t, got, 1)
	assert.True(t, got[0].Opened)
	assert.Contains(t, got[0].Text, "cannot be compared")

	// Nor is what can be met in too many ways.
	var parts []claims.Requirement
	for _, a := range strings.Split("abcdefghijkl", "") {
		parts = append(parts, claims.AnyScope(a, a+a))
	}
	got = one(claims.All(parts...)).Changes(one(claims.All(parts[1:]...)))
	require.Len(t, got, 1)
	assert.Contains(t, got[0].Text, "cannot be compared")
}

// A table that was written can be read and compared, and enforces nothing.
func TestParseAccessTable(t *testing.T) {
	t.Parallel()
	odd := "a|b `c` \"d\" \\ \u00e9\n"
	table := claims.NewAccessTable([]claims.Operation{
		{Protocol: "HTTP", Name: "GET /a", Requirement: claims.Public()},
		{Protocol: "HTTP", Name: "GET /b|c", Requirement: claims.Func(odd, func(context.Context, *claims.Claims) (bool, error) { return true, nil })},
		{Protocol: "gRPC", Name: "/a.B/C", Requirement: claims.All(claims.Scopes("a", "b"), claims.AnyOf(claims.MaxAge(time.Hour), claims.Permissions("p")))},
		{Protocol: "gRPC", Name: "/a.B/D", Requirement: claims.EndsWithToken(claims.Second("box", claims.InWorkspace("w", claims.Permissions("p"))))},
		{Protocol: "gRPC", Name: "/a.B/E", Requirement: claims.Optional()},
	})
	written, err := json.Marshal(table)
	require.NoError(t, err)
	indented, err := json.MarshalIndent(table, "", "  ")
	require.NoError(t, err)
	for name, text := range map[string][]byte{
		"Markdown": []byte(table.Markdown()), "in a page": []byte("# Access\n\n" + table.Markdown() + "\n"),
		"JSON": written, "indented": indented,
	} {
		got, err := claims.ParseAccessTable(text)
		require.NoError(t, err, name)
		require.Len(t, got, len(table), name)
		assert.Empty(t, table.Changes(got), name)
		assert.Empty(t, got.Changes(table), name)
		for i := range table {
			assert.Equal(t, table[i].Requirement.String(), got[i].Requirement.String(), name)
			assert.ErrorContains(t, got[i].Requirement.Validate(), "was read from a table")
			_, err := ask(t.Context(), guardOf(t, says(t, m{"scope": "a b"}), claims.GuardConfig{}), got[i].Requirement, nil)
			assertRefusal(t, claims.ErrForbidden, err)
		}
		assert.Equal(t, table.Markdown(), got.Markdown(), name)
	}
	for text, want := range map[string]string{
		"|-\n||\x9a|`A()`|": "is no UTF-8", "": "there is no table", "# Access": "there is no table", "[": "unexpected EOF", `[{"a":1}]`: "unknown field",
		`[] []`: "there is more than a table", `[{"requirement":"Scopes(\"a\""}]`: "does not end in a parenthesis",
		`[{"requirement":"Scopes(\"a\") "}]`: "there is more than a requirement", `[{"requirement":""}]`: "is no requirement",
		"|--|--|--|\n| a | b |": "line 2: is no row of three cells", "|--|--|--|\n| a | `b | `Public()` |": "has code that does not end",
		`[{"requirement":"` + strings.Repeat("All(", 200) + `"}]`: "more than 100 deep",
	} {
		_, err := claims.ParseAccessTable([]byte(text))
		assert.ErrorContains(t, err, want, text)
	}
}

// What is read is written as it was.
func FuzzParseAccessTable(f *testing.F) {
	for _, needs := range []string{`Scopes("a")`, `All(Func("x"), MaxAge(1m0s))`, `Second("b", Optional())`, "Public()"} {
		f.Add(`[{"protocol":"HTTP","operation":"GET /","requirement":` + string(must1(json.Marshal(needs))) + `}]`)
	}
	f.Add(one(claims.Public()).Markdown())
	f.Fuzz(func(t *testing.T, text string) {
		table, err := claims.ParseAccessTable([]byte(text))
		if err != nil {
			return
		}
		again, err := claims.ParseAccessTable(must1(json.Marshal(table)))
		require.NoError(t, err)
		require.Empty(t, table.Changes(again))
	})
}

func must1(b []byte, err error) []byte {
	must(err)
	return b
}

func ExampleAccessTable_Changes() {
	before, err := claims.ParseAccessTable([]byte(
		`[{"protocol":"HTTP","operation":"POST /refund","requirement":"Scopes(\"orders:refund\")"}]`))
	must(err)
	after := claims.AccessTable{{
		Protocol: "HTTP", Name: "POST /refund", Requirement: claims.AnyScope("orders:refund", "orders:read"),
	}}
	for _, change := range before.Changes(after) {
		fmt.Println(change.Opened, change)
	}
	// Output:
	// true HTTP POST /refund: a caller with a valid token that has the scope "orders:read" may; before, it took Scopes("orders:refund")
}
