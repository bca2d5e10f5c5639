// Permissions is a service whose grants live in a database: who may do what,
// and in which workspace. The tokens of its callers say who they are and no
// more. The same orders are behind a REST, a gRPC and a GraphQL API.
//
// Without flags it keeps everything in a temporary SQLite database, starts an
// issuer of its own, for development, and prints commands that get a token and
// use it. It serves plain HTTP and gRPC: anywhere but on a loopback address,
// put TLS in front of it, as whoever reads a token can use it.
package main

import "github.com/sallyport-go/sallyport/examples/internal/demo"

var program = demo.Program[*options]{
	Name: "permissions", Usage: usage, Parse: parseOptions, Open: open,
}

func main() { program.Main() }
