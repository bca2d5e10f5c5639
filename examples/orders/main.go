// Orders is a service whose HTTP and gRPC APIs let in the holders of OAuth 2.0
// access tokens: the same orders behind both, one requirement for each
// operation.
//
// Without flags it starts an issuer of its own, for development, and prints
// commands that get a token and use it. With -issuer it trusts real issuers
// instead. It serves plain HTTP and gRPC unless it is given a certificate:
// anywhere but on a loopback address, use TLS, as whoever reads a token can use
// it.
package main

import (
	"context"
	"io"

	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

var program = demo.Program[*options]{
	Name: "orders", Usage: usage, Parse: parseOptions, Open: open,
}

func main() { program.Main() }

// open returns the service, or the access table where that is asked for.
func open(ctx context.Context, o *options, stdout, stderr io.Writer) (demo.Service, error) {
	if o.table.given {
		return &tablePrinter{o.table.value, o.sandbox, &news{flags: o.news}, stdout}, nil
	}
	if o.kinds.mint != "" {
		return &minter{o.kinds.staticTokens, o.kinds.minted, stdout}, nil
	}
	return newService(ctx, o, stderr)
}
