// Package conformance counts what tests make of published vectors, and finds
// those of Project Wycheproof. Only tests import it.
package conformance

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// Row is what became of the vectors of one suite. Each vector is passed,
// skipped or a deviation: a result other than the suite's, wanted for a reason.
type Row struct {
	Suite      string
	passed     int
	skipped    map[string]int
	deviations map[string][]string
	judges     map[string]int
}

// Pass counts a vector with the result that its suite wants. The judge is the
// piece of the library that decided.
func (r *Row) Pass(judge string) {
	r.passed++
	r.judged(judge)
}

// Skip counts a vector that does not apply.
func (r *Row) Skip(reason string) { r.SkipAll(1, reason) }

// SkipAll counts n vectors that do not apply.
func (r *Row) SkipAll(n int, reason string) {
	if r.skipped == nil {
		r.skipped = map[string]int{}
	}
	r.skipped[reason] += n
}

// Deviate counts a vector whose result is not the suite's.
func (r *Row) Deviate(vector, reason, judge string) {
	if r.deviations == nil {
		r.deviations = map[string][]string{}
	}
	r.deviations[reason] = append(r.deviations[reason], vector)
	r.judged(judge)
}

func (r *Row) judged(by string) {
	if r.judges == nil {
		r.judges = map[string]int{}
	}
	r.judges[by]++
}

// Vectors is how many were counted.
func (r *Row) Vectors() int {
	n := r.passed
	for _, count := range r.skipped {
		n += count
	}
	for _, vectors := range r.deviations {
		n += len(vectors)
	}
	return n
}

// Markdown is a table of rows, in their order.
func Markdown(rows []*Row) string {
	var b strings.Builder
	b.WriteString("| suite | vectors | passed | judged by | skipped | deviations |\n")
	b.WriteString("|---|---:|---:|---|---|---|\n")
	for _, r := range rows {
		var deviations []string
		for _, reason := range slices.Sorted(maps.Keys(r.deviations)) {
			deviations = append(deviations,
				fmt.Sprintf("%s: %s", strings.Join(r.deviations[reason], ", "), reason))
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %s | %s | %s |\n", r.Suite, r.Vectors(), r.passed,
			counts(r.judges), counts(r.skipped), strings.Join(deviations, "; "))
	}
	return b.String()
}

func counts(of map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		list = append(list, fmt.Sprintf("%s: %d", name, of[name]))
	}
	return strings.Join(list, "; ")
}

// Compare fails the test unless the file has this text. With the environment
// variable SALLYPORT_CONFORMANCE=update it writes the file instead.
func Compare(t testing.TB, path, text string) {
	t.Helper()
	if os.Getenv("SALLYPORT_CONFORMANCE") == "update" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(want)) {
		known[line] = true
	}
	for line := range strings.Lines(text) {
		if !known[line] {
			t.Errorf("not in %s: %s", path, line)
		}
	}
	if text != string(want) {
		t.Errorf("%s is not what the suites count: "+
			"see what changed with SALLYPORT_CONFORMANCE=update and git diff", path)
	}
}
