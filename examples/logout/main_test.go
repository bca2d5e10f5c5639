package main_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/redisstore/redistest"
	main "github.com/sallyport-go/sallyport/examples/logout"
)

// The README's promise: the stream on the other replica ends, and the token is
// refused everywhere. How long it takes is printed; a busy machine may need
// more than the second of which the README speaks.
func TestRun(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var out bytes.Buffer
	took, err := main.Run(t.Context(), server.URL(), &out)
	require.NoError(t, err, "%s", &out)
	assert.Less(t, took, 20*time.Second)
	assert.Equal(t, 2, bytes.Count(out.Bytes(), []byte("401 Unauthorized")), "%s", &out)
	t.Logf("the stream ended after %s", took)
}
