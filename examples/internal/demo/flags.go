package demo

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
)

// Parse parses the command line by flags whose set was made with
// [flag.ContinueOnError] and has the program's name. The error is
// [flag.ErrHelp], or names the flag or argument that the program does not have.
func Parse(flags *flag.FlagSet, args []string) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%w (%s -h lists the flags)", err, flags.Name())
}

// CheckDevIssuer refuses addresses of -dev-issuer that other machines reach.
func CheckDevIssuer(addr string) error {
	host, _, _ := net.SplitHostPort(addr)
	if host == "localhost" || net.ParseIP(host).IsLoopback() {
		return nil
	}
	return fmt.Errorf("-dev-issuer %q: must be a loopback address: its secrets are public", addr)
}
