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
)

// Issuers verifies the access tokens of several issuers, each by a [Config] of
// its own. A token's "iss" chooses among them before anything else is looked
// up, and its keys are sought only among those of that issuer: equal key IDs of
// two issuers never mix. It is safe for concurrent use, and issuers may come and
// go while it is used.
type Issuers struct {
	trusted atomic.Pointer[issuerTable]
	mu      sync.Mutex // held while trusted is replaced
}

// issuerTable is immutable.
type issuerTable struct {
	verifiers map[string]*Verifier // by Config.Issuer
	templates []*Verifier          // those of them that leave a segment open
	pipeline  *pipeline
	of        *Issuers
	maxSize   int // of tokens
}

var _ Authenticator = (*Issuers)(nil)

// NewIssuers returns an Issuers that trusts the given ones. It does no I/O. The
// error reports everything that is wrong with any of them.
func NewIssuers(trusted ...Config) (*Issuers, error) {
	var errs []error
	if len(trusted) == 0 {
		errs = append(errs, errors.New("claims: NewIssuers needs at least one Config"))
	}
	verifiers := make(map[string]*Verifier, len(trusted))
	for i, cfg := range trusted {
		v, err := NewVerifier(cfg)
		if err != nil {
			// By its place: what is no issuer as it should be may be a URL with a
			// password in it.
			errs = append(errs, fmt.Errorf("claims: issuer %d: %w", i, err))
		}
		if _, twice := verifiers[cfg.Issuer]; twice && cfg.Issuer != "" {
			errs = append(errs, fmt.Errorf("claims: issuer %d is there twice", i))
		}
		verifiers[cfg.Issuer] = v
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	issuers := &Issuers{}
	issuers.trusted.Store(issuers.newTable(verifiers, nil))
	return issuers, nil
}

// newTable goes on with a pipeline that remembers enough tokens.
func (i *Issuers) newTable(verifiers map[string]*Verifier, p *pipeline) *issuerTable {
	tokens, size := 0, 0
	for _, v := range verifiers {
		tokens, size = max(tokens, v.maxTokens), max(size, v.maxTokenSize)
	}
	if p == nil || p.cache.Max() < tokens {
		p = newPipeline(jws.Asymmetric, tokens)
	}
	table := &issuerTable{verifiers: verifiers, pipeline: p, of: i, maxSize: size}
	for _, issuer := range slices.Sorted(maps.Keys(verifiers)) {
		if v := verifiers[issuer]; v.template != nil {
			table.templates = append(table.templates, v)
		}
	}
	return table
}

// Add trusts one more issuer from the next request on, or trusts it by another
// Config than before. The error reports everything that is wrong with cfg, and
// then nothing has changed.
func (i *Issuers) Add(cfg Config) error {
	v, err := NewVerifier(cfg)
	if err != nil {
		return err
	}
	i.change(func(verifiers map[string]*Verifier) { verifiers[cfg.Issuer] = v })
	return nil
}

// Remove ends the trust in an issuer, named as in its Config: the next request
// with a token of it is refused. It reports whether the issuer was trusted. The
// last one may be removed as well; then every token is refused.
func (i *Issuers) Remove(issuer string) (removed bool) {
	i.change(func(verifiers map[string]*Verifier) {
		_, removed = verifiers[issuer]
		delete(verifiers, issuer)
	})
	return removed
}

func (i *Issuers) change(edit func(map[string]*Verifier)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	verifiers := maps.Clone(i.trusted.Load().verifiers)
	edit(verifiers)
	i.trusted.Store(i.newTable(verifiers, i.trusted.Load().pipeline))
}

// Trusted returns the issuers, as in their Configs, in alphabetical order.
func (i *Issuers) Trusted() []string {
	return slices.Sorted(maps.Keys(i.trusted.Load().verifiers))
}

// Authenticate verifies a token of one of the issuers.
func (i *Issuers) Authenticate(ctx context.Context, c Credentials) (*Claims, error) {
	if !i.isMade() {
		return nil, errNotMade
	}
	table := i.trusted.Load()
	return table.pipeline.authenticate(ctx, c, table)
}

// Recheck asks anew what each use of a token asks, of claims that these Issuers made:
// see [Verifier.Recheck]. It returns nil for other claims.
func (i *Issuers) Recheck(ctx context.Context, caller *Claims) error {
	if !i.isMade() {
		return errNotMade
	}
	table := i.trusted.Load()
	return table.pipeline.recheck(ctx, caller, table)
}

func (i *Issuers) isMade() bool                     { return i != nil && i.trusted.Load() != nil }
func (i *Issuers) isStrict(auth Authenticator) bool { return auth == Authenticator(i) }

func (table *issuerTable) owner() Authenticator { return table.of }
func (table *issuerTable) sizes() int           { return table.maxSize }

func (table *issuerTable) takes(scheme string) bool {
	for _, v := range table.verifiers {
		if v.takes(scheme) {
			return true
		}
	}
	return false
}

func (table *issuerTable) route(_ context.Context, issuer string) (*Verifier, error) {
	if v := table.verifiers[issuer]; v != nil && v.template == nil {
		return v, nil
	}
	for _, v := range table.templates {
		if trusted, err := v.trusts(issuer); trusted || err != nil {
			return v, err
		}
	}
	return nil, errIssuer
}

// wanted names the issuers that are trusted, or as many as fit a line.
func (table *issuerTable) wanted() string {
	return oneOf(slices.Sorted(maps.Keys(table.verifiers)), "none")
}

// Explain verifies a token and says what was compared, as [Verifier.Explain] does, by
// the Config of the token's issuer. If that is not trusted the checks after it are
// skipped, unless there is only one issuer.
func (i *Issuers) Explain(ctx context.Context, token string) Explanation {
	if !i.isMade() {
		return Explanation{Err: errNotMade}
	}
	table := i.trusted.Load()
	var only *Verifier
	if len(table.verifiers) == 1 {
		for _, v := range table.verifiers {
			only = v
		}
	}
	return explain(ctx, jws.Asymmetric, table, only, token)
}

// Ready returns nil once the keys of every issuer are at hand, fetching them if
// need be, or [ErrUnavailable] with what is missing as its cause. It is for
// readiness probes.
func (i *Issuers) Ready(ctx context.Context) error {
	verifiers := i.trusted.Load().verifiers
	results := make(chan error, len(verifiers))
	for _, v := range verifiers {
		go func() { results <- v.Ready(ctx) }()
	}
	var errs []error
	for range verifiers {
		errs = append(errs, <-results)
	}
	return joinUnavailable(errs)
}

// joinUnavailable returns nil if all errs are, or one [ErrUnavailable] for all of
// them, which lasts as long as the longest.
func joinUnavailable(errs []error) error {
	err := errors.Join(errs...)
	if err == nil {
		return nil
	}
	joined := &Error{class: ErrUnavailable, reason: ReasonKeysUnavailable, cause: err}
	for _, err := range errs {
		if err != nil {
			joined.retryAfter = max(joined.retryAfter, AsError(err).RetryAfter())
		}
	}
	return joined
}

func (table *issuerTable) early(header, []byte) error { return nil }
