package claims

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ask returns the call of Resolve to wait for; known is nil for an issuer that is
// not. For one that is, it returns nil if there are too many to answer for.
func (t *Tenants) ask(issuer string, known *tenant) (*question, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q := t.resolving[issuer]; q != nil {
		return q, nil
	}
	// What is kept has an issuer of its own, not one that is a part of a token and
	// would hold all of it.
	if known != nil {
		select {
		case t.familiar <- struct{}{}:
			q := t.pose(known.issuer, resolveTimeout)
			go t.answer(q, known.issuer, t.familiar)
			return q, nil
		default:
			return nil, nil
		}
	}
	if v, ok := t.refused[issuer]; ok && time.Now().Before(v.until) {
		return nil, v.err
	}
	if t.asking >= maxQuestions {
		return nil, errIssuer
	}
	issuer = strings.Clone(issuer)
	t.asking++
	q := t.pose(issuer, 2*resolveTimeout)
	go func() {
		defer func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.asking--
		}()
		turn := time.NewTimer(resolveTimeout)
		defer turn.Stop()
		select {
		case t.strangers <- struct{}{}:
			t.answer(q, issuer, t.strangers)
			return
		case <-turn.C:
		case <-q.ctx.Done():
		}
		defer close(q.done)
		q.err = errForgotten
		if t.withdraw(q, issuer) {
			q.err = errIssuer
		}
	}()
	return q, nil
}

// pose is called with mu held.
func (t *Tenants) pose(issuer string, timeout time.Duration) *question {
	q := &question{done: make(chan struct{})}
	q.ctx, q.cancel = context.WithTimeout(context.Background(), timeout)
	t.resolving[issuer] = q
	return q
}

// withdraw reports whether the question still stood.
func (t *Tenants) withdraw(q *question, issuer string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer q.cancel()
	if t.resolving[issuer] != q {
		return false
	}
	delete(t.resolving, issuer)
	return true
}

// answer calls Resolve, with a slot taken, and settles the question when it
// returns, or, should it not heed its context, when it ought to have returned;
// the slot is its own until it does.
func (t *Tenants) answer(q *question, issuer string, slot chan struct{}) {
	defer close(q.done)
	defer q.cancel()
	ctx, cancel := context.WithTimeout(q.ctx, resolveTimeout)
	defer cancel()
	type reply struct {
		cfg Config
		err error
	}
	replied := make(chan reply, 1)
	go func() {
		defer func() { <-slot }()
		r := reply{err: ErrUntrusted} // should Resolve panic or not return
		// Outside the goroutine of a request a panic would end the process, and
		// what the sender of a token wrote may have brought it about.
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("%w: TenantsConfig.Resolve panicked: %v", ErrUntrusted, p)
			}
			replied <- r
		}()
		cfg, err := t.resolve(ctx, issuer)
		r = reply{cfg, err}
	}()
	var r reply
	select {
	case r = <-replied:
	case <-ctx.Done():
		r.err = ctx.Err()
	}
	q.tenant, q.err = t.settle(q, issuer, r.cfg, r.err)
}

// settle takes what Resolve said.
func (t *Tenants) settle(q *question, issuer string, cfg Config, err error) (*tenant, error) {
	var fresh *Verifier
	switch {
	case err != nil:
	case cfg.Issuer != issuer:
		err = fmt.Errorf("%w: TenantsConfig.Resolve returned the Config of another", ErrUntrusted)
	default:
		if fresh, err = NewVerifier(cfg); err != nil {
			err = fmt.Errorf("%w: %w", ErrUntrusted, err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resolving[issuer] != q {
		return nil, errForgotten
	}
	delete(t.resolving, issuer)
	known := t.lookup(issuer)
	switch {
	case err != nil && !errors.Is(err, ErrUntrusted):
		if known != nil {
			t.rely(known, retryResolve)
			return known, nil
		}
		undecided := &Error{
			class: ErrUnavailable, reason: ReasonIssuerUndecided, cause: err, retryAfter: retryResolve,
		}
		t.refuse(issuer, undecided, time.Now().Add(retryResolve))
		return nil, undecided
	case err != nil:
		untrusted := NewError(ErrInvalidToken, ReasonIssuer, err)
		t.drop(issuer)
		t.refuse(issuer, untrusted, time.Now().Add(untrustedTime))
		return nil, untrusted
	case known == nil:
		return t.admit(&tenant{issuer: issuer, verifier: fresh, admittedAt: time.Now()}), nil
	case !known.verifier.same(fresh): // else its keys are at hand
		fresh.keepKeys(known.verifier)
		changed := &tenant{issuer: issuer, verifier: fresh, admittedAt: known.admittedAt}
		changed.usedAt.Store(known.usedAt.Load())
		t.known.Store(issuer, changed)
		known = changed
	}
	t.rely(known, t.maxAge)
	return known, nil
}
