package claims

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

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
}

// issuerTable is immutable.
type issuerTable struct {
	verifiers map[string]*Verifier // by Config.Issuer
	templates []*Verifier          // those of them that leave a segment open
	removed   map[string]bool      // issuers that a template covers, and that are not trusted
	pipeline  *pipeline
	of        *Issuers
	maxSize   int // of tokens
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
	verifiers := make(map[string]*Verifier, len(trusted))
	for i, cfg := range trusted {
		report := func(err error) {
			errs = append(errs, fmt.Errorf("claims: NewIssuers: Config %d (issuer %q): %w",
				i, shownURL(cfg.Issuer), err))
		}
		v, err := NewVerifier(cfg)
		if err != nil {
			report(err)
		}
		if _, twice := verifiers[cfg.Issuer]; twice && cfg.Issuer != "" {
			report(errors.New("the issuer is there twice"))
		}
		if v != nil {
			if err := v.shares(verifiers); err != nil {
				report(err)
			}
		}
		verifiers[cfg.Issuer] = v
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	issuers := &Issuers{}
	issuers.trusted.Store(issuers.newTable(verifiers, &issuerTable{}))
	return issuers, nil
}

// shares says what is wrong if a Verifier has its keys from where one of others
// has them: any key there can sign for both issuers.
func (v *Verifier) shares(others map[string]*Verifier) error {
	for _, issuer := range slices.Sorted(maps.Keys(others)) {
		other := others[issuer]
		if other == nil || other.issuer == v.issuer || other.keysOf == v.keysOf {
			continue
		}
		if cache, ok := v.keys.(*jwks.Cache); ok && other.keys == KeySource(cache) {
			return fmt.Errorf("claims: Config.Keys is that of issuer %q, too: "+
				"if they are two names of one issuer, say so by KeysOf", shownURL(issuer))
		}
	}
	return nil
}

// newTable goes on with the pipeline of the table before, if that remembers
// enough tokens, and with what was removed, as long as a template covers it.
func (i *Issuers) newTable(verifiers map[string]*Verifier, before *issuerTable) *issuerTable {
	tokens, size := 0, 0
	for _, v := range verifiers {
		tokens, size = max(tokens, v.maxTokens), max(size, v.maxTokenSize)
	}
	p := before.pipeline
	if p == nil || p.cache.Max() < tokens {
		p = newPipeline(jws.Asymmetric, tokens)
	}
	table := &issuerTable{verifiers: verifiers, pipeline: p, of: i, maxSize: size}
	for _, issuer := range slices.Sorted(maps.Keys(verifiers)) {
		if v := verifiers[issuer]; v.template != nil {
			table.templates = append(table.templates, v)
		}
	}
	for issuer := range before.removed {
		table.remove(issuer)
	}
	return table
}

// remove takes note that an issuer is not trusted which a template covers. It
// is for a table that is being made.
func (table *issuerTable) remove(issuer string) {
	if table.verifiers[issuer] != nil || !table.covers(issuer) {
		return
	}
	if table.removed == nil {
		table.removed = map[string]bool{}
	}
	table.removed[issuer] = true
}

func (table *issuerTable) covers(issuer string) bool {
	return slices.ContainsFunc(table.templates, func(v *Verifier) bool {
		return v.template.tenant(issuer) != ""
	})
}

// Add trusts one more issuer from the next request on, or trusts it by another
// Config than before: its keys, if they come from the same place by
// [jwks.Cache.SameConfig], stay at hand. The error reports everything that is
// wrong with cfg, and then nothing has changed.
func (i *Issuers) Add(cfg Config) error {
	if !i.isMade() {
		return errNoIssuers
	}
	v, err := NewVerifier(cfg)
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	table := i.trusted.Load()
	if before := table.verifiers[cfg.Issuer]; before != nil {
		if before.same(v.trust) {
			return nil // its tokens are remembered
		}
		v.keepKeys(before.trust)
	}
	if err := v.shares(table.verifiers); err != nil {
		return err
	}
	verifiers := maps.Clone(table.verifiers)
	verifiers[cfg.Issuer] = v
	i.trusted.Store(i.newTable(verifiers, table))
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
	table := i.trusted.Load()
	if _, removed = table.verifiers[issuer]; !removed {
		// Of a tenant that cannot be told it is better said too often.
		v, err := table.route(context.Background(), issuer)
		removed = v != nil || errors.Is(err, ErrUnavailable)
	}
	verifiers := maps.Clone(table.verifiers)
	delete(verifiers, issuer)
	next := i.newTable(verifiers, table)
	next.remove(issuer)
	i.trusted.Store(next)
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

func (i *Issuers) isMade() bool                     { return i != nil && i.trusted.Load() != nil }
func (i *Issuers) isStrict(auth Authenticator) bool { return auth == Authenticator(i) }

func (table *issuerTable) owner() maker { return table.of }
func (table *issuerTable) sizes() int   { return table.maxSize }

func (table *issuerTable) takes(scheme string) (takes, sure bool) {
	for _, v := range table.verifiers {
		if takes, _ := v.takes(scheme); takes {
			return true, true
		}
	}
	return false, true
}

func (table *issuerTable) route(_ context.Context, issuer string) (*trust, error) {
	if v := table.verifiers[issuer]; v != nil && v.template == nil {
		return v.trust, nil
	}
	if table.removed[issuer] {
		return nil, errIssuer
	}
	for _, v := range table.templates {
		if trusted, err := v.trusts(issuer); trusted || err != nil {
			return v.trust, err
		}
	}
	return nil, errIssuer
}

func (table *issuerTable) each(yield func(*trust) bool) {
	for _, v := range table.verifiers {
		if !yield(v.trust) {
			return
		}
	}
}

func (table *issuerTable) nearest(issuer string, most int) (of *trust, how string) {
	if len(table.verifiers) > most {
		return nil, ""
	}
	for _, v := range table.verifiers {
		if of, how = v.nearest(issuer, most); of != nil {
			return of, how
		}
	}
	return nil, ""
}

// wanted names the issuers that are trusted, or as many as fit a line.
func (table *issuerTable) wanted() string {
	return oneOf(slices.Sorted(maps.Keys(table.verifiers)), "none")
}

// Explain verifies a token and says what was compared, as [Verifier.Explain]
// does, by the Config of the token's issuer. If that is not trusted the checks
// after it are skipped, unless there is only one issuer.
func (i *Issuers) Explain(ctx context.Context, token string) Explanation {
	if !i.isMade() {
		return Explanation{Err: errNotMade}
	}
	table := i.trusted.Load()
	var only *trust
	if len(table.verifiers) == 1 {
		for _, v := range table.verifiers {
			only = v.trust
		}
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
	verifiers := i.trusted.Load().verifiers
	if len(issuers) == 0 {
		issuers = slices.Collect(maps.Keys(verifiers))
	}
	issuers = slices.Compact(slices.Sorted(slices.Values(issuers)))
	results := make([]error, len(issuers))
	var all sync.WaitGroup
	for n, issuer := range issuers {
		v := verifiers[issuer]
		if v == nil {
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
	for issuer, v := range i.trusted.Load().verifiers {
		stats[issuer] = v.KeyStats()
	}
	return stats
}

// Which issuer a token is of is not known before it is read.
func (table *issuerTable) early(header, []byte) (*trust, error) { return nil, nil }
