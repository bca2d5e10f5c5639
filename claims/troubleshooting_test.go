package claims_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/jwks"
)

// rowsOf returns the rows of the table that stands under a heading of the page,
// with their cells, but for that of names.
func rowsOf(t testing.TB, page, heading string) [][]string {
	t.Helper()
	_, section, ok := strings.Cut(page, "\n## "+heading+"\n")
	require.True(t, ok, heading)
	section, _, _ = strings.Cut(section, "\n## ")
	var rows [][]string
	for line := range strings.SplitSeq(section, "\n") {
		if strings.HasPrefix(line, "| ") {
			cells := strings.Split(strings.Trim(line, "| "), " | ")
			if len(rows) > 0 {
				require.Len(t, cells, len(rows[0]), line)
			}
			rows = append(rows, cells)
		}
	}
	require.NotEmpty(t, rows, heading)
	return rows[1:]
}

// The page has a row for each reason and fault that is in the code, in its
// order and words, and for no other.
func TestTroubleshooting(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("troubleshooting.md")
	require.NoError(t, err)
	page := string(text)
	word := func(cell string) string { return strings.Trim(cell, "`") }

	var reasons []string
	rows := map[string][]string{}
	for _, row := range rowsOf(t, page, "By reason") {
		reasons = append(reasons, word(row[0]))
		rows[word(row[0])] = row
	}
	for _, refusal := range claims.Refusals() {
		reason := string(refusal.Reason())
		i := slices.Index(reasons, reason)
		if !assert.GreaterOrEqual(t, i, 0, "no row for %s", reason) {
			continue
		}
		reasons = slices.Delete(reasons, i, i+1)
		row := rows[reason]
		assert.Equal(t, claims.Decision{Err: refusal}.Outcome(), word(row[1]), reason)
		assert.Equal(t, refusal.Text(), row[2], reason)
		for _, cell := range row {
			assert.NotEmpty(t, strings.TrimSpace(cell), reason)
		}
	}
	assert.Empty(t, reasons, "of no reason, or there twice")

	source, err := os.ReadFile("../jwks/source.go")
	require.NoError(t, err)
	var faults, told []string
	for _, fault := range regexp.MustCompile(`Fault = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		faults = append(faults, fault[1])
	}
	require.Contains(t, faults, string(jwks.FaultMetadata))
	for _, row := range rowsOf(t, page, "Faults of key sets") {
		told = append(told, word(row[0]))
	}
	assert.ElementsMatch(t, faults, told)

	for _, row := range rowsOf(t, page, "Where to look") {
		assert.Contains(t, page, "`"+word(row[0])+"`")
	}
	assert.Empty(t, configFields(t, page), "fields that a Config does not have")
}

// configFields returns the fields of claims.Config that a page names and that
// there are not.
func configFields(t testing.TB, page string) (unknown []string) {
	t.Helper()
	source, err := os.ReadFile("config.go")
	require.NoError(t, err)
	for _, field := range regexp.MustCompile("`Config\\.([A-Za-z]+)").FindAllStringSubmatch(page, -1) {
		if !regexp.MustCompile(`(?m)^\t` + field[1] + ` +[^ ]`).Match(source) {
			unknown = append(unknown, field[1])
		}
	}
	return unknown
}

// What the page says of malformed tokens is what the code says of them.
func TestTroubleshooting_malformed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("troubleshooting.md")
	require.NoError(t, err)
	latin1 := with(body(nil), "\"x\":\"\xff\"")
	good := forged(head(nil), body(nil))
	examples := map[string]string{
		"not three segments":                     "opaque",
		"is not base64url without padding":       strings.Replace(good, ".", "=.", 1),
		"is not a number of seconds":             forged(head(nil), body(m{"nbf": nil})),
		"is not a string":                        forged(head(nil), body(m{"sub": 4711})),
		"is not a string or an array of strings": forged(head(nil), body(m{"scope": nil})),
		"differs from":                           forged(head(nil), body(m{"SCOPE": "x"})),
		"is there twice":                         forged(head(nil), with(body(nil), `"sub":"x"`)),
		"a member's name twice":                  forged(head(nil), with(body(nil), `"x":1,"x":1`)),
		"begins with a byte order mark":          forged(head(nil), "\ufeff"+body(nil)),
		"text that is not UTF-8":                 forged(head(nil), latin1),
		"more than":                              forged(head(nil), with(body(nil), numbered(300))),
		"nested more than":                       forged(head(nil), deep(40)),
		"is not a JSON object":                   forged(head(nil), "iss=x"),
	}
	verifier := offline(t, nil)
	for _, row := range rowsOf(t, string(text), "Malformed tokens") {
		cause := strings.Trim(row[0], "`")
		token, ok := examples[cause]
		if !assert.True(t, ok, "no example of %s", cause) {
			continue
		}
		delete(examples, cause)
		caller, err := verifier.Authenticate(t.Context(), bearer(token))
		assertRefused(t, caller, err, claims.ReasonMalformed)
		assert.ErrorContains(t, causeOf(err), cause)
	}
	assert.Empty(t, examples, "without a row")
}

func causeOf(err error) error { return claims.AsError(err).Unwrap() }
