package claims

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

const (
	defaultPrincipals = 10_000
	maxPermissionTTL  = time.Hour
	maxPrincipals     = 10_000_000
	maxSourceCalls    = 64   // at a time
	maxAskedAbout     = 4096 // principals whose answers are waited for
	meanGrants        = 100  // permissions of a principal where all are held
	sampled           = 8    // answers, of which the oldest gives way
)

// PermissionCacheConfig says how a [PermissionCache] remembers. The zero value is
// useful.
type PermissionCacheConfig struct {
	// TTL is how long an answer of the source counts, from when it was asked: a
	// change takes effect after that time at the latest, or at once by
	// [PermissionCache.Forget]. Of an answer in use, the next is asked for in the
	// last quarter of the time, which requests do not wait for. A source that takes
	// longer than TTL is believed once. Zero means 30 seconds; at most an hour.
	TTL time.Duration

	// Max is how many principals are remembered, and, a hundred times that, how many
	// permissions and workspaces of theirs; of several, the one asked about longest
	// ago gives way. Zero means 10,000; at most 10 million.
	Max int

	// Timeout is how long one call of the source may take, or wait for its turn: 64
	// are made at a time. Zero means 5 seconds; at most a minute.
	Timeout time.Duration
}

// NewPermissionCache returns a PermissionCache that holds nothing yet. The error
// reports everything that is wrong with its arguments.
func NewPermissionCache(
	source PermissionSource, cfg PermissionCacheConfig,
) (*PermissionCache, error) {
	var errs []error
	if isNil(source) {
		errs = append(errs, errors.New("claims: NewPermissionCache needs a PermissionSource"))
	}
	if cfg.TTL < 0 || cfg.TTL > maxPermissionTTL {
		errs = append(errs, fmt.Errorf(
			"claims: PermissionCacheConfig.TTL of %s is not between 0 and %s", cfg.TTL, maxPermissionTTL))
	}
	if cfg.Max < 0 || cfg.Max > maxPrincipals {
		errs = append(errs, fmt.Errorf(
			"claims: PermissionCacheConfig.Max of %d is not between 0 and %d", cfg.Max, maxPrincipals))
	}
	if cfg.Timeout < 0 || cfg.Timeout > time.Minute {
		errs = append(errs, fmt.Errorf(
			"claims: PermissionCacheConfig.Timeout of %s is not between 0 and 1m", cfg.Timeout))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &PermissionCache{
		source:  source,
		ttl:     cmp.Or(cfg.TTL, defaultPermissionTTL),
		max:     cmp.Or(cfg.Max, defaultPrincipals),
		timeout: cmp.Or(cfg.Timeout, defaultPermissionTimeout),
		turns:   make(chan struct{}, maxSourceCalls),
		answers: map[Principal]*answer{},
		asking:  map[Principal]*inquiry{},
	}, nil
}
