// Command mutate checks that the tests of packages notice each check of the
// code they test: it takes the checks out one by one and expects a test to
// fail.
//
//	go run ./.ci/mutate ./claims ./jwks
//
// The mutated files reach the compiler by an overlay, so the tree is never
// written to. A mutant that no test notices is a survivor; survivors that are
// not in the list of the reviewed ones make the command fail.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"time"
)

type options struct {
	match    *regexp.Regexp
	reviewed string
	sample   int
	seed     uint64
	workers  int
	list     bool
	verbose  bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ok, err := check(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func parseFlags() (options, error) {
	var o options
	match := flag.String("run", "",
		"only mutants whose file:function: change matches this `regexp`")
	flag.StringVar(&o.reviewed, "reviewed", ".ci/mutate/survivors.txt",
		"`file` of reviewed survivors")
	flag.IntVar(&o.sample, "sample", 0, "run only `n` mutants, chosen by the seed; 0 runs all")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the sample")
	flag.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "mutants at a time")
	flag.BoolVar(&o.list, "list", false, "list the mutants and run none")
	flag.BoolVar(&o.verbose, "v", false, "print the outcome of each mutant")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./.ci/mutate [flags] package...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 || o.workers < 1 {
		return o, fmt.Errorf("needs at least one package and one worker")
	}
	var err error
	o.match, err = regexp.Compile(*match)
	return o, err
}

// check reports whether every mutant was noticed or is reviewed.
func check(ctx context.Context) (bool, error) {
	o, err := parseFlags()
	if err != nil {
		return false, err
	}
	reviewed, err := readReviewed(o.reviewed)
	if err != nil {
		return false, err
	}
	packages, err := findPackages(ctx, flag.Args())
	if err != nil {
		return false, err
	}
	ok := true
	for _, key := range reviewed.vanished(packages) {
		fmt.Printf("%s: matches no mutant: %s\n", o.reviewed, key)
		ok = false
	}
	reviewed.mark(packages)
	chosen := choose(packages, o)
	if o.list {
		for _, m := range chosen {
			fmt.Println(m)
		}
		fmt.Printf("%d mutants\n", len(chosen))
		return ok, nil
	}
	start := time.Now()
	if err := runAll(ctx, packages, chosen, o); err != nil {
		return false, err
	}
	ok = report(chosen, o.reviewed) && ok
	fmt.Printf("%v\n", time.Since(start).Round(time.Second))
	return ok, nil
}

// choose returns the mutants that the flags ask for.
func choose(packages []*pkg, o options) []*mutant {
	var chosen []*mutant
	for _, p := range packages {
		for _, m := range p.mutants {
			if o.match.MatchString(m.key()) {
				chosen = append(chosen, m)
			}
		}
	}
	if o.sample > 0 && o.sample < len(chosen) {
		fmt.Printf("a sample of %d out of %d mutants, seed %d\n", o.sample, len(chosen), o.seed)
		rand.New(rand.NewPCG(o.seed, 0)).Shuffle(len(chosen), func(i, j int) {
			chosen[i], chosen[j] = chosen[j], chosen[i]
		})
		chosen = chosen[:o.sample]
	}
	return chosen
}
