package httpmw_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	pageLink = regexp.MustCompile(`\]\(([^)]+)\)`)
	pageTest = regexp.MustCompile("`((?:Test|Example)\\w*)`")
)

// What the page says is shown is there, in one of the files that its row links,
// and no test of a neighbour is left out.
func TestFrameworksPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("frameworks.md")
	require.NoError(t, err)
	linked := map[string]bool{}
	rows := 0
	for _, row := range strings.Split(string(page), "\n") {
		var source strings.Builder
		for _, link := range pageLink.FindAllStringSubmatch(row, -1) {
			path := filepath.Clean(filepath.FromSlash(link[1]))
			found, err := os.Stat(path)
			if !assert.NoError(t, err, row) {
				continue
			}
			linked[path] = true
			if !found.IsDir() {
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				source.Write(text)
			}
		}
		for _, name := range pageTest.FindAllStringSubmatch(row, -1) {
			rows++
			assert.True(t, strings.Contains(source.String(), "\nfunc "+name[1]+"("), row)
		}
	}
	assert.Greater(t, rows, 20)
	for _, pattern := range []string{"neighbours", "mcp", "gin", "echo", "chi", "gorilla", "cors"} {
		files, err := filepath.Glob(filepath.Join("..", "examples", pattern, "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			if !strings.HasPrefix(filepath.Base(file), "kit_") {
				assert.True(t, linked[file], "the page does not link %s", file)
			}
		}
	}
}
