package redisstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/claims/dpop"
)

// ReplayConfig says how a [Replay] keeps proofs. The zero value is useful.
type ReplayConfig struct {
	// Prefix begins the name of each key, so that services can share a server.
	// Empty means "sallyport:". All replicas of a service have the same, and no
	// two services that accept proofs for the same URLs may differ.
	Prefix string
}

// Replay is the [dpop.ReplayStore] of many replicas: of any number of identical
// proofs, wherever they arrive, one is accepted. It is safe for concurrent use.
// [NewReplay] makes one.
//
// A proof costs one round trip, and one key of about 100 bytes until it could
// no longer be used. While the server does not answer it cannot be decided
// about tokens that are bound by DPoP, and about no other; it goes on by
// itself.
type Replay struct {
	client redis.UniversalClient
	prefix string
}

var _ dpop.ReplayStore = (*Replay)(nil)

// NewReplay returns a Replay. It does no I/O. The error reports everything that
// is wrong with its arguments.
func NewReplay(client redis.UniversalClient, cfg ReplayConfig) (*Replay, error) {
	prefix, errs := checkArguments("NewReplay", client, cfg.Prefix)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Replay{client, prefix + "dpop:"}, nil
}

const (
	defaultPrefix = "sallyport:"
	maxPrefix     = 128
)

func checkArguments(of string, client redis.UniversalClient, prefix string) (string, []error) {
	var errs []error
	if r := reflect.ValueOf(client); client == nil || r.Kind() == reflect.Pointer && r.IsNil() {
		errs = append(errs, fmt.Errorf("redisstore: %s: client is nil", of))
	}
	if prefix == "" {
		prefix = defaultPrefix
	}
	if len(prefix) > maxPrefix || strings.ContainsAny(prefix, " \r\n") {
		errs = append(errs, fmt.Errorf(
			"redisstore: %s: Config.Prefix of %.200q is longer than %d bytes, or has a space",
			of, prefix, maxPrefix))
	}
	return prefix, errs
}

// margin is for how long a proof is remembered beyond its end: clocks of
// replicas differ, and so does what they take for its end.
const margin = time.Minute

// Use takes note of a proof and reports whether it is fresh.
func (r *Replay) Use(ctx context.Context, jkt, jti string, until time.Time) (bool, error) {
	// Of one length, whatever the sender chose.
	sum := sha256.Sum256([]byte(jkt + "\x00" + jti))
	key := r.prefix + base64.RawURLEncoding.EncodeToString(sum[:])
	own := rand.Text()
	// With GET a repetition by the client, of a call whose answer was lost, is
	// told from the proof's second use.
	before, err := r.client.SetArgs(ctx, key, own, redis.SetArgs{
		Mode: "NX", Get: true, TTL: max(time.Until(until), 0) + margin,
	}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("redisstore: the proof cannot be remembered: %w", err)
	}
	return before == own, nil
}
