package main

import (
	"time"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// The clients of the development issuer. Their secrets are in the source of a
// public repository and printed at every start.
var (
	devReader = claimstest.Client{
		ID: "orders-reader", Secret: "reader-secret", Scopes: []string{"orders:read"},
	}
	devAdmin = claimstest.Client{
		ID: "orders-admin", Secret: "admin-secret",
		Scopes: []string{"orders:read", "orders:write", "orders:delete"},
	}
)

// newDevIssuer returns the issuer that makes the demo work without any other:
// for development only. It is to be served at addr.
func newDevIssuer(addr, audience string) (*claimstest.Issuer, error) {
	return claimstest.New(claimstest.Config{
		URL:      "http://" + addr,
		Audience: audience,
		Lifetime: 15 * time.Minute,
		Clients:  []claimstest.Client{devReader, devAdmin},
	})
}
