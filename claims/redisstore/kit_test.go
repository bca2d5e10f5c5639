package redisstore_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/redisstore"
)

// patience is how long something may take that must happen.
const patience = 30 * time.Second

// connect returns a client of its own, as each replica has one.
func connect(t testing.TB, url string) *redis.Client {
	t.Helper()
	client, err := redisstore.NewClient(url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
