package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/examples/bench/internal/growth"
)

// A curve that has no words would be measured and shown nowhere.
func TestCurves_haveWords(t *testing.T) {
	t.Parallel()
	measured, shown := map[string]bool{}, map[string]bool{}
	for _, c := range curves {
		measured[c.of] = true
	}
	for _, c := range growth.Curves {
		shown[c.Of] = true
	}
	assert.Equal(t, measured, shown)
}
