package claims

import (
	"context"
	"errors"
	"fmt"
)

// Issuers verifies the access tokens of several issuers, each by a [Config] of
// its own. A token's "iss" chooses among them before anything else is looked
// up, and its keys are sought only among those of that issuer: equal key IDs of
// two issuers never mix. It is immutable and safe for concurrent use.
type Issuers struct {
	verifiers map[string]*Verifier
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
			errs = append(errs, fmt.Errorf("issuer %d (%q): %w", i, cfg.Issuer, err))
			continue
		}
		if _, twice := verifiers[cfg.Issuer]; twice {
			errs = append(errs, fmt.Errorf("claims: issuer %q is configured twice", cfg.Issuer))
		}
		verifiers[cfg.Issuer] = v
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Issuers{verifiers}, nil
}

// Authenticate verifies a Bearer token of one of the issuers.
func (i *Issuers) Authenticate(ctx context.Context, r Request) (*Claims, error) {
	t, err := parseRequest(r)
	if err != nil {
		return nil, err
	}
	v, trusted := i.verifiers[t.claims.issuer]
	if !trusted {
		return nil, errIssuer
	}
	if err := v.verify(ctx, t); err != nil {
		return nil, err
	}
	return t.claims, nil
}

// Ready returns nil once the keys of every issuer are at hand, fetching them if
// need be, or [ErrUnavailable] with what is missing as its cause. It is for
// readiness probes.
func (i *Issuers) Ready(ctx context.Context) error {
	results := make(chan error, len(i.verifiers))
	for _, v := range i.verifiers {
		go func() { results <- v.Ready(ctx) }()
	}
	var errs []error
	for range i.verifiers {
		errs = append(errs, <-results)
	}
	if err := errors.Join(errs...); err != nil {
		return NewError(ErrUnavailable, ReasonKeysUnavailable, err)
	}
	return nil
}
