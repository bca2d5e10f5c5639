package claims

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
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
	gate      *gate
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
	issuers.trusted.Store(newIssuerTable(verifiers, nil))
	return issuers, nil
}

// newIssuerTable goes on with a gate that remembers enough tokens.
func newIssuerTable(verifiers map[string]*Verifier, gate *gate) *issuerTable {
	tokens := 0
	for _, v := range verifiers {
		tokens = max(tokens, v.cfg.TokenCache)
	}
	if gate == nil || gate.cache.tokens < tokens {
		gate = newGate(algorithms, tokens)
	}
	table := &issuerTable{verifiers: verifiers, gate: gate}
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
	i.trusted.Store(newIssuerTable(verifiers, i.trusted.Load().gate))
}

// Trusted returns the issuers, as in their Configs, in alphabetical order.
func (i *Issuers) Trusted() []string {
	return slices.Sorted(maps.Keys(i.trusted.Load().verifiers))
}

// Authenticate verifies a Bearer token of one of the issuers.
func (i *Issuers) Authenticate(ctx context.Context, r Request) (*Claims, error) {
	caller, _, err := i.authenticate(ctx, r)
	return caller, err
}

func (i *Issuers) authenticate(ctx context.Context, r Request) (*Claims, CacheState, error) {
	table := i.trusted.Load()
	return table.gate.authenticate(ctx, r, table)
}

func (table *issuerTable) route(_ context.Context, issuer string) (*Verifier, error) {
	if v := table.find(issuer); v != nil {
		return v, nil
	}
	return nil, errIssuer
}

// find returns nil for an issuer that is not trusted.
func (table *issuerTable) find(issuer string) *Verifier {
	if v := table.verifiers[issuer]; v != nil && v.template == nil {
		return v
	}
	for _, v := range table.templates {
		if v.trusts(issuer) {
			return v
		}
	}
	return nil
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
