package redisstore_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/redisstore"
	"github.com/sallyport-go/sallyport/claims/redisstore/redistest"
)

func newReplay(t testing.TB, client redis.UniversalClient, prefix string) *redisstore.Replay {
	t.Helper()
	replay, err := redisstore.NewReplay(client, redisstore.ReplayConfig{Prefix: prefix})
	require.NoError(t, err)
	return replay
}

func TestReplay(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := connect(t, server.URL())
	one, another := newReplay(t, client, ""), newReplay(t, connect(t, server.URL()), "")
	foreign := newReplay(t, client, "other:")
	long := strings.Repeat("x\u00e9 \r\n", 40)
	until := time.Now().Add(time.Minute)
	for _, tt := range []struct {
		name     string
		store    *redisstore.Replay
		jkt, jti string
		want     bool
	}{
		{name: "first", store: one, jkt: "a", jti: "1", want: true},
		{name: "again", store: one, jkt: "a", jti: "1"},
		{name: "again elsewhere", store: another, jkt: "a", jti: "1"},
		{name: "another identifier", store: another, jkt: "a", jti: "2", want: true},
		{name: "another key", store: one, jkt: "b", jti: "1", want: true},
		{name: "a border elsewhere", store: one, jkt: "b1", jti: "", want: true},
		{name: "another service", store: foreign, jkt: "a", jti: "1", want: true},
		{name: "any characters", store: one, jkt: "a", jti: long, want: true},
		{name: "any characters, again", store: another, jkt: "a", jti: long},
	} {
		fresh, err := tt.store.Use(t.Context(), tt.jkt, tt.jti, until)
		require.NoError(t, err, tt.name)
		assert.Equal(t, tt.want, fresh, tt.name)
	}
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 6)
	for _, key := range keys {
		assert.Less(t, len(key), 70, "of one length, whatever the sender chose")
		left, err := client.PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		assert.InDelta(t, 2*time.Minute, left, float64(time.Minute), "it ends")
	}
}

// A proof whose time has passed by this clock is remembered a while all the
// same: by another it may not have.
func TestReplay_past(t *testing.T) {
	t.Parallel()
	replay := newReplay(t, connect(t, redistest.Start(t).URL()), "")
	for _, want := range []bool{true, false} {
		fresh, err := replay.Use(t.Context(), "a", "1", time.Now().Add(-time.Hour))
		require.NoError(t, err)
		assert.Equal(t, want, fresh)
	}
}

// Of 1,000 simultaneous identical proofs at four replicas exactly one is
// accepted.
func TestReplay_race(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var replicas []*redisstore.Replay
	for range 4 {
		options, err := redis.ParseURL(server.URL())
		require.NoError(t, err)
		options.PoolTimeout = patience // few connections, many requests
		options.ReadTimeout, options.WriteTimeout, options.DialTimeout = patience, patience, patience
		client := redis.NewClient(options)
		t.Cleanup(func() { _ = client.Close() })
		replicas = append(replicas, newReplay(t, client, ""))
	}
	const proofs, rounds = 1000, 3
	for round := range rounds {
		var fresh, failed atomic.Int64
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range proofs {
			all.Go(func() {
				<-start
				ok, err := replicas[i%len(replicas)].Use(t.Context(), "key", fmt.Sprint(round),
					time.Now().Add(time.Minute))
				if err != nil {
					failed.Add(1)
				} else if ok {
					fresh.Add(1)
				}
			})
		}
		close(start)
		all.Wait()
		assert.EqualValues(t, 1, fresh.Load(), "of 1,000")
		assert.Zero(t, failed.Load())
	}
}

// A server that is gone is an error, in time, and never an acceptance; the
// store goes on by itself once it is back.
func TestReplay_outage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	replay := newReplay(t, connect(t, server.URL()), "")
	until := time.Now().Add(time.Minute)
	fresh, err := replay.Use(t.Context(), "a", "1", until)
	require.NoError(t, err)
	require.True(t, fresh)

	server.Stop()
	for i := range 20 {
		fresh, err = replay.Use(t.Context(), "a", fmt.Sprint("during ", i), until)
		require.Error(t, err)
		assert.False(t, fresh)
	}

	server.Restart()
	require.Eventually(t, func() bool {
		fresh, err = replay.Use(t.Context(), "a", "after", until)
		return err == nil
	}, patience, 10*time.Millisecond)
	assert.True(t, fresh)
}

// Requests that meet the end of the server are accepted or in error, and what
// was accepted is accepted once.
func TestReplay_stopInTheMiddle(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	replicas := []*redisstore.Replay{
		newReplay(t, connect(t, server.URL()), ""), newReplay(t, connect(t, server.URL()), ""),
	}
	const proofs = 400
	var accepted [proofs]atomic.Int64
	var failed atomic.Int64
	var all sync.WaitGroup
	for i := range proofs {
		for _, replica := range replicas {
			all.Go(func() {
				fresh, err := replica.Use(t.Context(), "key", fmt.Sprint(i), time.Now().Add(time.Minute))
				if err != nil {
					failed.Add(1)
				} else if fresh {
					accepted[i].Add(1)
				}
			})
		}
		if i == proofs/2 {
			server.Stop()
		}
	}
	all.Wait()
	for i := range accepted {
		assert.LessOrEqual(t, accepted[i].Load(), int64(1), i)
	}
	assert.NotZero(t, failed.Load())
}

// A call whose answer is lost is made again by the client: the proof is still
// fresh.
func TestReplay_answerLost(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	options, err := redis.ParseURL(server.URL())
	require.NoError(t, err)
	options.MaxRetries = 2
	var lost atomic.Bool
	options.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &losing{Conn: conn, lost: &lost}, err
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.Ping(t.Context()).Err())
	replay := newReplay(t, client, "")
	lost.Store(true)
	fresh, err := replay.Use(t.Context(), "a", "1", time.Now().Add(time.Minute))
	require.NoError(t, err)
	assert.True(t, fresh)
	assert.False(t, lost.Load(), "an answer was lost")
	fresh, err = replay.Use(t.Context(), "a", "1", time.Now().Add(time.Minute))
	require.NoError(t, err)
	assert.False(t, fresh)
}

// losing loses one answer, after the server has given it.
type losing struct {
	net.Conn
	lost *atomic.Bool
}

func (c *losing) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && c.lost.CompareAndSwap(true, false) {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// A server that accepts connections and says nothing is waited for no longer
// than the context, or a second.
func TestReplay_silent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	replay := newReplay(t, connect(t, "redis://"+l.Addr().String()), "")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = replay.Use(ctx, "a", "1", time.Now())
	require.Error(t, err)
	assert.Less(t, time.Since(start), patience)
}

func TestNewReplay_faults(t *testing.T) {
	t.Parallel()
	_, err := redisstore.NewReplay(nil, redisstore.ReplayConfig{Prefix: "a b"})
	require.Error(t, err)
	assert.ErrorContains(t, err, "client is nil")
	assert.ErrorContains(t, err, "Prefix")
	_, err = redisstore.NewReplay((*redis.Client)(nil), redisstore.ReplayConfig{})
	assert.ErrorContains(t, err, "client is nil")
	_, err = redisstore.NewClient("redis//user:secret@host")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

func TestCheckServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := connect(t, server.URL())
	require.NoError(t, redisstore.CheckServer(t.Context(), client))
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "100mb").Err())
	require.NoError(t, redisstore.CheckServer(t.Context(), client), "it evicts nothing")
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", "volatile-ttl").Err())
	assert.ErrorContains(t, redisstore.CheckServer(t.Context(), client), "volatile-ttl")
	server.Stop()
	assert.ErrorContains(t, redisstore.CheckServer(t.Context(), client), "does not answer")
}
