// Report writes the results of a benchmark as Markdown tables.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

func main() {
	in := flag.String("in", "results/bench.txt", "the results")
	out := flag.String("out", "results/README.md", "the tables")
	flag.Parse()
	results, err := measured.Read(*in)
	if err == nil {
		err = os.WriteFile(*out, []byte(report(results)), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}
