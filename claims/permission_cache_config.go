package claims

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
)

const (
	defaultPrincipals = 10_000
	maxPermissionTTL  = time.Hour
	maxPrincipals     = 10_000_000
	maxSourceCalls    = 64   // at a time
	maxAskedAbout     = 4096 // principals that are asked about, and requests that wait
	meanGrants        = 100  // permissions of a principal where all are in the cache
)

// PermissionCacheConfig says how a [PermissionCache] remembers. The zero value
// is useful.
type PermissionCacheConfig struct {
	// TTL is how long an answer is valid, from when the source was asked: a
	// change takes effect after that time at the latest, or at once by
	// [PermissionCache.Forget]. If an answer is in use in the last quarter of
	// the time, the next is asked for, which requests do not wait for. An
	// answer that takes longer than TTL serves only the requests that wait for
	// it. Time in which the machine sleeps counts. Zero means 30 seconds; at
	// most an hour.
	TTL time.Duration

	// Max is how many principals are in the cache; together they may have 100 ×
	// Max permissions and workspaces. The oldest answer is evicted. Zero means
	// 10,000; at most 10 million.
	Max int

	// Timeout is how long one call of the source may take, with the wait for
	// its turn: 64 are made at a time. Zero means 5 seconds; at most a minute.
	Timeout time.Duration
}

// NewPermissionCache returns an empty PermissionCache. The error reports
// everything that is wrong with its arguments.
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
	cfg.TTL = cmp.Or(cfg.TTL, defaultPermissionTTL)
	cfg.Max = cmp.Or(cfg.Max, defaultPrincipals)
	cfg.Timeout = cmp.Or(cfg.Timeout, defaultPermissionTimeout)
	c := &PermissionCache{
		source: source, cfg: cfg, answers: map[Principal]*answer{}, shared: newShared(),
		line: asked.NewLine(asked.Limits{
			Calls: maxSourceCalls, Keys: maxAskedAbout, Requests: maxAskedAbout,
			Patience: cfg.Timeout, Timeout: cfg.Timeout, Total: cfg.Timeout,
		}),
	}
	c.desk = asked.New(sourceName, c.ask, c.settle)
	return c, nil
}
