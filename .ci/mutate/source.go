package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// pkg is a package whose tests are checked.
type pkg struct {
	path    string // by which go test knows it
	dir     string
	name    string
	sources map[string][]byte // by path from the working directory
	mutants []*mutant
	suites  []*suite
	tests   []*test       // of all suites
	slow    time.Duration // tests that take longer run when all faster ones passed
}

// suite is the tests of a package, which may be those of another one.
type suite struct {
	path, dir string
	binary    string // of all mutants
}

// mutant is one change of one file.
type mutant struct {
	pkg      *pkg
	file     string // path from the working directory
	function string
	line     int
	source   string // the line
	change   string // in words
	start    int    // byte offsets of what is changed
	end      int
	before   string // comes before it
	after    string // comes after it
	removed  bool   // or before takes its place
	joint    int    // number in the binary of all mutants, 0 for one that is not in it
	reviewed bool
	outcome  outcome
}

// key names a mutant in a way that lasts while other lines of its file change.
func (m *mutant) key() string { return m.file + ":" + m.function + ": " + m.change }

func (m *mutant) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", m.file, m.line, m.function, m.change)
}

// findPackages parses the packages that the patterns match, and makes their
// mutants.
func findPackages(ctx context.Context, patterns []string) ([]*pkg, error) {
	listed, err := listPackages(ctx, patterns)
	if err != nil {
		return nil, err
	}
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	var packages []*pkg
	for _, found := range listed {
		p := &pkg{path: found.ImportPath, dir: found.Dir, name: found.Name}
		p.sources = map[string][]byte{}
		for _, name := range found.GoFiles {
			if err := p.parse(wd, name); err != nil {
				return nil, err
			}
		}
		if p.suites, err = suitesOf(ctx, found); err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	return packages, nil
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Name              string
	GoFiles, TestGoFiles, XTestGoFiles []string
}

func listPackages(ctx context.Context, patterns []string) ([]listed, error) {
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-json"}, patterns...)...)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	return packages, nil
}

// suitesOf returns the tests of a package: its own and, where it is internal to
// another, those of that one, which it is a part of.
func suitesOf(ctx context.Context, of listed) ([]*suite, error) {
	packages := []listed{of}
	if outer, _, internal := strings.Cut(of.ImportPath, "/internal/"); internal {
		others, err := listPackages(ctx, []string{outer})
		if err != nil {
			return nil, err
		}
		packages = append(packages, others...)
	}
	var suites []*suite
	for _, p := range packages {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			suites = append(suites, &suite{path: p.ImportPath, dir: p.Dir})
		}
	}
	if suites == nil {
		return nil, fmt.Errorf("%s has no tests", of.ImportPath)
	}
	return suites, nil
}

func (p *pkg) parse(wd, name string) error {
	path := filepath.Join(p.dir, name)
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	file, err := filepath.Rel(wd, path)
	if err != nil {
		return err
	}
	file = filepath.ToSlash(file)
	p.sources[file] = source
	f := &finder{pkg: p, fset: fset, file: file, source: source, seen: map[string]int{}}
	for _, decl := range tree.Decls {
		f.function = nameOf(decl)
		f.walk(decl)
	}
	return nil
}

// nameOf returns the name of a function or method, or the first of other names.
func nameOf(decl ast.Decl) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return d.Name.Name
		}
		of := d.Recv.List[0].Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		switch generic := of.(type) {
		case *ast.IndexExpr:
			of = generic.X
		case *ast.IndexListExpr:
			of = generic.X
		}
		if name, ok := of.(*ast.Ident); ok {
			return name.Name + "." + d.Name.Name
		}
		return d.Name.Name
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if value, ok := spec.(*ast.ValueSpec); ok {
				return value.Names[0].Name
			}
		}
	}
	return "-"
}

// finder collects the mutants of one file.
type finder struct {
	pkg      *pkg
	fset     *token.FileSet
	file     string
	function string
	source   []byte
	seen     map[string]int // keys
}

func (f *finder) offset(pos token.Pos) int { return f.fset.Position(pos).Offset }

// text returns the source between two positions in one line.
func (f *finder) text(from, to token.Pos) string {
	return strings.Join(strings.Fields(string(f.source[f.offset(from):f.offset(to)])), " ")
}

// replace adds the mutant that has something else between two positions.
func (f *finder) replace(from, to token.Pos, with, change string) {
	f.add(from, to, &mutant{before: with, removed: true, change: change})
}

// wrap adds the mutant that has before and after around a node. What the node
// uses stays in use, so that the compiler does not object.
func (f *finder) wrap(n ast.Node, before, after, change string) {
	change = f.text(n.Pos(), n.End()) + ": " + change
	f.add(n.Pos(), n.End(), &mutant{before: before, after: after, change: change})
}

func (f *finder) add(from, to token.Pos, m *mutant) {
	m.pkg, m.file, m.function = f.pkg, f.file, f.function
	m.line = f.fset.Position(from).Line
	m.start, m.end = f.offset(from), f.offset(to)
	m.source = strings.TrimSpace(string(bytes.Split(f.source, []byte("\n"))[m.line-1]))
	// The same text may stand in a function several times.
	f.seen[m.key()]++
	if n := f.seen[m.key()]; n > 1 {
		m.change = fmt.Sprintf("%s (%d)", m.change, n)
	}
	f.pkg.mutants = append(f.pkg.mutants, m)
}
