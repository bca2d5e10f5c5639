package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
)

// reviewedList maps the keys of survivors that are known to the reason why no
// test can or should notice them. In the file each key is a line, and the
// reason stands in the indented lines below it.
type reviewedList map[string]string

func readReviewed(path string) (reviewedList, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list := reviewedList{}
	key := ""
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		text := strings.TrimSpace(line)
		switch _, twice := list[text]; {
		case text == "" || line[0] == '#':
		case line[0] == '\t' && key != "":
			list[key] = strings.TrimSpace(list[key] + " " + text)
		case line[0] == '\t':
			return nil, fmt.Errorf("%s:%d: a reason without a survivor", path, n)
		case twice:
			return nil, fmt.Errorf("%s:%d: is there twice", path, n)
		default:
			key = text
			list[key] = ""
		}
	}
	for key, reason := range list {
		if reason == "" {
			return nil, fmt.Errorf("%s: no reason for %s", path, key)
		}
	}
	return list, lines.Err()
}

// mark marks the mutants that are in the list.
func (list reviewedList) mark(packages []*pkg) {
	for _, p := range packages {
		for _, m := range p.mutants {
			_, m.reviewed = list[m.key()]
		}
	}
}

// vanished returns the keys that are in a file of the packages and are no
// mutant of it, and those of files that are not there.
func (list reviewedList) vanished(packages []*pkg) []string {
	mutants := map[string]bool{}
	files := map[string]bool{}
	for _, p := range packages {
		for file := range p.sources {
			files[file] = true
		}
		for _, m := range p.mutants {
			mutants[m.key()] = true
		}
	}
	var keys []string
	for key := range list {
		if mutants[key] {
			continue
		}
		file, _, _ := strings.Cut(key, ":")
		if _, err := os.Stat(file); files[file] || err != nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// tally counts the outcomes of a file's mutants.
type tally struct {
	file                                         string
	mutants, killed, survivors, listed, unviable int
}

func (t *tally) add(m *mutant) {
	t.mutants++
	switch {
	case m.outcome == unviable:
		t.unviable++
	case m.outcome == killed:
		t.killed++
	case m.reviewed:
		t.listed++
	default:
		t.survivors++
	}
}

func (t *tally) print() {
	fmt.Printf("%-24s %8d %8d %10d %10d %11d\n",
		t.file, t.mutants, t.killed, t.survivors, t.listed, t.unviable)
}

// report prints the survivors and a summary, and reports whether all survivors
// are reviewed: in the file at path.
func report(chosen []*mutant, path string) bool {
	slices.SortStableFunc(chosen, func(a, b *mutant) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.start, b.start))
	})
	total := tally{file: "total"}
	var files []*tally
	for _, m := range chosen {
		if len(files) == 0 || files[len(files)-1].file != m.file {
			files = append(files, &tally{file: m.file})
		}
		files[len(files)-1].add(m)
		total.add(m)
		switch {
		case m.reviewed && m.outcome == killed:
			fmt.Printf("%s: a test notices this by now: %s\n", path, m.key())
		case !m.reviewed && (m.outcome == survived || m.outcome == uncovered):
			fmt.Printf("%s [%s]\n\t%s\n", m, m.outcome, m.source)
		}
	}
	fmt.Printf("%-24s %8s %8s %10s %10s %11s\n",
		"file", "mutants", "killed", "survivors", "reviewed", "not viable")
	for _, t := range files {
		t.print()
	}
	total.print()
	return total.survivors == 0
}
