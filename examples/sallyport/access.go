package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/sallyport-go/sallyport/claims"
)

// access says what is different between two access tables, in files of Markdown
// or JSON: who may do what they could not do before, and the other way round.
func access(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sallyport access", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprintln(stderr, "usage: sallyport access OLD NEW") }
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitGood
		}
		return exitUsage
	}
	if flags.NArg() != 2 {
		flags.Usage()
		return exitUsage
	}
	before, err1 := readTable(flags.Arg(0))
	after, err2 := readTable(flags.Arg(1))
	if err := errors.Join(err1, err2); err != nil {
		fmt.Fprintln(stderr, "sallyport access:", err)
		return exitUndecided
	}
	opened := 0
	for _, change := range before.Changes(after) {
		sign := "-"
		if change.Opened {
			sign = "+"
			opened++
		}
		fmt.Fprintln(stdout, sign, change)
	}
	if opened > 0 {
		fmt.Fprintf(stdout, "\nopened: %d\n", opened)
		return exitBad
	}
	fmt.Fprintln(stdout, "nothing is opened")
	return exitGood
}

func readTable(file string) (claims.AccessTable, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	table, err := claims.ParseAccessTable(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return table, nil
}
