package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

const (
	maxComment  = 80
	maxCode     = 100
	maxTestCode = 200
)

// checkGo checks a Go file.
func checkGo(path string, source []byte) ([]fault, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(file) {
		return nil, nil
	}
	limit := maxCode
	if strings.HasSuffix(path, "_test.go") {
		limit = maxTestCode
	}
	lines := strings.Split(string(source), "\n")
	comments := commentLines(fset, file, lines)
	verbatim := stringLines(fset, file)
	var faults []fault
	for i, text := range lines {
		line := i + 1
		if set, ok := comments[line]; ok {
			if set {
				faults = tooLong(faults, line, text, maxComment)
			}
		} else if !verbatim[line] && !isRow(text) {
			faults = tooLong(faults, line, text, limit)
		}
		faults = badWords(faults, line, text)
	}
	return faults, nil
}

var (
	output    = regexp.MustCompile(`(?i)^//\s*(unordered )?output:`)
	asTheyAre = regexp.MustCompile(`^//(\t|[a-z]+:[a-z]|\s*\S+$|\s*\[[^\]]+\]: )`)
)

// commentLines returns the lines that are a comment alone, and whether they
// could be wrapped.
func commentLines(fset *token.FileSet, file *ast.File, lines []string) map[int]bool {
	comments := map[int]bool{}
	for _, group := range file.Comments {
		printed := false
		for _, c := range group.List {
			at := fset.Position(c.Pos())
			printed = printed || output.MatchString(c.Text)
			if before := lines[at.Line-1][:at.Column-1]; strings.TrimSpace(before) == "" {
				comments[at.Line] = !printed && !asTheyAre.MatchString(c.Text)
			}
		}
	}
	return comments
}

// stringLines returns the lines of strings that span several.
func stringLines(fset *token.FileSet, file *ast.File) map[int]bool {
	lines := map[int]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok && strings.HasPrefix(s.Value, "`") {
			first, last := fset.Position(s.Pos()).Line, fset.Position(s.End()).Line
			for line := first; line <= last && first < last; line++ {
				lines[line] = true
			}
		}
		return true
	})
	return lines
}

// isRow reports whether a line is one of a table.
func isRow(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, `"`) ||
		strings.HasPrefix(text, "`")
}
