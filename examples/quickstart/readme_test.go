package quickstart

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every Go snippet of the documents stands, line by line, in an Example or test
// that compiles.
func TestDocuments_snippetsAreExamples(t *testing.T) {
	t.Parallel()
	var examples string
	for _, file := range []string{
		"example_test.go", "access_test.go",
		"../../httpmw/example_test.go", "../../httpmw/example_authorize_test.go",
		"../../httpmw/example_second_test.go",
	} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		examples += string(source) + outdent(string(source)) + outdent(outdent(string(source)))
	}
	for document, count := range map[string]int{
		"../../README.md":             2, // the two quick starts
		"../../claims/authorizing.md": 7,
	} {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(text, -1)
		require.Len(t, snippets, count, document)
		for _, snippet := range snippets {
			assert.Contains(t, examples, string(snippet[1]), document)
		}
	}
}

// outdent takes the indentation of a function body off every line.
func outdent(source string) string {
	return strings.ReplaceAll(source, "\n\t", "\n")
}
