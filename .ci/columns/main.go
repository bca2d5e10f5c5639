// Command columns checks how the text of the repository is set and worded:
// comments wrap at 80 columns, pages and code at 100, the code of tests at 200,
// and some words are not used.
//
//	go run ./.ci/columns [directory]...
//
// It prints each line that is not so, and fails if there is one. What cannot be
// wrapped may be longer: tables, links, code in comments and pages, and what
// an example prints. Files that are generated are left out.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	roots := os.Args[1:]
	if len(roots) == 0 {
		roots = []string{"."}
	}
	var faults []fault
	files := 0
	for _, root := range roots {
		n, found, err := walk(root)
		if err != nil {
			fmt.Fprintln(os.Stderr, "columns:", err)
			os.Exit(1)
		}
		files += n
		faults = append(faults, found...)
	}
	for _, f := range faults {
		fmt.Println(f)
	}
	if files == 0 {
		fmt.Fprintln(os.Stderr, "columns: no file found")
	}
	if len(faults) > 0 || files == 0 {
		os.Exit(1)
	}
}

// fault is a line that is to be written otherwise.
type fault struct {
	file string
	line int
	text string
}

func (f fault) String() string { return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.text) }

// walk checks the files of a tree, and returns how many those were.
func walk(root string) (files int, faults []fault, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		check := checkerOf(filepath.ToSlash(path))
		if check == nil {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		found, err := check(path, source)
		for i := range found {
			found[i].file = path
		}
		slices.SortStableFunc(found, func(a, b fault) int { return a.line - b.line })
		faults = append(faults, found...)
		return err
	})
	return files, faults, err
}

// checkerOf returns what checks a file, nil for one that is left out.
func checkerOf(path string) func(string, []byte) ([]fault, error) {
	switch {
	case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".pb.go"):
		return checkGo
	case strings.HasSuffix(path, ".md") && !strings.Contains(path, "/testdata/") &&
		!strings.Contains(path, "/results/"): // make bench-report writes that
		return checkPage
	case strings.HasSuffix(path, ".proto"), filepath.Base(path) == "Makefile":
		return checkWords
	}
	return nil
}
