package claims

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultMaxTenants = 1000
	defaultTenantAge  = 5 * time.Minute
	resolveTimeout    = 5 * time.Second
	retryResolve      = 10 * time.Second
	maxResolving      = 16   // calls of Resolve at a time
	maxQuestions      = 1024 // those that wait for their turn as well
	maxIssuerSize     = 1024 // bytes; what is held of issuers is bounded with it
	maxUntrusted      = 1024
	untrustedTime     = time.Minute
)

// ErrUntrusted is what [TenantsConfig].Resolve returns for an issuer that is not
// trusted.
var ErrUntrusted = errors.New("claims: issuer not trusted")

// TenantsConfig says how a [Tenants] finds the issuers that it trusts.
type TenantsConfig struct {
	// Resolve returns by which Config an issuer is trusted, or an error that
	// matches [ErrUntrusted]; any other error means that this can not be told
	// now. Required.
	//
	// The issuer is the "iss" of a token that nobody has verified: refuse what
	// does not look like one of yours before asking a database. It is called at
	// most once at a time for an issuer, for 16 at a time altogether, on a
	// context of its own that ends after 5 seconds. While more than 1,024 wait
	// for their turn, further issuers that are not known are refused.
	Resolve func(ctx context.Context, issuer string) (Config, error)

	// Max is how many tenants are held; the one that was not used for longest
	// gives way. Zero means 1,000.
	Max int

	// MaxAge is how long an answer of Resolve is relied on: what the end of
	// trust in an issuer may take to show by itself; [Tenants.Forget] shows it
	// at once. While Resolve fails, the answer before goes on counting. Zero
	// means 5 minutes.
	MaxAge time.Duration
}

// Tenants verifies the access tokens of issuers by the thousand, which are not
// known beforehand: each by a [Config] that is asked for when its first token
// arrives. What it holds is bounded, whatever tokens arrive: tenants by
// TenantsConfig.Max, and issuers that were found not to be trusted by 1,024, for
// a minute each. It is safe for concurrent use.
type Tenants struct {
	resolve func(context.Context, string) (Config, error)
	max     int
	maxAge  time.Duration
	slots   chan struct{} // one for each call of resolve

	known sync.Map // string to *tenant

	mu        sync.Mutex           // guards the fields below
	count     int                  // of known
	resolving map[string]*question // by issuer
	untrusted map[string]time.Time // until when
}

// tenant is an issuer that is trusted.
type tenant struct {
	verifier *Verifier
	cfg      Config
	usedAt   atomic.Int64 // Unix seconds
	checkAt  atomic.Int64 // Unix nanoseconds, when Resolve is to be asked again
}

// question is one call of Resolve that any number of requests wait for.
type question struct {
	done   chan struct{}
	tenant *tenant
	err    error
}

var _ Authenticator = (*Tenants)(nil)

var errForgotten = errors.New("claims: issuer forgotten meanwhile")

// NewTenants returns a Tenants that knows none yet. The error reports everything
// that is wrong with cfg.
func NewTenants(cfg TenantsConfig) (*Tenants, error) {
	var errs []error
	if cfg.Resolve == nil {
		errs = append(errs, errors.New("claims: TenantsConfig.Resolve is required"))
	}
	if cfg.Max < 0 {
		errs = append(errs, errors.New("claims: TenantsConfig.Max is negative"))
	}
	if cfg.MaxAge < 0 {
		errs = append(errs, errors.New("claims: TenantsConfig.MaxAge is negative"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	t := &Tenants{
		resolve:   cfg.Resolve,
		max:       cfg.Max,
		maxAge:    cfg.MaxAge,
		slots:     make(chan struct{}, maxResolving),
		resolving: map[string]*question{},
		untrusted: map[string]time.Time{},
	}
	if t.max == 0 {
		t.max = defaultMaxTenants
	}
	if t.maxAge == 0 {
		t.maxAge = defaultTenantAge
	}
	return t, nil
}

// Authenticate verifies a Bearer token of an issuer that Resolve trusts. Where
// that can not be told, the error is [ErrUnavailable].
func (t *Tenants) Authenticate(ctx context.Context, r Request) (*Claims, error) {
	token, err := parseRequest(r)
	if err != nil {
		return nil, err
	}
	tenant, err := t.find(ctx, token.claims.issuer)
	if err != nil {
		return nil, err
	}
	if err := tenant.verifier.verify(ctx, token); err != nil {
		return nil, err
	}
	return token.claims, nil
}

// Forget ends the reliance on what Resolve said of an issuer: the next request
// with a token of it asks again.
func (t *Tenants) Forget(issuer string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.untrusted, issuer)
	delete(t.resolving, issuer) // what is being asked was asked before
	t.drop(issuer)
}

// Len returns how many tenants are held.
func (t *Tenants) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

func (t *Tenants) find(ctx context.Context, issuer string) (*tenant, error) {
	if issuer == "" || len(issuer) > maxIssuerSize {
		return nil, errIssuer
	}
	now := time.Now()
	if known, ok := t.known.Load(issuer); ok {
		known := known.(*tenant)
		if seconds := now.Unix(); known.usedAt.Load() != seconds {
			known.usedAt.Store(seconds)
		}
		due := known.checkAt.Load()
		if now.UnixNano() < due {
			return known, nil
		}
		// One request asks again and the others rely on the answer before.
		if !known.checkAt.CompareAndSwap(due, now.Add(retryResolve).UnixNano()) {
			return known, nil
		}
	}
	for {
		q, err := t.ask(issuer, now)
		if err != nil {
			return nil, err
		}
		select {
		case <-q.done:
			if q.err != errForgotten { //nolint:errorlint // answer returns it bare
				return q.tenant, q.err
			}
		case <-ctx.Done():
			return nil, NewError(ErrUnavailable, ReasonUndecided, ctx.Err())
		}
	}
}

// ask returns the call of Resolve to wait for.
func (t *Tenants) ask(issuer string, now time.Time) (*question, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.untrusted[issuer]) {
		return nil, errIssuer
	}
	if q := t.resolving[issuer]; q != nil {
		return q, nil
	}
	if len(t.resolving) >= maxQuestions {
		return nil, errIssuer
	}
	q := &question{done: make(chan struct{})}
	t.resolving[issuer] = q
	go func() {
		defer close(q.done)
		t.slots <- struct{}{}
		defer func() { <-t.slots }()
		// Not the context of the request that happened to be first.
		ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
		defer cancel()
		cfg, err := t.call(ctx, issuer)
		q.tenant, q.err = t.answer(q, issuer, cfg, err)
	}()
	return q, nil
}

// call asks Resolve. A panic there is an error: outside the goroutine of a
// request it would end the process, and what the sender of a token wrote may
// have brought it about.
func (t *Tenants) call(ctx context.Context, issuer string) (cfg Config, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("claims: TenantsConfig.Resolve panicked")
		}
	}()
	return t.resolve(ctx, issuer)
}

// answer takes what Resolve said.
func (t *Tenants) answer(q *question, issuer string, cfg Config, err error) (*tenant, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resolving[issuer] != q { // forgotten meanwhile: ask again
		return nil, errForgotten
	}
	delete(t.resolving, issuer)
	var before *tenant
	if known, ok := t.known.Load(issuer); ok {
		before = known.(*tenant)
	}
	switch {
	case errors.Is(err, ErrUntrusted):
		t.drop(issuer)
		t.distrust(issuer)
		return nil, errIssuer
	case err != nil && before != nil:
		return before, nil
	case err != nil:
		return nil, NewError(ErrUnavailable, ReasonUndecided, err)
	case before != nil && reflect.DeepEqual(cfg, before.cfg): // its keys go on serving
		before.checkAt.Store(time.Now().Add(t.maxAge).UnixNano())
		return before, nil
	}
	if cfg.Issuer != issuer {
		err = errors.New("claims: TenantsConfig.Resolve returned the Config of another issuer")
		return nil, NewError(ErrUnavailable, ReasonUndecided, err)
	}
	v, err := NewVerifier(cfg)
	if err != nil {
		return nil, NewError(ErrUnavailable, ReasonUndecided, err)
	}
	return t.keep(issuer, &tenant{verifier: v, cfg: cfg}), nil
}

// keep is called with mu held.
func (t *Tenants) keep(issuer string, fresh *tenant) *tenant {
	now := time.Now()
	fresh.usedAt.Store(now.Unix())
	fresh.checkAt.Store(now.Add(t.maxAge).UnixNano())
	t.drop(issuer)
	if t.count >= t.max {
		t.drop(t.leastRecentlyUsed())
	}
	t.known.Store(issuer, fresh)
	t.count++
	return fresh
}

func (t *Tenants) leastRecentlyUsed() (issuer string) {
	var oldest int64
	t.known.Range(func(key, value any) bool {
		if used := value.(*tenant).usedAt.Load(); issuer == "" || used < oldest {
			issuer, oldest = key.(string), used
		}
		return true
	})
	return issuer
}

// drop is called with mu held.
func (t *Tenants) drop(issuer string) {
	if _, known := t.known.LoadAndDelete(issuer); known {
		t.count--
	}
}

// distrust is called with mu held.
func (t *Tenants) distrust(issuer string) {
	if len(t.untrusted) >= maxUntrusted {
		clear(t.untrusted) // whoever fills it gains a question per issuer he invents anyway
	}
	t.untrusted[issuer] = time.Now().Add(untrustedTime)
}
