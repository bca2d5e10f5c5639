package main

// What the test, in package main_test, plays through.
var Run = run
