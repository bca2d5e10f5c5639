package jwks_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/jwks"
)

func TestFaultOf_deadline(t *testing.T) {
	t.Parallel()
	assert.Equal(t, jwks.FaultTimeout, jwks.FaultOf(fmt.Errorf("source: %w", context.DeadlineExceeded)))
	assert.Equal(t, jwks.FaultSource, jwks.FaultOf(fmt.Errorf("source: %w", context.Canceled)))
	assert.Empty(t, jwks.FaultOf(nil))
}
