package claims

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
)

const (
	defaultMaxTenants = 1000
	defaultTenantAge  = 5 * time.Minute
	resolveTimeout    = 5 * time.Second
	retryResolve      = 10 * time.Second // after Resolve failed
	readmission       = 30 * time.Second // of a newcomer that gave way
	untrustedTime     = time.Minute
	maxRefused        = 1024 // issuers that are remembered as refused
	maxIssuerSize     = 1024 // bytes; what is held of issuers is bounded with it

	// Calls of Resolve at a time, for issuers that are not known and, so that
	// these do not stand in their way, for tenants; and how many issuers that
	// are not known are being asked for or wait for their turn.
	maxStrangers = 16
	maxFamiliar  = 64
	maxQuestions = 1024
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
	// does not look like one of yours before asking a database, and compare it
	// byte for byte. A Config of another Issuer counts as ErrUntrusted, and so
	// does one that is invalid, and a panic. An error that does not is a 503, so
	// do not return one for what an issuer's name alone brings about.
	//
	// It is called once at a time for an issuer, unless that is forgotten
	// meanwhile, on a context of its own that ends after 5 seconds, which it must
	// heed. Of the issuers that are not known, 16 are asked for at a time;
	// further ones wait up to 5 seconds for their turn, 1,024 at the most, and
	// are then refused.
	//
	// It may make the Config's Keys anew each time: while the fields stay the
	// same and the two are a [*jwks.Cache] of the same config, by
	// [jwks.Cache.SameConfig], or equal, those before go on serving.
	Resolve func(ctx context.Context, issuer string) (Config, error)

	// Max is how many tenants are held of which a token was ever verified; the
	// one that was not used for longest gives way. A quarter as many again, at
	// least 64, are held while no token of theirs is verified yet, so forged
	// tokens do not displace tenants in use. Of more newcomers at a time, the
	// oldest gives way and is refused until 30 seconds after it came. Zero means
	// 1,000.
	Max int

	// MaxTokens is how many verified tokens are remembered, of all tenants whose
	// Config does not say none, as [Config] has it. Zero means 10,000, a negative
	// value none; at most 10 million.
	MaxTokens int

	// MaxTokenSize is how long the token of any tenant may be, as [Config] has it;
	// that of one tenant may be less. Zero means 16 KiB; at most 64 KiB.
	MaxTokenSize int

	// MaxAge is how long an answer of Resolve is relied on before it is asked
	// for again, which requests do not wait for; an answer twice as old is not
	// relied on. [Tenants.Forget] ends trust at once. While Resolve fails, or has
	// 64 tenants to answer for, the answer before goes on counting. Zero means 5
	// minutes.
	MaxAge time.Duration
}

// Tenants verifies the access tokens of issuers by the thousand, which are not
// known beforehand: each by a [Config] that is asked for when its first token
// arrives. What it holds is bounded, whatever tokens arrive. It is safe for
// concurrent use.
type Tenants struct {
	pipeline *pipeline
	resolve  func(context.Context, string) (Config, error)
	max      int
	maxAge   time.Duration
	maxSize  int       // of tokens
	base     time.Time // what the times of tenants are counted from

	// One element for each call of resolve: of issuers that are not known, and
	// of tenants.
	strangers, familiar chan struct{}

	known sync.Map // string to *tenant

	mu        sync.Mutex           // guards the fields below
	verified  int                  // of known, those of which a token was verified
	newcomers int                  // the others
	asking    int                  // questions about issuers that are not known
	resolving map[string]*question // by issuer
	refused   map[string]verdict   // by issuer that is not known
}

// tenant is an issuer that is trusted.
type tenant struct {
	issuer     string
	verifier   *Verifier
	admittedAt time.Time
	answeredAt atomic.Int64 // nanoseconds since base, when Resolve said so last
	checkAt    atomic.Int64 // nanoseconds since base, when it is to be asked again
	usedAt     atomic.Int64 // seconds since base, from 1; zero until a token was verified
}

// verdict is why an issuer is refused without asking, and until when.
type verdict struct {
	err   *Error
	until time.Time
}

// question is one call of Resolve that any number of requests wait for.
type question struct {
	ctx    context.Context // of the call; not that of a request, which may give up
	cancel context.CancelFunc
	done   chan struct{}
	tenant *tenant
	err    error
}

var (
	_ Authenticator = (*Tenants)(nil)

	errForgotten = errors.New("claims: issuer forgotten meanwhile")
)

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
	if cfg.MaxTokens > maxMaxTokens {
		errs = append(errs, fmt.Errorf("claims: TenantsConfig.MaxTokens of %d is more than %d",
			cfg.MaxTokens, maxMaxTokens))
	}
	if n := cfg.MaxTokenSize; n < 0 || n > maxMaxTokenSize {
		errs = append(errs, fmt.Errorf("claims: TenantsConfig.MaxTokenSize of %d is not between 0 and %d",
			n, maxMaxTokenSize))
	}
	if cfg.MaxAge < 0 {
		errs = append(errs, errors.New("claims: TenantsConfig.MaxAge is negative"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	t := &Tenants{
		pipeline:  newPipeline(jws.Asymmetric, cmp.Or(cfg.MaxTokens, defaultMaxTokens)),
		maxSize:   cmp.Or(cfg.MaxTokenSize, defaultMaxTokenSize),
		resolve:   cfg.Resolve,
		max:       cfg.Max,
		maxAge:    cfg.MaxAge,
		base:      time.Now(),
		strangers: make(chan struct{}, maxStrangers),
		familiar:  make(chan struct{}, maxFamiliar),
		resolving: map[string]*question{},
		refused:   map[string]verdict{},
	}
	if t.max == 0 {
		t.max = defaultMaxTenants
	}
	if t.maxAge == 0 {
		t.maxAge = defaultTenantAge
	}
	return t, nil
}

// Authenticate verifies a token of an issuer that Resolve trusts. Where that cannot
// be told, the error is [ErrUnavailable].
func (t *Tenants) Authenticate(ctx context.Context, c Credentials) (*Claims, error) {
	if !t.isMade() {
		return nil, errNotMade
	}
	caller, err := t.pipeline.authenticate(ctx, c, t)
	if err != nil {
		return nil, err
	}
	if known := t.lookup(caller.issuer); known != nil {
		t.used(known)
	}
	return caller, nil
}

// Recheck asks anew what each use of a token asks, of claims that these Tenants made:
// see [Verifier.Recheck]. It returns nil for other claims.
func (t *Tenants) Recheck(ctx context.Context, caller *Claims) error {
	if !t.isMade() {
		return errNotMade
	}
	return t.pipeline.recheck(ctx, caller, t)
}

func (t *Tenants) isMade() bool                     { return t != nil && t.resolve != nil }
func (t *Tenants) isStrict(auth Authenticator) bool { return auth == Authenticator(t) }
func (t *Tenants) owner() Authenticator             { return t }
func (t *Tenants) sizes() int                       { return t.maxSize }

// takes any scheme: which ones a tenant takes is known once it is.
func (t *Tenants) takes(string) bool { return true }

func (t *Tenants) wanted() string { return "an issuer that TenantsConfig.Resolve trusts" }

// Explain verifies a token and says what was compared, as [Verifier.Explain] does, by
// the Config that Resolve returns for the token's issuer. If it is not trusted the
// checks after it are skipped.
func (t *Tenants) Explain(ctx context.Context, token string) Explanation {
	if !t.isMade() {
		return Explanation{Err: errNotMade}
	}
	return explain(ctx, jws.Asymmetric, t, nil, token)
}

func (t *Tenants) route(ctx context.Context, issuer string) (*Verifier, error) {
	if !couldBeIssuer(issuer) {
		return nil, errIssuer
	}
	known, err := t.find(ctx, issuer)
	if err != nil {
		return nil, err
	}
	return known.verifier, nil
}

// couldBeIssuer keeps what no issuer is called from Resolve, and what is behind
// it: the sender of a token writes it.
func couldBeIssuer(issuer string) bool {
	for i := range len(issuer) {
		if issuer[i] <= ' ' || issuer[i] == 0x7f {
			return false
		}
	}
	return issuer != "" && len(issuer) <= maxIssuerSize
}

// Forget ends the reliance on what Resolve said of an issuer: the next request
// with a token of it asks again, and so do those that wait for an answer.
func (t *Tenants) Forget(issuer string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.refused, issuer)
	if q := t.resolving[issuer]; q != nil {
		delete(t.resolving, issuer) // what is being asked was asked before
		q.cancel()
	}
	t.drop(issuer)
}

// Len returns how many tenants are held.
func (t *Tenants) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.verified + t.newcomers
}

// now returns the nanoseconds since base, by a clock that is never set.
func (t *Tenants) now() int64 { return int64(time.Since(t.base)) }

func (t *Tenants) find(ctx context.Context, issuer string) (*tenant, error) {
	for {
		now := t.now()
		known := t.lookup(issuer)
		if known != nil && now < known.checkAt.Load() {
			return known, nil
		}
		q, err := t.ask(issuer, known)
		switch {
		case known != nil && (q == nil || now < known.answeredAt.Load()+2*int64(t.maxAge)):
			return known, nil // what is being asked will show later
		case err != nil:
			return nil, err
		}
		select {
		case <-q.done:
			if q.err != errForgotten { // settle returns it bare
				return q.tenant, q.err
			}
		case <-ctx.Done():
			return nil, undecided(ctx, ReasonIssuerUndecided, ctx.Err())
		}
	}
}

func (t *Tenants) lookup(issuer string) *tenant {
	if known, ok := t.known.Load(issuer); ok {
		return known.(*tenant)
	}
	return nil
}

func (t *Tenants) early(header, []byte) error { return nil }
