package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/claims/revocation"
)

// RevocationsConfig says how a [Revocations] follows the news. The zero value
// is useful.
type RevocationsConfig struct {
	// Prefix begins the name of the key and the channels, so that services can
	// share a server. Empty means "sallyport:". All replicas of a service have
	// the same; services with the same share what has ended.
	Prefix string

	// Heartbeat is how often each replica asks whether it still hears all news:
	// [revocation.Stats].FeedAge grows to about that, and claims.FreshWithin
	// needs more. Zero means a second; from 50 milliseconds to a minute.
	Heartbeat time.Duration

	// Logger gets a line when the server is lost and when it is back. Nil means
	// [slog.Default].
	Logger *slog.Logger
}

// Revocations is the [revocation.Store] of many replicas: what one of them
// revokes ends on all. It is safe for concurrent use. [NewRevocations] makes
// one, for one table:
//
//	store, err := redisstore.NewRevocations(client, redisstore.RevocationsConfig{})
//	table, err := revocation.NewTable(revocation.Config{Store: store})
//	go store.Run(ctx, table)
//
// Entries are in one sorted set until they end, and news of them goes by
// publish and subscribe, within milliseconds. A replica that could not listen
// for a while reads all of the set when it is back, before it confirms anything
// to the table; and it puts back what it knows and the set lacks, so that a
// server that was emptied, or restarted without its data, has all of it again
// within a heartbeat or two. A replica that comes to such a server, or to a new
// one, waits 3 seconds for the others before it confirms anything.
//
// While the server does not answer each replica goes on with what it knows;
// revoking is an error then, and counts on that replica alone until the server
// is back: what could not be shared is put into the set with a later heartbeat.
// Requirements that want fresh news cannot be decided.
type Revocations struct {
	client    redis.UniversalClient
	key, news string
	prefix    string
	heartbeat time.Duration
	logger    *slog.Logger

	unshared atomic.Bool // an entry, which is in the table
}

var _ revocation.Store = (*Revocations)(nil)

const (
	defaultHeartbeat = time.Second
	shortestBeat     = 50 * time.Millisecond
	longestBeat      = time.Minute
)

// NewRevocations returns a Revocations. It does no I/O. The error reports
// everything that is wrong with its arguments.
func NewRevocations(client redis.UniversalClient, cfg RevocationsConfig) (*Revocations, error) {
	prefix, errs := checkArguments("NewRevocations", client, cfg.Prefix)
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = defaultHeartbeat
	}
	if cfg.Heartbeat < shortestBeat || cfg.Heartbeat > longestBeat {
		errs = append(errs, fmt.Errorf(
			"redisstore: NewRevocations: Config.Heartbeat of %s is not between %s and %s",
			cfg.Heartbeat, shortestBeat, longestBeat))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Revocations{
		client: client, prefix: prefix, key: prefix + "revoked", news: prefix + "news",
		heartbeat: cfg.Heartbeat, logger: cfg.Logger,
	}, nil
}

// put adds entries, and tells of those that are new: a score and an entry, and
// so on.
var put = redis.NewScript(`
for i = 2, #ARGV, 2 do
	if redis.call('ZADD', KEYS[1], 'NX', ARGV[i], ARGV[i + 1]) == 1 then
		redis.call('PUBLISH', ARGV[1], ARGV[i + 1])
	end
end
return 1`)

// Share stores an entry until its end and tells all replicas, in one round
// trip.
func (r *Revocations) Share(ctx context.Context, e revocation.Entry) error {
	score, member, err := encode(e)
	if err != nil {
		return fmt.Errorf("redisstore: %w", err)
	}
	if err := put.Run(ctx, r.client, []string{r.key}, r.news, score, member).Err(); err != nil {
		r.unshared.Store(true)
		return fmt.Errorf("redisstore: the entry cannot be shared: %w", err)
	}
	return nil
}

// encode returns an entry as it is in the set, and when it ends.
func encode(e revocation.Entry) (score, member string, err error) {
	text, err := json.Marshal(e)
	return strconv.FormatInt(e.Until.UnixMilli(), 10), string(text), err
}

// Times between two attempts to reach the server.
const (
	soonest = 100 * time.Millisecond
	latest  = 500 * time.Millisecond
)

// Run follows the news for a table until ctx ends, whatever becomes of the
// server. It is called once, on a goroutine of its own. It panics if the table
// is nil.
func (r *Revocations) Run(ctx context.Context, table *revocation.Table) {
	if table == nil {
		panic("redisstore: Run of a nil table")
	}
	f := &follower{Revocations: r, table: table}
	pause, lost := soonest, false
	for ctx.Err() == nil {
		err := f.follow(ctx, func() {
			if lost {
				r.log().InfoContext(ctx, "redisstore: news of revocations is heard again")
			}
			pause, lost = soonest, false
		})
		if ctx.Err() != nil {
			return
		}
		if !lost {
			lost = true
			r.log().WarnContext(ctx, "redisstore: no news of revocations is heard: trying again",
				"error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)): // not all replicas at once
		}
		pause = min(2*pause, latest)
	}
}

func (r *Revocations) log() *slog.Logger {
	if r.logger != nil {
		return r.logger
	}
	return slog.Default()
}
