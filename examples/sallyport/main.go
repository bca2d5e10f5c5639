// Sallyport answers the questions of whoever sets up or operates a service that
// the library guards:
//
//	pbpaste | sallyport explain -issuer https://issuer.example -audience https://orders.example
//	sallyport lint https://issuer.example
//	sallyport access old.md new.md
//
// explain says why a token is accepted or refused, as a service with the same
// settings would find. lint says what is wrong with an issuer's metadata and
// key set, or what will be. access says what one access table lets callers do
// that another did not.
//
// The exit code is 0 if all is well: the token is accepted, nothing is wrong,
// nothing is opened. It is 1 if not, 2 for wrong flags, and 3 if it cannot be
// told, as the issuer does not answer or a file cannot be read.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
)

const (
	exitGood = iota
	exitBad
	exitUsage
	exitUndecided
)

const usage = `usage: sallyport COMMAND [flags]

  explain   why a token on standard input is accepted or refused
  lint      what is wrong with an issuer, its metadata or its key set
  access    what one access table lets callers do that another did not

sallyport COMMAND -h lists the flags of a command.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "explain":
		return explain(ctx, args, stdin, stdout, stderr)
	case "lint":
		return lint(ctx, args, stdout, stderr)
	case "access":
		return access(args, stdout, stderr)
	case "-h", "-help", "--help", "help":
		fmt.Fprint(stdout, usage)
		return exitGood
	case "":
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	fmt.Fprintf(stderr, "sallyport: no command %q\n%s", command, usage)
	return exitUsage
}
