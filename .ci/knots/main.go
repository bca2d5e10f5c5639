// Command knots shows how the files of the packages of a module hold together.
// A file refers to another of its package if it uses a name, a method or a
// field that is declared there; files that refer to one another, directly or by
// way of others, are a knot: to read one of them means to read them all.
//
//	go run ./.ci/knots ./...
//
// It fails if a knot is larger than its package may have, or if a package
// imports one that it must not know.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// limits are the sizes of the largest knots, by package. Others have no limit.
var limits = map[string]int{"claims": 6}

func main() {
	arrows := flag.Bool("arrows", false, "print which file refers to which, and by what")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./.ci/knots [flags] package...")
		flag.PrintDefaults()
	}
	flag.Parse()
	packages, err := load(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "knots:", err)
		os.Exit(1)
	}
	ok := true
	for _, p := range packages {
		ok = report(os.Stdout, p, *arrows) && ok
	}
	if !ok {
		os.Exit(1)
	}
}

// report prints the knots of a package, and what is wrong with it. It reports
// whether nothing is.
func report(out io.Writer, p *pkg, arrows bool) bool {
	faults := misplacedImports(p)
	fmt.Fprintf(out, "%s: %d files, %d references\n", p.name, len(p.files), p.references())
	for _, knot := range knots(p.refers) {
		fmt.Fprintf(out, "  knot of %d: %s\n", len(knot), strings.Join(knot, " "))
		if limit, ok := limits[p.name]; ok && len(knot) > limit {
			faults = append(faults, fmt.Sprintf("a knot of %d files: at most %d", len(knot), limit))
			arrows = true // which of them to cut
		}
	}
	if arrows {
		printArrows(out, p)
	}
	for _, fault := range faults {
		fmt.Fprintf(out, "%s: %s\n", p.name, fault)
	}
	return len(faults) == 0
}

// printArrows prints the references inside knots.
func printArrows(out io.Writer, p *pkg) {
	for _, knot := range knots(p.refers) {
		for _, from := range knot {
			for _, to := range slices.Sorted(maps.Keys(p.refers[from])) {
				if slices.Contains(knot, to) {
					names := slices.Sorted(maps.Keys(p.refers[from][to]))
					fmt.Fprintf(out, "  %s -> %s: %s\n", from, to, strings.Join(names, " "))
				}
			}
		}
	}
}
