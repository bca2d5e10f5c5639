package claims

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/jwks"
)

const (
	defaultMaxTenants = 1000
	defaultTenantAge  = 5 * time.Minute
	maxIssuerSize     = 1024 // bytes; what is held of issuers is bounded with it

	maxSchemes = 16 // that tenants take, of which note is taken
)

// ErrUntrusted is what the function given to [NewTenants] returns for an issuer
// that is not trusted.
var ErrUntrusted = errors.New("claims: issuer not trusted")

// TenantsConfig says what a [Tenants] holds, and for how long. The zero value
// is useful.
type TenantsConfig struct {
	// Max is how many tenants are held of which a token was ever verified; of
	// these one that was not used for long is evicted. A quarter as many again,
	// at least 64, are held without a verified token, so forged tokens do not
	// evict tenants in use. When that fills up, the oldest unverified issuer is
	// dropped and refused for the rest of its first 30 seconds. Zero means
	// 1,000.
	Max int

	// MaxTokens is how many verified tokens are remembered, of all tenants
	// whose Config does not say none, as [Config] has it. Zero means 10,000, a
	// negative value none; at most 10 million.
	MaxTokens int

	// MaxTokenSize is how long the token of any tenant may be, as [Config] has
	// it; that of one tenant may be less. Zero means 16 KiB; at most 64 KiB.
	MaxTokenSize int

	// MaxAge is how long an answer is relied on before the next is asked for,
	// which requests do not wait for; an answer twice as old is not relied on.
	// Time in which the machine sleeps counts. [Tenants.Forget] ends trust at
	// once. While resolve fails or panics, or has 64 tenants to answer for, the
	// answer before stays valid. Zero means 5 minutes.
	MaxAge time.Duration
}

// Tenants verifies the access tokens of issuers by the thousand, which are not
// known beforehand: each by a [Config] that is asked for when its first token
// arrives. What it holds is bounded, whatever tokens arrive. It is safe for
// concurrent use. [NewTenants] makes one; a zero Tenants trusts nobody.
type Tenants struct {
	pipeline *pipeline
	resolve  func(context.Context, string) (Config, error)
	cfg      TenantsConfig // without zeros

	// Questions about issuers that are not known and, so that these do not
	// stand in their way, about tenants.
	strangers, familiar *asked.Line

	desk    *asked.Desk[string, *tenant]
	known   sync.Map                 // string to *tenant; written with the lock of desk held
	schemes atomic.Pointer[[]Scheme] // beside Bearer, that tenants have been seen to take

	// Guarded by the lock of desk.
	newcomers list.List          // of known, from the oldest: no token was verified
	verified  list.List          // the others, about from the least lately used
	refused   map[string]verdict // by issuer that is not known
}

var _ Authenticator = (*Tenants)(nil)

// NewTenants returns a Tenants that knows none yet. The error reports
// everything that is wrong with its arguments.
//
// resolve returns by which Config an issuer is trusted, or an error that
// matches [ErrUntrusted]; any other error means that it cannot be told now, and
// is a 503. The issuer is the "iss" of a token that nobody has verified: refuse
// what does not look like one of yours before asking a database, compare it
// byte for byte, and return no other error for what an issuer's name alone
// brings about. A Config of another Issuer counts as ErrUntrusted, and so does
// one that is invalid.
//
// If it panics, an issuer that is not known counts as untrusted: the sender of
// a token may have brought that about by its name. A tenant that is known stays
// so, as for an error. The panic with its stack is the cause of the refusal,
// for operators.
//
// It is called once at a time for an issuer, unless that is forgotten
// meanwhile, with a context of its own that ends after 5 seconds: it must heed
// it, as a call that does not return counts until it does. Of issuers that are
// not known, 16 are asked about at a time; further ones wait up to 5 seconds
// for their turn, 1,024 at most, and are then refused. At most 4,096 requests
// wait for these answers; further ones are refused at once. Answers about 64
// tenants are asked for at a time.
//
// It may make the Config's Keys anew each time: while the fields stay the same
// and the two are a [*jwks.Cache] of the same config, by
// [jwks.Cache.SameConfig], or equal, those before go on serving.
func NewTenants(
	resolve func(ctx context.Context, issuer string) (Config, error), cfg TenantsConfig,
) (*Tenants, error) {
	var errs []error
	if resolve == nil {
		errs = append(errs, errors.New("claims: NewTenants needs a function that resolves issuers"))
	}
	if cfg.Max < 0 {
		errs = append(errs, fmt.Errorf("claims: TenantsConfig.Max of %d is negative", cfg.Max))
	}
	if cfg.MaxTokens > maxMaxTokens {
		errs = append(errs, fmt.Errorf("claims: TenantsConfig.MaxTokens of %d is more than %d",
			cfg.MaxTokens, maxMaxTokens))
	}
	if n := cfg.MaxTokenSize; n < 0 || n > maxMaxTokenSize {
		errs = append(errs, fmt.Errorf(
			"claims: TenantsConfig.MaxTokenSize of %d is not between 0 and %d", n, maxMaxTokenSize))
	}
	if cfg.MaxAge < 0 {
		errs = append(errs, fmt.Errorf("claims: TenantsConfig.MaxAge of %s is negative",
			cfg.MaxAge))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	cfg.Max = cmp.Or(cfg.Max, defaultMaxTenants)
	cfg.MaxTokens = cmp.Or(cfg.MaxTokens, defaultMaxTokens)
	cfg.MaxTokenSize = cmp.Or(cfg.MaxTokenSize, defaultMaxTokenSize)
	cfg.MaxAge = cmp.Or(cfg.MaxAge, defaultTenantAge)
	t := &Tenants{
		pipeline:  newPipeline(jws.Asymmetric, cfg.MaxTokens),
		resolve:   resolve,
		cfg:       cfg,
		strangers: asked.NewLine(strangers),
		familiar:  asked.NewLine(familiar),
		refused:   map[string]verdict{},
	}
	t.pipeline.headers.expect(cfg.Max)
	t.desk = asked.New("claims: the function given to NewTenants", t.ask, t.settle)
	return t, nil
}

// Authenticate verifies a token of an issuer that is trusted. Where that cannot
// be told, the error is [ErrUnavailable].
func (t *Tenants) Authenticate(ctx context.Context, c Credentials) (*Claims, error) {
	return claimsOf(t.identify(ctx, c))
}

func (t *Tenants) identify(ctx context.Context, c Credentials) (*facts, error) {
	if !t.isMade() {
		return nil, errNotMade
	}
	f, err := t.pipeline.identify(ctx, c, t)
	if err != nil {
		return nil, err
	}
	if known := t.lookup(f.issuer); known != nil {
		t.used(known)
	}
	return f, nil
}

func (t *Tenants) recheck(ctx context.Context, caller *Claims) error {
	if !t.isMade() {
		return errNotMade
	}
	return t.pipeline.recheck(ctx, caller, t)
}

func (t *Tenants) freshKeys(ctx context.Context, f *facts, most time.Duration) error {
	return t.pipeline.freshKeys(ctx, f, t, most)
}

// Explain verifies a token and says what was compared, as [Verifier.Explain]
// does, by the Config of the token's issuer. If that is not trusted the checks
// after it are skipped.
func (t *Tenants) Explain(ctx context.Context, token string) Explanation {
	if !t.isMade() {
		return Explanation{Err: errNotMade}
	}
	return explain(ctx, jws.Asymmetric, t, nil, token)
}

// Forget ends the reliance on what was said of an issuer: the next request with
// a token of it asks again, and so does one that waits for an answer.
func (t *Tenants) Forget(issuer string) {
	if !t.isMade() {
		return
	}
	t.desk.Lock()
	defer t.desk.Unlock()
	delete(t.refused, issuer)
	t.desk.Withdraw(issuer)
	t.drop(issuer)
}

// KeyStats returns what the cache of an issuer's keys holds and has done, as
// [Verifier.KeyStats] does, and whether the issuer is held. It asks about no
// issuer and starts no fetch.
func (t *Tenants) KeyStats(issuer string) (stats jwks.Stats, held bool) {
	if !t.isMade() {
		return jwks.Stats{}, false
	}
	known := t.lookup(issuer)
	if known == nil {
		return jwks.Stats{}, false
	}
	return known.verifier.Load().KeyStats(), true
}

func (t *Tenants) isMade() bool                     { return t != nil && t.resolve != nil }
func (t *Tenants) isStrict(auth Authenticator) bool { return auth == Authenticator(t) }
func (t *Tenants) owner() maker                     { return t }
func (t *Tenants) sizes() int                       { return t.cfg.MaxTokenSize }

// takes any scheme: which ones a tenant takes is known once it is.
func (t *Tenants) takes(scheme string) (takes, sure bool) {
	if schemes := t.schemes.Load(); schemes != nil {
		sure = slices.ContainsFunc(*schemes, func(s Scheme) bool { return s.is(scheme) })
	}
	return true, sure
}

// learn takes note of the schemes that a tenant takes.
func (t *Tenants) learn(v *Verifier) {
	for _, scheme := range v.schemes {
		if _, sure := t.takes(scheme.Name); sure {
			continue
		}
		t.desk.Lock()
		var known []Scheme
		if schemes := t.schemes.Load(); schemes != nil {
			known = *schemes
		}
		if len(known) < maxSchemes {
			known = append(slices.Clip(known), scheme)
			t.schemes.Store(&known)
		}
		t.desk.Unlock()
	}
}

func (t *Tenants) early(header, []byte) (*trust, error) { return nil, nil }

func (t *Tenants) wanted() string {
	return "an issuer that the function given to NewTenants trusts"
}

func (t *Tenants) route(ctx context.Context, issuer string) (*trust, error) {
	if !couldBeIssuer(issuer) {
		return nil, errIssuer
	}
	known, err := t.find(ctx, issuer)
	if err != nil {
		return nil, err
	}
	v := known.verifier.Load()
	t.learn(v)
	return v.trust, nil
}

func (t *Tenants) each(yield func(*trust) bool) {
	t.known.Range(func(_, known any) bool { return yield(known.(*tenant).verifier.Load().trust) })
}

// nearest looks at none of the tenants for a stranger, however few there are:
// what resolves issuers says which are like another.
func (t *Tenants) nearest(issuer string, most int) (of *trust, how string) {
	if most < math.MaxInt {
		return nil, ""
	}
	t.each(func(known *trust) bool {
		if how = known.differsIn(issuer); how != "" {
			of = known
		}
		return of == nil
	})
	return of, how
}

// couldBeIssuer keeps what no issuer is called from the function that resolves
// issuers, and what is behind it: the sender of a token writes it.
func couldBeIssuer(issuer string) bool {
	for i := range len(issuer) {
		if issuer[i] <= ' ' || issuer[i] == 0x7f {
			return false
		}
	}
	return issuer != "" && len(issuer) <= maxIssuerSize
}

// Schemes returns the authentication schemes beside Bearer that tenants have
// been seen to take, 16 at most: none before the first of them is met. The
// slice is shared and must not be modified.
func (t *Tenants) Schemes() []Scheme {
	if !t.isMade() {
		return nil
	}
	if schemes := t.schemes.Load(); schemes != nil {
		return *schemes
	}
	return nil
}
