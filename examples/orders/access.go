package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/sallyport-go/sallyport/claims"
)

// nobody lets nobody in.
type nobody struct{}

func (nobody) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return nil, claims.NewError(claims.ErrInvalidToken, claims.ReasonIssuer, nil)
}

func (nobody) AuthorizationServers() []string { return nil }

func (nobody) Ready(context.Context, ...string) error { return nil }

// accessTable lists what the operations of both APIs need. Nothing is served,
// so that it takes no issuer.
func accessTable(box *sandbox) (claims.AccessTable, error) {
	orders, told, ended := newStore(), new(records), new(news)
	// It audits the policy.
	if _, _, err := newGRPCServer(nobody{}, box, orders, told, ended, new(binding)); err != nil {
		return nil, err
	}
	mux := newHTTPMux(nobody{}, box, orders, told, ended, new(binding))
	return claims.NewAccessTable(mux.Operations(), box.policy(policy).Operations()), nil
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

// tablePrinter prints the access table and is done.
type tablePrinter struct {
	format string
	box    *sandbox
	out    io.Writer
}

func (*tablePrinter) Greeting() string { return "" }

func (p *tablePrinter) Serve(context.Context) error {
	table, err := accessTable(p.box)
	if err != nil {
		return err
	}
	text := []byte(table.Markdown())
	if p.format == tableJSON {
		if text, err = readableJSON(table); err != nil {
			return err
		}
	}
	_, err = p.out.Write(text)
	return err
}

// readableJSON returns the table as indented JSON, without escapes for HTML.
func readableJSON(table claims.AccessTable) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(table)
	return b.Bytes(), err
}
