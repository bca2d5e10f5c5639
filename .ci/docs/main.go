// Command docs checks the pages of the repository: that each Go snippet is code
// that compiles, and that each link inside the repository leads somewhere.
//
//	go run ./.ci/docs
//
// A snippet compiles if its lines stand, in their order, in one Go file of the
// repository, which go vet and the tests compile: an Example or a test. Only
// indentation and blank lines may differ; a line "// …" stands for any that are
// left out. A link leads somewhere if there is the file, and in it the heading.
package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	files, err := load(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
	faults, snippets, links := 0, 0, 0
	for _, page := range files.pages {
		for _, s := range page.snippets {
			snippets++
			if !files.compile(s) {
				faults++
				fmt.Printf("%s:%d: the snippet is in no Go file\n", page.path, s.line)
			}
		}
		for _, l := range page.links {
			links++
			if fault := files.follow(page, l); fault != "" {
				faults++
				fmt.Printf("%s:%d: %s\n", page.path, l.line, fault)
			}
		}
	}
	if snippets == 0 || links == 0 {
		fmt.Fprintln(os.Stderr, "docs: no snippet or no link found")
		os.Exit(1)
	}
	if faults > 0 {
		os.Exit(1)
	}
	fmt.Printf("docs: %d pages, %d snippets, %d links\n", len(files.pages), snippets, links)
}

// tree is what the pages are compared with.
type tree struct {
	pages   map[string]*page
	sources [][]string // the lines of each Go file, without blank ones
}

func load(root string) (*tree, error) {
	t := &tree{pages: map[string]*page{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".go":
			lines, err := linesOf(path)
			if err != nil {
				return err
			}
			t.sources = append(t.sources, withoutBlank(lines))
		case ".md":
			lines, err := linesOf(path)
			if err != nil {
				return err
			}
			t.pages[filepath.Clean(path)] = parse(filepath.Clean(path), lines)
		}
		return nil
	})
	return t, err
}

func linesOf(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines []string
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, scanner.Err()
}

// withoutBlank returns the lines without indentation, and none that is blank.
func withoutBlank(lines []string) []string {
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			kept = append(kept, line)
		}
	}
	return kept
}
