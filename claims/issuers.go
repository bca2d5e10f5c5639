package claims

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/jwks"
)

// Issuers verifies the access tokens of several issuers, each by a [Config] of
// its own. A token's "iss" chooses among them before anything else is looked
// up, and its keys are sought only among those of that issuer: equal key IDs of
// two issuers never mix. It is safe for concurrent use, and issuers may come
// and go while it is used.
type Issuers struct {
	trusted atomic.Pointer[issuerTable]
	mu      sync.Mutex // held while trusted is replaced
	ledger  ledger
}

var _ Authenticator = (*Issuers)(nil)

var errNoIssuers = errors.New("claims: Issuers was not made by NewIssuers")

// NewIssuers returns an Issuers that trusts the given ones. It does no I/O. The
// error reports everything that is wrong with any of them.
func NewIssuers(trusted ...Config) (*Issuers, error) {
	var errs []error
	if len(trusted) == 0 {
		errs = append(errs, errors.New("claims: NewIssuers needs at least one Config"))
	}
	issuers := &Issuers{ledger: newLedger()}
	table := &issuerTable{of: issuers}
	tokens := 0
	seen := make(map[string]bool, len(trusted))
	for i, cfg := range trusted {
		report := func(err error) {
			errs = append(errs, fmt.Errorf("claims: NewIssuers: Config %d (issuer %q): %w",
				i, shownURL(cfg.Issuer), err))
		}
		v, err := newMember(cfg)
		if err != nil {
			report(err)
		}
		if seen[cfg.Issuer] && cfg.Issuer != "" {
			report(errors.New("the issuer is there twice"))
		}
		seen[cfg.Issuer] = true
		if v == nil {
			continue
		}
		before, _ := table.verifiers.Get(cfg.Issuer)
		if err := issuers.ledger.shares(v, before, table); err != nil {
			report(err)
			continue
		}
		table.put(v, before, &issuers.ledger)
		tokens = max(tokens, v.maxTokens)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	table.settle(tokens, &issuers.ledger)
	issuers.trusted.Store(table)
	return issuers, nil
}

// Add trusts one more issuer from the next request on, or trusts it by another
// Config than before: its keys, if they come from the same place by
// [jwks.Cache.SameConfig], stay at hand. The error reports everything that is
// wrong with cfg, and then nothing has changed.
func (i *Issuers) Add(cfg Config) error {
	if !i.isMade() {
		return errNoIssuers
	}
	v, err := newMember(cfg)
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	next := *i.trusted.Load()
	before, _ := next.verifiers.Get(cfg.Issuer)
	if before != nil {
		if before.same(v.trust) {
			return nil // its tokens are remembered
		}
		v.keepKeys(before.trust)
	}
	if err := i.ledger.shares(v, before, &next); err != nil {
		return err
	}
	next.put(v, before, &i.ledger)
	next.settle(v.maxTokens, &i.ledger)
	i.trusted.Store(&next)
	return nil
}

// Remove ends the trust in an issuer, named as in its Config: the next request
// with a token of it is refused, and what lasts, by [Recheck]. It reports
// whether the issuer was trusted. The last one may be removed as well; then
// every token is refused.
//
// One tenant of an issuer that leaves a segment open is removed by the name in
// its tokens, whatever TrustTenant says of it, until it is added by a Config of
// its own or the open issuer is removed.
func (i *Issuers) Remove(issuer string) (removed bool) {
	if !i.isMade() {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	next := *i.trusted.Load()
	if _, removed = next.verifiers.Get(issuer); !removed {
		// Of a tenant that cannot be told it is better said too often.
		v, err := next.route(context.Background(), issuer)
		removed = v != nil || errors.Is(err, ErrUnavailable)
	}
	next.cut(issuer, &i.ledger)
	next.settle(0, &i.ledger)
	i.trusted.Store(&next)
	return removed
}

// Authenticate verifies a token of one of the issuers.
func (i *Issuers) Authenticate(ctx context.Context, c Credentials) (*Claims, error) {
	return claimsOf(i.identify(ctx, c))
}

func (i *Issuers) identify(ctx context.Context, c Credentials) (*facts, error) {
	if !i.isMade() {
		return nil, errNotMade
	}
	table := i.trusted.Load()
	return table.pipeline.identify(ctx, c, table)
}

func (i *Issuers) recheck(ctx context.Context, caller *Claims) error {
	if !i.isMade() {
		return errNotMade
	}
	table := i.trusted.Load()
	return table.pipeline.recheck(ctx, caller, table)
}

func (i *Issuers) freshKeys(ctx context.Context, f *facts, most time.Duration) error {
	table := i.trusted.Load()
	return table.pipeline.freshKeys(ctx, f, table, most)
}

func (i *Issuers) isMade() bool                     { return i != nil && i.trusted.Load() != nil }
func (i *Issuers) isStrict(auth Authenticator) bool { return auth == Authenticator(i) }

// Explain verifies a token and says what was compared, as [Verifier.Explain]
// does, by the Config of the token's issuer. If that is not trusted the checks
// after it are skipped, unless there is only one issuer.
func (i *Issuers) Explain(ctx context.Context, token string) Explanation {
	if !i.isMade() {
		return Explanation{Err: errNotMade}
	}
	table := i.trusted.Load()
	var only *trust
	if table.verifiers.Len() == 1 {
		table.each(func(t *trust) bool {
			only = t
			return false
		})
	}
	return explain(ctx, jws.Asymmetric, table, only, token)
}

// Ready returns nil once the keys of every issuer are at hand, fetching them if
// need be, or else an error that matches [ErrUnavailable] and says which
// issuers are not ready, and why: it is for operators. Given issuers, named as
// in their Configs, it looks at those alone; one that is not trusted is not
// ready. It is for readiness probes.
func (i *Issuers) Ready(ctx context.Context, issuers ...string) error {
	if !i.isMade() {
		return errNotMade
	}
	table := i.trusted.Load()
	if len(issuers) == 0 {
		issuers = table.names()
	}
	issuers = slices.Compact(slices.Sorted(slices.Values(issuers)))
	results := make([]error, len(issuers))
	var all sync.WaitGroup
	for n, issuer := range issuers {
		v, ok := table.verifiers.Get(issuer)
		if !ok {
			results[n] = notReady(issuer,
				NewError(ErrUnavailable, ReasonKeysUnavailable, errUntrusted))
			continue
		}
		all.Go(func() { results[n] = v.Ready(ctx) })
	}
	all.Wait()
	return joinUnavailable(results)
}

var errUntrusted = errors.New("claims: not a trusted issuer")

// notReady is an error for operators about an issuer.
func notReady(issuer string, refusal *Error) error {
	return &plainRefusal{refusal, "claims: issuer " + quote(shownURL(issuer)) + " is not ready: " +
		textBehind(refusal)}
}

// joinUnavailable returns nil if all errs are, or one [ErrUnavailable] for all
// of them, which lasts as long as the longest.
func joinUnavailable(errs []error) error {
	err := errors.Join(errs...)
	if err == nil {
		return nil
	}
	joined := &Error{class: ErrUnavailable, reason: ReasonKeysUnavailable, cause: err}
	for _, err := range errs {
		if err != nil {
			refusal := AsError(err)
			joined.retryAfter = max(joined.retryAfter, refusal.RetryAfter())
			if refusal.reason == ReasonCanceled {
				joined.reason = ReasonCanceled
			}
		}
	}
	return &plainRefusal{joined, err.Error()}
}

// KeyStats returns [Verifier.KeyStats] of each issuer, by its name in its
// Config.
func (i *Issuers) KeyStats() map[string]jwks.Stats {
	stats := map[string]jwks.Stats{}
	if !i.isMade() {
		return stats
	}
	for issuer, v := range i.trusted.Load().verifiers.All() {
		stats[issuer] = v.KeyStats()
	}
	return stats
}

// Schemes returns the authentication schemes beside Bearer that tokens are
// taken under, of any issuer. The slice is shared and must not be modified.
func (i *Issuers) Schemes() []Scheme {
	if !i.isMade() {
		return nil
	}
	return i.trusted.Load().schemes
}
