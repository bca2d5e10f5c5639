// Orders is a service whose HTTP and gRPC APIs let in the holders of OAuth 2.0
// access tokens: the same orders behind both, one requirement for each operation.
//
// Without flags it starts an issuer of its own, for development, and prints
// commands that get a token and use it. With -issuer it trusts real issuers
// instead. It serves plain HTTP and gRPC: anywhere but on a loopback address,
// put TLS in front of it, as whoever reads a token can use it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // it can not listen or serve
	exitUsage = 2 // the command line is wrong
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it without draining
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run serves until ctx ends, and returns the exit code. An error is one line on
// stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, "orders:", oneLine(err))
		return exitUsage
	}
	if opts.table.given {
		return printAccessTable(opts.table.value, stdout, stderr)
	}
	svc, err := open(opts)
	if err != nil {
		fmt.Fprintln(stderr, "orders:", oneLine(err))
		return exitError
	}
	fmt.Fprint(stdout, svc.greeting())
	if err := svc.serve(ctx); err != nil {
		fmt.Fprintln(stderr, "orders:", oneLine(err))
		return exitError
	}
	return exitOK
}
