//go:build race

package grpcmw_test

// underRace says that the race detector makes everything slow.
const underRace = true
