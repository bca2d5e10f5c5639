// Permissions is a service whose grants live in a database: who may do what, and
// in which workspace. The tokens of its callers say who they are and no more. The
// same orders are behind a REST, a gRPC and a GraphQL API.
//
// Without flags it keeps everything in a temporary SQLite database, starts an
// issuer of its own, for development, and prints commands that get a token and
// use it. It serves plain HTTP and gRPC: anywhere but on a loopback address, put
// TLS in front of it, as whoever reads a token can use it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // it can not listen, serve or reach its database
	exitUsage = 2 // the command line is wrong
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it without draining
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run serves until ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, "permissions:", oneLine(err))
		return exitUsage
	}
	svc, err := open(ctx, opts, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "permissions:", oneLine(err))
		return exitError
	}
	fmt.Fprint(stdout, svc.greeting())
	if err := svc.serve(ctx); err != nil {
		fmt.Fprintln(stderr, "permissions:", oneLine(err))
		return exitError
	}
	return exitOK
}

// oneLine puts errors that were joined on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
