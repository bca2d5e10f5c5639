package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// pkg is a package of the module.
type pkg struct {
	name    string // its path below the module's
	files   []string
	imports []string // of the module, by the same names
	refers  graph
}

func (p *pkg) references() int {
	n := 0
	for _, to := range p.refers {
		n += len(to)
	}
	return n
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, Imports        []string
	DepOnly                 bool
	Module                  *struct{ Path string }
}

// load reads the packages that the patterns match, without their tests. What
// they import is read as the compiler has left it.
func load(patterns []string) ([]*pkg, error) {
	list := exec.Command("go", append([]string{
		"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Imports,DepOnly,Module",
	}, patterns...)...)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	exports := map[string]string{}
	var chosen []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var l listed
		if err := decoder.Decode(&l); err != nil {
			return nil, err
		}
		exports[l.ImportPath] = l.Export
		if !l.DepOnly && l.Module != nil {
			chosen = append(chosen, l)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no package of a module matches %q", patterns)
	}
	fset := token.NewFileSet()
	from := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	var packages []*pkg
	for _, l := range chosen {
		p, err := read(fset, from, l)
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	return packages, nil
}

// read finds the references between the files of a package.
func read(fset *token.FileSet, from types.Importer, l listed) (*pkg, error) {
	p := &pkg{name: below(l.Module.Path, l.ImportPath), files: l.GoFiles, refers: graph{}}
	for _, path := range l.Imports {
		if inside(l.Module.Path, path) {
			p.imports = append(p.imports, below(l.Module.Path, path))
		}
	}
	var files []*ast.File
	for _, name := range l.GoFiles {
		path := filepath.Join(l.Dir, name)
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	checked, err := (&types.Config{Importer: from}).Check(l.ImportPath, fset, files, info)
	if err != nil {
		return nil, err
	}
	for ident, used := range info.Uses {
		if used.Pkg() != checked {
			continue
		}
		// What is local to a function is in its file.
		user, owner := fileOf(fset, ident.Pos()), fileOf(fset, used.Pos())
		if _, isImport := used.(*types.PkgName); !isImport && user != owner {
			p.refers.add(user, owner, used.Name())
		}
	}
	return p, nil
}

func fileOf(fset *token.FileSet, at token.Pos) string {
	return filepath.Base(fset.Position(at).Filename)
}

// inside reports whether a path is that of a package, or below it.
func inside(of, path string) bool { return path == of || strings.HasPrefix(path, of+"/") }

func below(module, path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}
