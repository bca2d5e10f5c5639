package telemetry_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// Each reason that the code gives and each alert of the rules is in the
// runbook, with what to do first and what not to do, and nothing else is.
func TestRunbook(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("runbook.md")
	require.NoError(t, err)
	alerts, reasons, found := strings.Cut(string(page), "\n## Reasons\n")
	require.True(t, found)

	var inCode, inPage []string
	for _, refusal := range claims.Refusals() {
		inCode = append(inCode, string(refusal.Reason()))
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|(.*)\\|$").FindAllStringSubmatch(reasons, -1) {
		inPage = append(inPage, row[1])
		cells := strings.Split(row[2], "|")
		require.Len(t, cells, 3, row[1])
		for _, cell := range cells {
			assert.NotEmpty(t, strings.TrimSpace(cell), row[1])
		}
	}
	assert.ElementsMatch(t, inCode, inPage)

	rules, err := os.ReadFile("prometheus/alerts.yml")
	require.NoError(t, err)
	var ruled, explained []string
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		ruled = append(ruled, m[1])
	}
	for _, section := range strings.Split(alerts, "\n### ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		explained = append(explained, name)
		for _, want := range []string{"**Meaning.** ", "**First response.** ", "**Do not** "} {
			assert.Contains(t, text, want, name)
		}
	}
	assert.Equal(t, ruled, explained)
	require.NotEmpty(t, ruled)

	// The panels that the page speaks of are on the dashboard, and so are the
	// alerts that it leads to.
	dashboard, err := os.ReadFile("grafana/dashboard.json")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`panels? "([^"]+)"`).FindAllStringSubmatch(
		strings.ReplaceAll(alerts, "\n", " "), -1) {
		assert.Contains(t, string(dashboard), `"title": "`+m[1]+`"`)
	}
	for _, m := range regexp.MustCompile(`\bSallyport[A-Z]\w+`).FindAllString(string(page), -1) {
		assert.True(t, slices.Contains(ruled, m), m)
	}
	tests, err := os.ReadFile("prometheus/alerts_test.yml")
	require.NoError(t, err)
	for _, name := range ruled {
		assert.Contains(t, string(tests), "alertname: "+name, "whether an idle service fires it")
	}
}
