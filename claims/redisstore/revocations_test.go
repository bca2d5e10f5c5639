package redisstore_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/redisstore"
	"github.com/sallyport-go/sallyport/claims/redisstore/redistest"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

const issuer = "https://login.example"

var quiet = slog.New(slog.DiscardHandler)

// replica is what one process has.
type replica struct {
	*revocation.Table
	client *redis.Client
	stop   func()
	log    *lockedBuffer
}

// startReplica starts a replica, which runs until stop or the end of the test.
func startReplica(t testing.TB, url string, heartbeat time.Duration) *replica {
	t.Helper()
	r := &replica{client: connect(t, url), log: new(lockedBuffer)}
	store, err := redisstore.NewRevocations(r.client, redisstore.RevocationsConfig{
		Heartbeat: heartbeat, Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	require.NoError(t, err)
	r.Table, err = revocation.NewTable(revocation.Config{Store: store, Logger: quiet})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		store.Run(ctx, r.Table)
	}()
	r.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(r.stop)
	return r
}

const fast = 50 * time.Millisecond

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (r *replica) subjects() []string {
	subjects := []string{}
	for e := range r.Entries() {
		subjects = append(subjects, e.Subject)
	}
	slices.Sort(subjects)
	return subjects
}

func (r *replica) end(t testing.TB, subject string) {
	t.Helper()
	require.NoError(t, r.Revoke(t.Context(), revocation.Entry{Issuer: issuer, Subject: subject}))
}

// eventually waits until all replicas have ended exactly these subjects.
func eventually(t testing.TB, replicas []*replica, want ...string) {
	t.Helper()
	slices.Sort(want)
	for i, r := range replicas {
		if !assert.Eventually(t, func() bool { return slices.Equal(want, r.subjects()) },
			patience, 5*time.Millisecond) {
			t.Fatalf("replica %d has %v, not %v\n%s", i, r.subjects(), want, r.log)
		}
	}
}

// confirmed waits until a replica knows all news as of now.
func confirmed(t testing.TB, replicas ...*replica) {
	t.Helper()
	now := time.Now()
	for _, r := range replicas {
		require.Eventually(t, func() bool { return r.Heard().After(now) },
			patience, 5*time.Millisecond, "%s", r.log)
	}
}

func TestRevocations_share(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := startReplica(t, server.URL(), fast), startReplica(t, server.URL(), fast)
	confirmed(t, a, b)
	var entries []revocation.Entry
	for _, e := range []revocation.Entry{
		{Issuer: issuer, Token: "t"}, {Issuer: issuer, Session: "s"}, {Issuer: issuer, Subject: "alice \"\u00e9\n"},
		{Issuer: issuer, ClientID: "c", Subject: "bob"}, {Issuer: issuer, Before: time.Now().Add(-time.Minute)},
	} {
		require.NoError(t, a.Revoke(t.Context(), e))
	}
	for e := range a.Entries() {
		entries = append(entries, e)
	}
	require.Len(t, entries, 5)
	require.Eventually(t, func() bool { return b.Stats().Entries == 5 }, patience, time.Millisecond)
	assert.ElementsMatch(t, entries, slices.Collect(b.Entries()), "to the nanosecond")
	late := startReplica(t, server.URL(), fast)
	confirmed(t, late)
	assert.ElementsMatch(t, entries, slices.Collect(late.Entries()), "before it confirms anything")
	members, err := a.client.ZCard(t.Context(), "sallyport:revoked").Result()
	require.NoError(t, err)
	assert.EqualValues(t, 6, members, "the entries and the epoch")
	b.end(t, "carol")
	require.Eventually(t, func() bool { return slices.Contains(a.subjects(), "carol") }, patience, time.Millisecond)
}

// Services with prefixes of their own know nothing of each other.
func TestRevocations_prefix(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := connect(t, server.URL())
	store, err := redisstore.NewRevocations(client, redisstore.RevocationsConfig{Prefix: "other:"})
	require.NoError(t, err)
	require.NoError(t, store.Share(t.Context(), revocation.Entry{Issuer: issuer, Subject: "x", Until: time.Now().Add(time.Hour)}))
	a := startReplica(t, server.URL(), fast)
	confirmed(t, a)
	assert.Empty(t, a.subjects())
}

// What was revoked while a replica could not listen is known to it before it
// confirms anything again.
func TestRevocations_gap(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := startReplica(t, server.URL(), fast), startReplica(t, server.URL(), fast)
	confirmed(t, a, b)
	var want []string
	for i := range 10 {
		require.NoError(t, a.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
		want = append(want, fmt.Sprint("user", i))
		a.end(t, want[i])
	}
	at := time.Now()
	require.Eventually(t, func() bool { return b.Heard().After(at) }, patience, time.Millisecond)
	assert.Equal(t, want, b.subjects())
	assert.Contains(t, b.log.String(), "no news of revocations is heard")
	assert.Contains(t, b.log.String(), "heard again")
}

// A server that was emptied, or restarted without its data, has everything
// again, from a replica that knows it; nothing comes back to life.
func TestRevocations_emptied(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := startReplica(t, server.URL(), fast), startReplica(t, server.URL(), fast)
	confirmed(t, a, b)
	a.end(t, "alice")
	b.end(t, "bob")
	eventually(t, []*replica{a, b}, "alice", "bob")
	for name, empty := range map[string]func(){
		"flushed":   func() { require.NoError(t, a.client.FlushAll(t.Context()).Err()) },
		"deleted":   func() { require.NoError(t, a.client.Del(t.Context(), "sallyport:revoked").Err()) },
		"restarted": func() { server.Stop(); server.Restart() },
	} {
		empty()
		late := startReplica(t, server.URL(), fast)
		confirmed(t, late)
		assert.Equal(t, []string{"alice", "bob"}, late.subjects(), "%s: before it confirms anything", name)
		late.stop()
		eventually(t, []*replica{a, b}, "alice", "bob")
	}
}

// While the server is down each replica goes on with what it knows, revoking is
// an error that says where it counts, and the feed's age shows. Once it is back
// all have everything.
func TestRevocations_outage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := startReplica(t, server.URL(), fast), startReplica(t, server.URL(), fast)
	confirmed(t, a, b)
	a.end(t, "alice")
	eventually(t, []*replica{a, b}, "alice")
	server.Stop()
	err := a.Revoke(t.Context(), revocation.Entry{Issuer: issuer, Subject: "bob"})
	assert.ErrorIs(t, err, revocation.ErrNotShared)
	assert.Equal(t, []string{"alice", "bob"}, a.subjects())
	assert.Equal(t, []string{"alice"}, b.subjects())
	assert.Eventually(t, func() bool { return b.Stats().FeedAge > time.Second }, patience, 10*time.Millisecond)
	at := time.Now()
	assert.False(t, a.Heard().After(at))

	server.Restart()
	eventually(t, []*replica{a, b}, "alice", "bob")
	confirmed(t, a, b)
	assert.Less(t, b.Stats().FeedAge, patience)
}

// What could not be shared is, without another call.
func TestRevocations_sharedLater(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := startReplica(t, server.URL(), fast), startReplica(t, server.URL(), fast)
	confirmed(t, a, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, a.Revoke(ctx, revocation.Entry{Issuer: issuer, Subject: "alice"}))
	eventually(t, []*replica{a, b}, "alice")
}

// A server that accepts connections and is silent is as one that is gone.
func TestRevocations_frozen(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := startReplica(t, server.URL(), fast)
	confirmed(t, a)
	server.Freeze()
	require.Eventually(t, func() bool { return a.Stats().FeedAge > time.Second }, patience, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		return bytes.Contains([]byte(a.log.String()), []byte("no news"))
	}, patience, 10*time.Millisecond)
	server.Thaw()
	confirmed(t, a)
}

// Whoever starts while the server is down begins once it is there.
func TestRevocations_startsLater(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Stop()
	a := startReplica(t, server.URL(), fast)
	assert.Negative(t, a.Stats().FeedAge, "never heard")
	assert.True(t, a.Heard().IsZero())
	server.Restart()
	confirmed(t, a)
}

// An entry that nobody can read is for operators, and stops nothing.
func TestRevocations_unreadable(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := connect(t, server.URL())
	for _, member := range []string{"{", `{"issuer":1}`, `{"subject":"nobody's"}`} {
		require.NoError(t, client.ZAdd(t.Context(), "sallyport:revoked",
			redis.Z{Score: float64(time.Now().Add(time.Hour).UnixMilli()), Member: member}).Err())
	}
	a := startReplica(t, server.URL(), fast)
	confirmed(t, a)
	require.NoError(t, client.Publish(t.Context(), "sallyport:news", "junk").Err())
	a.end(t, "alice")
	eventually(t, []*replica{a}, "alice")
	confirmed(t, a)
	assert.Contains(t, a.log.String(), "cannot be read")
}

// What has ended leaves the server.
func TestRevocations_ends(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := connect(t, server.URL())
	require.NoError(t, client.ZAdd(t.Context(), "sallyport:revoked",
		redis.Z{Score: float64(time.Now().Add(-2 * time.Hour).UnixMilli()), Member: `{"issuer":"x"}`}).Err())
	a := startReplica(t, server.URL(), fast)
	confirmed(t, a)
	members, err := client.ZCard(t.Context(), "sallyport:revoked").Result()
	require.NoError(t, err)
	assert.EqualValues(t, 1, members, "the epoch")
}

func TestNewRevocations_faults(t *testing.T) {
	t.Parallel()
	_, err := redisstore.NewRevocations(nil, redisstore.RevocationsConfig{Prefix: "a\n", Heartbeat: time.Hour})
	require.Error(t, err)
	assert.ErrorContains(t, err, "client is nil")
	assert.ErrorContains(t, err, "Prefix")
	assert.ErrorContains(t, err, "Heartbeat of 1h0m0s")
	store, err := redisstore.NewRevocations(connect(t, "redis://127.0.0.1:1"), redisstore.RevocationsConfig{})
	require.NoError(t, err)
	assert.Panics(t, func() { store.Run(t.Context(), nil) })
}
