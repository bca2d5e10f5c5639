package claims

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

const (
	resolveTimeout = 5 * time.Second
	retryResolve   = 10 * time.Second // after it failed
	untrustedTime  = time.Minute
)

var (
	strangers = asked.Limits{
		Calls: 16, Keys: 1024, Requests: 4096,
		Patience: resolveTimeout, Timeout: resolveTimeout, Total: 2 * resolveTimeout,
	}
	familiar = asked.Limits{
		Calls: 64, Keys: 64, Requests: 4096, Timeout: resolveTimeout, Total: resolveTimeout,
	}
	errCrowd = NewError(ErrInvalidToken, ReasonIssuer, fmt.Errorf(
		"claims: issuers that are not known: %w", asked.ErrBusy))
)

// find returns the tenant that an issuer is, asking about it if need be. The
// error is an [*Error].
func (t *Tenants) find(ctx context.Context, issuer string) (*tenant, error) {
	if known := t.lookup(issuer); known != nil && known.term.State(clock.Now()) == asked.Fresh {
		return known, nil
	}
	known, _, err := t.desk.Answer(ctx, func() (*tenant, *asked.Question[*tenant], error) {
		known := t.lookup(issuer)
		if known == nil {
			return t.findStranger(issuer)
		}
		found, q, err := t.desk.Find(issuer, strings.Clone, known, &known.term, t.familiar)
		if err != nil { // too many to answer for
			return known, nil, nil
		}
		return found, q, nil
	})
	switch _, refused := err.(*Error); {
	case err == nil, refused:
		return known, err
	case err == asked.ErrBusy && t.lookup(issuer) == nil:
		return nil, errCrowd
	}
	return nil, undecided(ctx, ReasonIssuerUndecided, err)
}

// findStranger asks about an issuer that is not known, unless it is refused.
func (t *Tenants) findStranger(issuer string) (*tenant, *asked.Question[*tenant], error) {
	if v, ok := t.refused[issuer]; ok && !clock.Now().Reached(v.until) {
		return nil, nil, v.err
	}
	return t.desk.Find(issuer, strings.Clone, nil, nil, t.strangers)
}

// ask asks by which Config an issuer is trusted. It returns a tenant that
// nobody knows of yet.
func (t *Tenants) ask(ctx context.Context, issuer string) (*tenant, error) {
	cfg, err := t.resolve(ctx, issuer)
	if err != nil {
		return nil, err
	}
	if cfg.Issuer != issuer {
		return nil, fmt.Errorf("%w: the Config is of another issuer, %q", ErrUntrusted, cfg.Issuer)
	}
	verifier, err := NewVerifier(cfg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	fresh := &tenant{issuer: issuer}
	fresh.verifier.Store(verifier)
	return fresh, nil
}

// settle takes what came of a question. It is called with the lock held.
func (t *Tenants) settle(issuer string, fresh *tenant, err error) (*tenant, error) {
	known := t.lookup(issuer)
	fault := isFault(err)
	switch {
	case err == nil && known == nil:
		t.admit(fresh)
		return fresh, nil
	case err == nil:
		verifier, before := fresh.verifier.Load(), known.verifier.Load()
		if !before.same(verifier.trust) { // else its keys are at hand
			verifier.keepKeys(before.trust)
			known.verifier.Store(verifier)
		}
		t.rely(known, t.cfg.MaxAge)
		return known, nil
	case known != nil && (fault || !errors.Is(err, ErrUntrusted)):
		t.rely(known, retryResolve)
		return known, nil
	case err == asked.ErrBusy: // its turn did not come: no answer to be kept
		return nil, errCrowd
	case fault:
		err = fmt.Errorf("%w: %w", ErrUntrusted, err)
	case !errors.Is(err, ErrUntrusted):
		undecided := &Error{
			class: ErrUnavailable, reason: ReasonIssuerUndecided,
			cause: err, retryAfter: retryResolve,
		}
		t.refuse(issuer, undecided, clock.Now().Add(retryResolve))
		return nil, undecided
	}
	untrusted := NewError(ErrInvalidToken, ReasonIssuer, err)
	t.drop(issuer)
	t.refuse(issuer, untrusted, clock.Now().Add(untrustedTime))
	return nil, untrusted
}

// isFault reports whether a call of the user's code panicked, or ended its
// goroutine, and so gave no answer: whatever error it panicked with.
func isFault(err error) bool {
	_, panicked := err.(*foreign.PanicError)
	return panicked || errors.Is(err, foreign.ErrExited)
}
