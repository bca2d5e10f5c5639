package claimstest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// An access table in a file shows every change of a permission in a review.
func ExampleCheckAccessTable() {
	_ = func(t *testing.T) { // TestAccess
		claimstest.CheckAccessTable(t, "testdata/access.md", claims.NewAccessTable(
			mux.Operations(), policy.Operations()))
	}
}

// Stand-ins for an httpmw.ServeMux and a grpcmw.Policy.
var mux interface{ Operations() []claims.Operation }
var policy interface{ Operations() []claims.Operation }

// recorder is a test that keeps its failures to itself.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func check(t *testing.T, file string, table claims.AccessTable) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		claimstest.CheckAccessTable(r, file, table)
	}()
	<-done
	require.LessOrEqual(t, len(r.failures), 1)
	return strings.Join(r.failures, "\n")
}

func accessTable(list ...claims.Operation) claims.AccessTable { return claims.NewAccessTable(list) }

func route(path string, needs claims.Requirement) claims.Operation {
	return claims.Operation{Protocol: "HTTP", Name: "GET " + path, Requirement: needs}
}

func TestCheckAccessTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "testdata", "access.md")
	table := accessTable(route("/a", claims.Public()), route("/b", claims.Scopes("b:read")))
	const advice = "set SALLYPORT_UPDATE=1 in the environment"

	t.Setenv("SALLYPORT_UPDATE", "")
	got := check(t, file, table)
	assert.Contains(t, got, "there is no "+file)
	assert.Contains(t, got, table.Markdown())
	assert.Contains(t, got, advice)
	assert.NoFileExists(t, file, "a test that was not told to writes nothing")

	t.Setenv("SALLYPORT_UPDATE", "1")
	assert.Empty(t, check(t, file, table))
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, table.Markdown(), string(kept))

	t.Setenv("SALLYPORT_UPDATE", "0")
	assert.Empty(t, check(t, file, table))
	got = check(t, file, accessTable(
		route("/a", claims.Public()),
		route("/b", claims.Public()),
		route("/a/far/longer/name", claims.Scopes("c:read"))))
	assert.Contains(t, got, "\n\n"+
		"+ | HTTP | `GET /a/far/longer/name` | `Scopes(\"c:read\")` |\n"+
		"- | HTTP | `GET /b` | `Scopes(\"b:read\")` |\n"+
		"+ | HTTP | `GET /b` | `Public()` |\n\n")
	assert.Contains(t, got, advice)
	assert.Contains(t, check(t, file, table[:1]),
		"\n\n- | HTTP | `GET /b` | `Scopes(\"b:read\")` |\n\n")

	for _, update := range []string{"", "1"} {
		t.Setenv("SALLYPORT_UPDATE", update)
		assert.Contains(t, check(t, file, nil), "has no operation")
	}
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(kept), string(after))
}

func TestCheckAccessTable_spacing(t *testing.T) {
	t.Parallel()
	table := accessTable(
		route("/a", claims.Permissions("two  spaces")), route("/b", claims.Permissions("x |  y")))
	for name, row := range map[string]struct {
		edit func(string) string
		same bool
	}{
		"as written":   {func(s string) string { return s }, true},
		"CRLF":         {func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }, true},
		"other widths": {func(s string) string { return strings.ReplaceAll(s, " |", "   |") }, true},
		"fewer dashes": {func(s string) string { return strings.ReplaceAll(s, "----", "-") }, true},
		"inside a cell": {
			func(s string) string { return strings.Replace(s, "two  spaces", "two spaces", 1) }, false,
		},
		"beside an escaped pipe": {
			func(s string) string { return strings.Replace(s, `\|  y`, `\| y`, 1) }, false,
		},
		"a row twice": {
			func(s string) string { return s + s[strings.LastIndex(s, "\n| "):] }, false,
		},
		"an empty file": {func(string) string { return "" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "access.md")
			require.NoError(t, os.WriteFile(file, []byte(row.edit(table.Markdown())), 0o600))
			assert.Equal(t, row.same, check(t, file, table) == "")
		})
	}
}

func TestCheckAccessTable_unreadable(t *testing.T) {
	t.Parallel()
	assert.Contains(t, check(t, t.TempDir(), accessTable(route("/a", claims.Public()))), "claimstest: ")
}
