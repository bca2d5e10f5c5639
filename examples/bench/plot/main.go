// Plot draws the results of a benchmark as SVG files.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sallyport-go/sallyport/examples/bench/internal/growth"
	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

func main() {
	in := flag.String("in", "results/bench.txt", "the results")
	dir := flag.String("dir", "results", "where the SVG files go")
	flag.Parse()
	if err := drawAll(*in, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func drawAll(in, dir string) error {
	results, err := measured.Read(in)
	if err != nil {
		return err
	}
	if err := drawRatios(results, filepath.Join(dir, "verify.svg")); err != nil {
		return err
	}
	if err := drawRefusals(results, filepath.Join(dir, "refuse.svg")); err != nil {
		return err
	}
	if err := drawEndToEnd(results, filepath.Join(dir, "endtoend.svg")); err != nil {
		return err
	}
	for _, c := range growth.Curves {
		if err := drawCurve(results, c, filepath.Join(dir, "growth-"+c.Name+".svg")); err != nil {
			return err
		}
	}
	return nil
}
