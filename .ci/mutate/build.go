package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// apply returns a file with one mutant.
func (m *mutant) apply() []byte {
	return edit(m.pkg.sources[m.file], []*mutant{m}, func(*mutant) string { return "true" })
}

// joint returns a file with all mutants that are in the binary of all.
func (p *pkg) joint(file string) []byte {
	var mutants []*mutant
	for _, m := range p.mutants {
		if m.file == file && m.joint > 0 {
			mutants = append(mutants, m)
		}
	}
	return edit(p.sources[file], mutants, func(m *mutant) string {
		return "mutant(" + strconv.Itoa(m.joint) + ")"
	})
}

// edit returns the source with mutants in it, of which none overlap others but
// around them. No line is added, so that what the compiler says can be
// traced back.
func edit(source []byte, mutants []*mutant, on func(*mutant) string) []byte {
	type insertion struct {
		at, rank int // of equal places, lower ranks stand first
		text     string
	}
	var insertions []insertion
	removed := map[int]int{}
	for i, m := range mutants {
		size := (m.end-m.start)*len(mutants) + len(mutants) - i // what is around has more
		text := func(s string) string { return strings.ReplaceAll(s, active, on(m)) }
		insertions = append(insertions,
			insertion{m.start, -size, text(m.before)},
			insertion{m.end, size - 1<<40, text(m.after)})
		if m.removed {
			removed[m.start] = m.end
		}
	}
	slices.SortStableFunc(insertions, func(a, b insertion) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank))
	})
	var out []byte
	from := 0
	for _, i := range insertions {
		out = append(append(out, source[from:max(i.at, from)]...), i.text...)
		from = max(i.at, from, removed[i.at])
	}
	return append(out, source[from:]...)
}

// runtimeFile is the file that the binary of all mutants has beside the others.
const runtimeFile = `package %s

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync/atomic"
)

var (
	mutantActive, _ = strconv.Atoi(os.Getenv("MUTANT"))
	mutantLog, _    = os.OpenFile(os.Getenv("MUTANT_LOG"), os.O_APPEND|os.O_WRONLY, 0)
	mutantReached   [%d]atomic.Bool
)

func mutant(n int) bool {
	if mutantLog != nil && !mutantReached[n].Swap(true) {
		fmt.Fprintln(mutantLog, n)
	}
	return n == mutantActive
}

// mutantCase returns value, or, if active, something else than tag.
func mutantCase[T comparable](active bool, tag, value T) T {
	if !active {
		return value
	}
	other := reflect.New(reflect.TypeFor[T]()).Elem()
	switch v := reflect.ValueOf(tag); {
	case other.Kind() == reflect.Interface:
		other.Set(reflect.ValueOf(errors.New("mutant")))
	case other.Kind() == reflect.String:
		other.SetString(v.String() + "?")
	case other.CanUint():
		other.SetUint(v.Uint() + 1)
	case other.CanInt():
		other.SetInt(v.Int() + 1)
	}
	return other.Interface().(T)
}
`

// buildJoint builds one binary of each suite with every mutant that can be
// turned on when it runs: a compilation takes longer than most tests.
func (p *pkg) buildJoint(ctx context.Context, dir string) error {
	for i, m := range p.mutants {
		if strings.Contains(m.before+m.after, active) {
			m.joint = i + 1
		}
	}
	for _, s := range p.suites {
		for {
			files := map[string][]byte{}
			for file := range p.sources {
				files[filepath.Base(file)] = p.joint(file)
			}
			out, err := p.build(ctx, s, dir, s.binary, files)
			if err == nil {
				break
			}
			if !p.exclude(string(out)) {
				return fmt.Errorf("go test -c: %w\n%s", err, out)
			}
		}
	}
	return nil
}

var compilerError = regexp.MustCompile(`(?m)([^/\s]+\.go):(\d+):\d+: (.*)`)

// exclude takes the mutants out that the compiler objects to, and reports
// whether there are any. Where a return is missing, that or a panic is one
// above.
func (p *pkg) exclude(out string) bool {
	found := false
	for _, e := range compilerError.FindAllStringSubmatch(out, -1) {
		line, _ := strconv.Atoi(e[2])
		missing := strings.Contains(e[3], "missing return")
		function := ""
		for _, m := range slices.Backward(p.mutants) {
			if filepath.Base(m.file) != e[1] || m.joint == 0 || m.line > line {
				continue
			}
			function = cmp.Or(function, m.function)
			if m.line == line || missing && m.function == function && terminates(m.change) {
				m.joint = 0
				found = true
			}
		}
	}
	return found
}

func terminates(change string) bool {
	return strings.HasPrefix(change, "return ") || strings.HasPrefix(change, "panic(")
}

// build compiles tests of the package with other contents of some files.
func (p *pkg) build(
	ctx context.Context, s *suite, dir, binary string, files map[string][]byte,
) ([]byte, error) {
	replace := map[string]string{}
	var errs []error
	files["mutant_.go"] = fmt.Appendf(nil, runtimeFile, p.name, len(p.mutants)+1)
	for name, source := range files {
		path := filepath.Join(dir, name)
		errs = append(errs, os.WriteFile(path, source, 0o600))
		replace[filepath.Join(p.dir, name)] = path
	}
	overlay := filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": replace})
	errs = append(errs, err, os.WriteFile(overlay, text, 0o600))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", binary,
		"-ldflags=-s -w", "-gcflags=-e", s.path)
	return build.CombinedOutput()
}

// buildOne builds a suite's binary of one mutant, and reports whether it
// compiles.
func (m *mutant) buildOne(ctx context.Context, s *suite, dir, binary string) (bool, error) {
	file := filepath.Base(m.file)
	out, err := m.pkg.build(ctx, s, dir, binary, map[string][]byte{file: m.apply()})
	if err != nil && !bytes.Contains(out, []byte(file+":")) {
		return false, fmt.Errorf("%s: %w\n%s", m, err, out)
	}
	return err == nil, nil
}
