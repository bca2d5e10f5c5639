package main

import "github.com/sallyport-go/sallyport/claims/claimstest"

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
