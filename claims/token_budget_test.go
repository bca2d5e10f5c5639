//go:build !race

package claims

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
)

// A refusal by form is cheap, whatever the token is full of.
func TestBudget_form(t *testing.T) {
	for name, text := range map[string]string{
		"too large":     strings.Repeat("A", defaultMaxTokenSize+1),
		"one segment":   strings.Repeat("A", defaultMaxTokenSize),
		"many segments": strings.Repeat("A.", defaultMaxTokenSize/2),
		"line break":    "AA.AA.AA\n",
	} {
		g, nobody := newPipeline(jws.Asymmetric, 10), &issuerTable{maxSize: defaultMaxTokenSize}
		refuse := func() error {
			_, err := g.identify(t.Context(), Credentials{Scheme: "Bearer", Token: text}, nobody)
			return err
		}
		err := refuse()
		require.Error(t, err, name)
		assert.Zero(t, testing.AllocsPerRun(20, func() { _ = refuse() }), name)
	}
}
