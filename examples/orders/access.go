package main

import (
	"fmt"
	"io"

	"github.com/sallyport-go/sallyport/claims"
)

// accessTable lists what the operations of both APIs need. Nothing is served and
// no token is looked at, so that it takes no issuer.
func accessTable() (claims.AccessTable, error) {
	var nobody claims.Issuers
	orders := newStore()
	if _, _, err := newGRPCServer(&nobody, orders); err != nil { // it audits the policy
		return nil, err
	}
	return claims.NewAccessTable(
		newHTTPMux(&nobody, orders).Operations(), policy.Operations()), nil
}

// tableFlag is -access-table, whose value is optional.
type tableFlag struct {
	given bool
	value string
}

const (
	tableMarkdown = "true" // what a flag without a value is set to
	tableJSON     = "json"
)

func (*tableFlag) IsBoolFlag() bool { return true }

func (f *tableFlag) String() string { return f.value }

func (f *tableFlag) Set(value string) error {
	*f = tableFlag{true, value}
	return nil
}

func (f *tableFlag) check() error {
	if !f.given || f.value == tableMarkdown || f.value == tableJSON {
		return nil
	}
	return fmt.Errorf("-access-table %q: must be json, or have no value", f.value)
}

// printAccessTable returns the exit code.
func printAccessTable(format string, stdout, stderr io.Writer) int {
	table, err := accessTable()
	text := []byte(table.Markdown())
	if err == nil && format == tableJSON {
		text, err = table.JSON()
	}
	if err == nil {
		_, err = stdout.Write(text)
	}
	if err != nil {
		fmt.Fprintln(stderr, "orders:", oneLine(err))
		return exitError
	}
	return exitOK
}
