//go:build !race

package claims

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A refusal by form is cheap, whatever the token is full of.
func TestBudget_form(t *testing.T) {
	for name, text := range map[string]string{
		"too large":     strings.Repeat("A", maxTokenSize+1),
		"one segment":   strings.Repeat("A", maxTokenSize),
		"many segments": strings.Repeat("A.", maxTokenSize/2),
		"line break":    "AA.AA.AA\n",
	} {
		g, nobody := newGate(algorithms, 10), new(issuerTable)
		refuse := func() error {
			_, _, err := g.authenticate(t.Context(), Request{Scheme: "Bearer", Token: text}, nobody)
			return err
		}
		err := refuse()
		require.Error(t, err, name)
		assert.Zero(t, testing.AllocsPerRun(20, func() { _ = refuse() }), name)
	}
}
