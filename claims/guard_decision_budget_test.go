//go:build !race

package claims_test

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
)

// To log a decision allocates the room of its fields in the record, whatever
// the requirement.
//
// It is not parallel: what others allocate would count.
func TestBudget_logDecisions(t *testing.T) {
	for name, needs := range map[string]claims.Requirement{
		"one part": claims.Scopes("orders:read"), "three parts": threeParts(),
	} {
		plain := logging(t, nil, needs)
		logged := logging(t, claims.LogDecisions(slog.New(slog.NewJSONHandler(io.Discard, nil))), needs)
		plain()
		logged()
		assert.LessOrEqual(t, testing.AllocsPerRun(100, logged)-testing.AllocsPerRun(100, plain), 1.0, name)
	}
}
