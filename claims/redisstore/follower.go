package redisstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/claims/revocation"
)

// follower keeps one table at the news. It is for one goroutine.
type follower struct {
	*Revocations
	table *revocation.Table

	// epoch names the set as it was when all of it was read: another set is one
	// that was emptied.
	epoch string
	// settled is whether what the others put back into a young set has been
	// waited for.
	settled bool
}

const (
	// silence is for how many heartbeats, and how long, no answer means that
	// the connection is dead.
	silentBeats = 3
	silentTime  = 2 * time.Second
	// settleTime is how old a set must be for a replica that comes to it: by
	// then the others have come back too, and put back what they know.
	settleTime = 3 * time.Second
	// page is how many entries are read or written at a time.
	page = 500
)

// beat asks for the epoch, naming a new one if there is none, and has the
// server send the replica's own number to its own channel, on the connection by
// which news comes: what was published before has then been heard. It returns
// the epoch, its age in milliseconds, and how many listen. What has ended an
// hour ago is removed: replicas do not count it, whatever their clocks say.
var beat = redis.NewScript(`
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms - 3600000)
local epoch = redis.call('ZRANGEBYSCORE', KEYS[1], '+inf', '+inf')[1]
if not epoch then
	epoch = string.format('%.0f', ms) .. ':' .. ARGV[1]
	redis.call('ZADD', KEYS[1], '+inf', epoch)
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
local born = tonumber(string.match(epoch, '^%d+'))
return {epoch, ms - born}`)

// follow listens until something fails. heard is called once the table knows
// all news.
func (f *follower) follow(ctx context.Context, heard func()) error {
	own := f.prefix + "beat:" + rand.Text()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sub := f.client.Subscribe(ctx, f.news, own)
	messages := make(chan *redis.Message)
	failed := make(chan error, 1)
	subscribed := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		failed <- receive(ctx, sub, subscribed, messages)
	}()
	defer func() {
		cancel()
		_ = sub.Close()
		<-done
	}()
	f.settled = false
	wait := time.NewTimer(silentTime)
	defer wait.Stop()
	select {
	case <-subscribed:
	case err := <-failed:
		return err
	case <-wait.C:
		return errSilent
	}
	l := &listening{follower: f, channel: own, heard: heard, sent: map[string]time.Time{}}
	return l.listen(ctx, messages, failed)
}

var errSilent = errors.New("redisstore: the server does not answer")

// receive hands on what comes, until there is an error: after one the client
// would subscribe again by itself, and nobody would know what was missed.
func receive(
	ctx context.Context, sub *redis.PubSub,
	subscribed chan<- struct{}, messages chan<- *redis.Message,
) error {
	confirmed := 0
	for {
		event, err := sub.Receive(ctx)
		if err != nil {
			return err
		}
		switch event := event.(type) {
		case *redis.Subscription:
			if confirmed++; confirmed == 2 { // both channels
				close(subscribed)
			} else if confirmed > 2 {
				return errors.New("redisstore: the connection was replaced")
			}
		case *redis.Message:
			select {
			case messages <- event:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// listening is one subscription.
type listening struct {
	*follower
	channel string
	heard   func()
	number  uint64
	sent    map[string]time.Time // heartbeats that have not come back
}

func (l *listening) listen(
	ctx context.Context, messages <-chan *redis.Message, failed <-chan error,
) error {
	ticks := time.NewTicker(l.heartbeat)
	defer ticks.Stop()
	patience := silentBeats*l.heartbeat + silentTime
	silent := time.NewTimer(patience)
	defer silent.Stop()
	l.epoch = "" // whatever it was: something may have been missed
	if err := l.beat(ctx); err != nil {
		return err
	}
	for {
		select {
		case err := <-failed:
			return err
		case <-silent.C:
			return errSilent
		case <-ticks.C:
			if err := l.beat(ctx); err != nil {
				return err
			}
		case m := <-messages:
			if m.Channel != l.channel {
				l.apply(m.Payload)
			} else if l.returned(m.Payload) {
				silent.Reset(patience)
			}
		}
	}
}

// beat sends a heartbeat, and reads the set anew if it is another than before.
func (l *listening) beat(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, silentTime)
	defer cancel()
	l.number++
	number := strconv.FormatUint(l.number, 10)
	at := time.Now()
	answer, err := beat.Run(call, l.client, []string{l.key},
		rand.Text(), l.channel, number).Slice()
	if err != nil {
		return fmt.Errorf("redisstore: %w", err)
	}
	epoch, age, err := readBeat(answer)
	if err != nil {
		return err
	}
	if unshared := l.unshared.Swap(false); unshared || epoch != l.epoch {
		if err := l.readAll(ctx); err != nil {
			l.unshared.Store(unshared)
			return err
		}
		l.epoch = epoch
	}
	l.settled = l.settled || age >= settleTime
	if l.settled {
		l.sent[number] = at
	} else {
		l.sent[number] = time.Time{}
	}
	return nil
}

func readBeat(answer []any) (epoch string, age time.Duration, err error) {
	const parts = 2
	if len(answer) == parts {
		name, isName := answer[0].(string)
		ms, isNumber := answer[1].(int64)
		if isName && isNumber {
			return name, time.Duration(ms) * time.Millisecond, nil
		}
	}
	return "", 0, errors.New("redisstore: the server answers a heartbeat in another way")
}

// returned notes that a heartbeat has come back: what was published before it
// has been heard.
func (l *listening) returned(number string) bool {
	at, ok := l.sent[number]
	if !ok {
		return false
	}
	delete(l.sent, number)
	if !at.IsZero() {
		l.table.Confirm(at)
		l.heard()
	}
	return true
}

// readAll reads the whole set, and puts into it what the table has and the set
// lacks.
func (l *listening) readAll(ctx context.Context) error {
	known := map[string]bool{}
	for cursor := uint64(0); ; {
		call, cancel := context.WithTimeout(ctx, silentTime)
		members, next, err := l.client.ZScan(call, l.key, cursor, "", page).Result()
		cancel()
		if err != nil {
			return fmt.Errorf("redisstore: %w", err)
		}
		for i := 0; i+1 < len(members); i += 2 { // each with its score
			if members[i][0] == '{' { // not the epoch
				known[members[i]] = true
				l.apply(members[i])
			}
		}
		if cursor = next; cursor == 0 {
			return l.putBack(ctx, known)
		}
	}
}

// putBack adds what the set lacks.
func (l *listening) putBack(ctx context.Context, known map[string]bool) error {
	args := []any{l.news}
	flush := func() error {
		if len(args) == 1 {
			return nil
		}
		call, cancel := context.WithTimeout(ctx, silentTime)
		defer cancel()
		err := put.Run(call, l.client, []string{l.key}, args...).Err()
		args = args[:1]
		return err
	}
	for e := range l.table.Entries() {
		score, member, err := encode(e)
		if err != nil {
			return err
		}
		if known[member] {
			continue
		}
		if args = append(args, score, member); len(args) > page {
			if err := flush(); err != nil {
				return fmt.Errorf("redisstore: %w", err)
			}
		}
	}
	if err := flush(); err != nil {
		return fmt.Errorf("redisstore: %w", err)
	}
	return nil
}

// apply has an entry count here. One that cannot be read is for operators: no
// replica has written it.
func (l *listening) apply(member string) {
	var e revocation.Entry
	err := json.Unmarshal([]byte(member), &e)
	if err == nil {
		// Another's clock may be ahead: what it ended has ended.
		if now := time.Now(); e.Before.After(now) {
			e.Before = now
		}
		err = l.table.Apply(e)
	}
	if err != nil {
		l.log().Error("redisstore: an entry in the server cannot be read", "error", err)
	}
}
