// Package demo is what the example services have in common and what is not
// about authorization: the life of a program, its listeners, its development
// issuer, the commands that it prints, JSON.
package demo

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
	exitError = 1 // it cannot listen, serve or reach what it needs
	exitUsage = 2 // the command line is wrong
)

// Service is a program that has been opened.
type Service interface {
	// Greeting is what is printed before it serves.
	Greeting() string
	// Serve serves until ctx ends, and gives back what it holds.
	Serve(ctx context.Context) error
}

// Program is a command. Options is what its command line says.
type Program[Options any] struct {
	Name, Usage string
	// Parse reads the command line, with [Parse].
	Parse func(args []string) (Options, error)
	// Open makes the service, which may write to both.
	Open func(ctx context.Context, o Options, stdout, stderr io.Writer) (Service, error)
}

// Main runs the program until a signal ends it, and exits.
func (p Program[Options]) Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it without draining
	os.Exit(p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Run runs the program until ctx ends, and returns the exit code. An error is
// one line on stderr.
func (p Program[Options]) Run(
	ctx context.Context, args []string, stdout, stderr io.Writer,
) int {
	options, err := p.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, p.Usage)
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s\n", p.Name, oneLine(err))
		return exitUsage
	}
	service, err := p.Open(ctx, options, stdout, stderr)
	if err == nil {
		fmt.Fprint(stdout, service.Greeting())
		err = service.Serve(ctx)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s\n", p.Name, oneLine(err))
		return exitError
	}
	return exitOK
}

// oneLine puts errors that were joined on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
