package main

// What the tests, in package main_test, start.
var (
	Main = main
	Run  = program.Run

	AccessTable = accessTable
)
