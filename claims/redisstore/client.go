package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Times of a client that requests wait for.
const (
	dialTimeout = time.Second
	callTimeout = time.Second
	retries     = 1
)

// NewClient returns a client for a URL such as "redis://user:password@host/0",
// "rediss://" for TLS, that gives up in time: a second for a connection, a
// second for an answer, and no later than its context. It does no I/O. The
// error does not quote the URL, which may hold a password.
//
// Any other client serves too, such as one of a cluster or with sentinels: set
// its ContextTimeoutEnabled, or requests wait for its ReadTimeout.
func NewClient(url string) (*redis.Client, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("redisstore: NewClient: url is not a URL of Redis")
	}
	options.ContextTimeoutEnabled = true
	options.DialTimeout = dialTimeout
	options.ReadTimeout, options.WriteTimeout = callTimeout, callTimeout
	options.MaxRetries = retries
	options.DialerRetries = retries
	return redis.NewClient(options), nil
}

// CheckServer asks a server whether it can be relied on, for readiness probes
// and tests: the error says that it does not answer, is too old, or may evict
// keys.
func CheckServer(ctx context.Context, client redis.UniversalClient) error {
	info, err := client.Info(ctx).Result()
	if err != nil {
		return fmt.Errorf("redisstore: the server does not answer: %w", err)
	}
	values := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			values[name] = value
		}
	}
	major, _, _ := strings.Cut(values["redis_version"], ".")
	if n, err := strconv.Atoi(major); err == nil && n < 7 {
		return fmt.Errorf("redisstore: the server is version %s, and has to be 7 or later",
			values["redis_version"])
	}
	policy := values["maxmemory_policy"]
	if most := values["maxmemory"]; most != "" && most != "0" && policy != "noeviction" {
		return fmt.Errorf("redisstore: the server evicts keys by %q: what it evicts is no longer "+
			"refused; set its maxmemory-policy to noeviction", policy)
	}
	return nil
}
