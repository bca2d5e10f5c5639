package quickstart

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every Go snippet of the README stands, line by line, in an Example that
// compiles.
func TestREADME_snippetsAreExamples(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	var examples string
	for _, file := range []string{"example_test.go", "../../httpmw/example_test.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		examples += outdent(string(source))
	}
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(readme, -1)
	require.Len(t, snippets, 2, "the two quick starts")
	for _, snippet := range snippets {
		assert.Contains(t, examples, string(snippet[1]))
	}
}

// outdent takes the indentation of a function body off every line.
func outdent(source string) string {
	return strings.ReplaceAll(source, "\n\t", "\n")
}
