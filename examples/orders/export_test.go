package main

import "github.com/sallyport-go/sallyport/claims"

// What the tests, in package main_test, start.
var (
	Main = main
	Run  = program.Run

	AccessTable = func() (claims.AccessTable, error) { return accessTable(nil, new(news)) }
)
