package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

type outcome string

const (
	killed    outcome = "killed"
	survived  outcome = "no test fails"
	uncovered outcome = "no test gets here"
	unviable  outcome = "does not compile"
)

// test is a test of a suite.
type test struct {
	suite   *suite
	name    string
	took    time.Duration
	reached map[int]bool // numbers of mutants that are in the binary of all
}

// runAll runs the tests once unmutated, then for each mutant.
func runAll(ctx context.Context, packages []*pkg, chosen []*mutant, o options) error {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, p := range packages {
		if err := measure(ctx, dir, p, o.workers); err != nil {
			return err
		}
	}
	queue := make(chan *mutant)
	errs := make([]error, o.workers)
	var workers sync.WaitGroup
	for i := range o.workers {
		workers.Go(func() {
			w, err := newWorker(dir, strconv.Itoa(i))
			errs[i] = err
			for m := range queue {
				if err == nil {
					errs[i] = errors.Join(errs[i], w.run(ctx, m, o.verbose))
				}
			}
		})
	}
	for _, joint := range []bool{true, false} { // the slow ones last
		for _, m := range chosen {
			if (m.joint > 0) == joint && ctx.Err() == nil {
				queue <- m
			}
		}
	}
	close(queue)
	workers.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// worker runs one mutant at a time, in a directory of its own.
type worker struct {
	dir string
}

func newWorker(shared, name string) (*worker, error) {
	w := &worker{filepath.Join(shared, name)}
	return w, os.MkdirAll(w.temp(), 0o700)
}

func (w *worker) temp() string { return filepath.Join(w.dir, "tmp") }

// measure builds the binary of all mutants, and notes which of them each test
// gets to, and how long it takes.
func measure(ctx context.Context, dir string, p *pkg, workers int) error {
	for i, s := range p.suites {
		s.binary = filepath.Join(dir, fmt.Sprintf("%s-%d.test", p.name, i))
	}
	if err := p.buildJoint(ctx, dir); err != nil {
		return err
	}
	for _, s := range p.suites {
		if err := p.list(ctx, s); err != nil {
			return err
		}
	}
	errs := make([]error, workers)
	var running sync.WaitGroup
	for i := range workers {
		running.Go(func() {
			w, err := newWorker(dir, "measure"+strconv.Itoa(i))
			for at := i; at < len(p.tests) && err == nil; at += workers {
				err = w.measure(ctx, p.tests[at])
			}
			errs[i] = err
		})
	}
	running.Wait()
	byTime := slices.SortedFunc(slices.Values(p.tests), func(a, b *test) int {
		return cmp.Compare(a.took, b.took)
	})
	p.slow = 5 * byTime[len(byTime)/2].took
	return errors.Join(errs...)
}

// list adds the tests of a suite.
func (p *pkg) list(ctx context.Context, s *suite) error {
	list, err := exec.CommandContext(ctx, s.binary, "-test.list=^(Test|Fuzz|Example)").Output()
	if err != nil {
		return err
	}
	names := strings.Fields(string(list))
	if len(names) == 0 {
		return fmt.Errorf("%s has no tests", s.path)
	}
	for _, name := range names {
		t := &test{suite: s, name: name, took: unmeasured, reached: map[int]bool{}}
		p.tests = append(p.tests, t)
	}
	return nil
}

func (w *worker) measure(ctx context.Context, t *test) error {
	log := filepath.Join(w.dir, "log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		return err
	}
	start := time.Now()
	if !w.test(ctx, t.suite, t.suite.binary, "MUTANT_LOG="+log, []*test{t}) {
		return fmt.Errorf("%s of %s fails without a mutation", t.name, t.suite.path)
	}
	t.took = time.Since(start)
	text, err := os.ReadFile(log)
	for _, number := range strings.Fields(string(text)) {
		n, _ := strconv.Atoi(number)
		t.reached[n] = true
	}
	return err
}

func (w *worker) run(ctx context.Context, m *mutant, verbose bool) error {
	start := time.Now()
	var err error
	if m.joint > 0 {
		m.outcome = w.runJoint(ctx, m)
	} else {
		m.outcome, err = w.runOne(ctx, m)
	}
	if verbose {
		fmt.Printf("%.1fs %s [%s]\n", time.Since(start).Seconds(), m, m.outcome)
	}
	return err
}

// runOne runs a mutant that needs a binary of its own.
func (w *worker) runOne(ctx context.Context, m *mutant) (outcome, error) {
	binary := filepath.Join(w.dir, "mutant.test")
	for _, s := range m.pkg.suites {
		switch built, err := m.buildOne(ctx, s, w.dir, binary); {
		case err != nil:
			return "", err
		case !built:
			return unviable, nil
		case !w.test(ctx, s, binary, "MUTANT=", of(s, m.pkg.tests)):
			return killed, nil
		}
	}
	return survived, nil
}

// of returns those tests that are of a suite.
func of(s *suite, tests []*test) []*test {
	return slices.DeleteFunc(slices.Clone(tests), func(t *test) bool { return t.suite != s })
}

// unmeasured is how long a test is taken to take before that is known.
const unmeasured = 10 * time.Second

// runJoint runs a mutant in the binary of all: first the tests that get to it,
// then the others, as which these are may depend on chance. Of a reviewed
// survivor it is not worth the time to know for sure.
func (w *worker) runJoint(ctx context.Context, m *mutant) outcome {
	var fast, slow, others []*test
	for _, t := range m.pkg.tests {
		switch {
		case !t.reached[m.joint]:
			others = append(others, t)
		case t.took < m.pkg.slow:
			fast = append(fast, t)
		default:
			slow = append(slow, t)
		}
	}
	env := "MUTANT=" + strconv.Itoa(m.joint)
	for i, tests := range [][]*test{fast, slow, others} {
		if i > 0 && m.reviewed {
			break
		}
		for _, s := range m.pkg.suites {
			tests := of(s, tests)
			if len(tests) > 0 && !w.test(ctx, s, s.binary, env, tests) {
				return killed
			}
		}
	}
	if len(fast)+len(slow) == 0 {
		return uncovered
	}
	return survived
}

// bounded keeps a mutant that goes on for ever from taking all memory, and all
// the time that others need. It is time of the CPU that counts, which is the
// same on a machine that is busy.
const bounded = `ulimit -v 8388608; ulimit -t "$0"; exec "$@"`

// test reports whether tests pass, within several times what they took before.
func (w *worker) test(ctx context.Context, s *suite, binary, env string, tests []*test) bool {
	names := make([]string, len(tests))
	var took time.Duration
	for i, t := range tests {
		names[i] = t.name
		took += t.took
	}
	seconds := 2 + int((3 * took).Seconds())
	wait := 10*time.Second + 5*took
	ctx, cancel := context.WithTimeout(ctx, wait+5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", bounded, strconv.Itoa(seconds), binary,
		"-test.failfast", "-test.run=^("+strings.Join(names, "|")+")$",
		"-test.timeout="+wait.String())
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "TMPDIR="+w.temp(), env)
	return cmd.Run() == nil
}
