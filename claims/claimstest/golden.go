package claimstest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// updateGolden is the environment variable that has files written anew.
const updateGolden = "SALLYPORT_UPDATE"

// tableHead is the number of lines before the first operation of a table.
const tableHead = 2

// CheckAccessTable compares a claims.AccessTable with a file that holds one in
// Markdown, such as "testdata/access.md": no operation or requirement changes
// without a change in that file that a review can see. If they differ, or there
// is no file, the test fails, shows the rows that differ, and tells how to
// update the file: SALLYPORT_UPDATE=1 in the environment writes it, with its
// directory.
//
// The padding of columns is ignored. An empty table fails too, as it compares
// nothing.
func CheckAccessTable(t testing.TB, file string, table interface{ Markdown() string }) {
	t.Helper()
	text := table.Markdown()
	rows := tableRows(text)
	if len(rows) <= tableHead {
		t.Fatalf("claimstest: the access table for %s has no operation", file)
	}
	if os.Getenv(updateGolden) == "1" {
		if err := writeGolden(file, text); err != nil {
			t.Fatalf("claimstest: %v", err)
		}
		t.Logf("claimstest: %s was written, and nothing compared", file)
		return
	}
	const advice = "If that is as it should be, set " + updateGolden +
		"=1 in the environment, run the test again, and have the change reviewed."
	kept, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("claimstest: there is no %s to compare the access table with:\n\n%s\n%s",
			file, text, advice)
	}
	if err != nil {
		t.Fatalf("claimstest: %v", err)
	}
	if diff := difference(tableRows(string(kept)), rows); diff != "" {
		t.Errorf("claimstest: the access table differs from %s, "+
			"which has the lines with - and lacks those with +:\n\n%s\n%s", file, diff, advice)
	}
}

func writeGolden(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// tableRows returns the lines of a table without what only aligns it, as one
// long name pads every other row. What is inside a cell stays as it is.
func tableRows(text string) []string {
	var rows []string
	for line := range strings.Lines(text) {
		var row strings.Builder
		line = strings.TrimSpace(line)
		for i, cell := range splitCells(line) {
			if i > 0 {
				row.WriteString(" | ")
			}
			cell = strings.TrimSpace(cell)
			if cell != "" && strings.Trim(cell, "-") == "" {
				cell = "---"
			}
			row.WriteString(cell)
		}
		rows = append(rows, strings.TrimSpace(row.String()))
	}
	return rows
}

// splitCells cuts a line at the pipes that are not escaped.
func splitCells(line string) []string {
	var cells []string
	start := 0
	for i := range len(line) {
		if line[i] == '|' && (i == 0 || line[i-1] != '\\') {
			cells = append(cells, line[start:i])
			start = i + 1
		}
	}
	return append(cells, line[start:])
}

// difference returns the lines to remove from kept, with "-", and to add, with
// "+", to have current; empty if there are none. It keeps their order.
func difference(kept, current []string) string {
	var b strings.Builder
	remove := func(line string) { b.WriteString("- " + line + "\n") }
	add := func(line string) { b.WriteString("+ " + line + "\n") }
	for len(kept) > 0 && len(current) > 0 {
		if kept[0] == current[0] {
			kept, current = kept[1:], current[1:]
			continue
		}
		// The nearer of the two places where both go on with the same
		// operation.
		removed, added := indexOperation(kept, current[0]), indexOperation(current, kept[0])
		switch {
		case added > 0 && (removed < 0 || added <= removed):
			add(current[0])
			current = current[1:]
		case removed > 0:
			remove(kept[0])
			kept = kept[1:]
		default: // the same with another requirement, or another in its place
			remove(kept[0])
			add(current[0])
			kept, current = kept[1:], current[1:]
		}
	}
	for _, line := range kept {
		remove(line)
	}
	for _, line := range current {
		add(line)
	}
	return b.String()
}

// indexOperation returns where the operation of row stands first among rows, -1
// if nowhere.
func indexOperation(rows []string, row string) int {
	return slices.IndexFunc(rows, func(r string) bool { return operationOf(r) == operationOf(row) })
}

// operationOf returns a row without its last cell.
func operationOf(row string) string {
	return row[:max(strings.LastIndex(strings.TrimSuffix(row, " |"), " | "), 0)]
}
