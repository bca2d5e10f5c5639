package claims

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/jwks"
)

// Verifier verifies the access tokens of one issuer. It is immutable and safe
// for concurrent use. [NewVerifier] makes one, and [NewSymmetricVerifier]; a
// zero Verifier trusts nobody.
type Verifier struct {
	*rules
	keys     KeySource
	secrets  []jws.Secret // in the place of keys
	trials   *trials
	accepted jws.Algorithms
	pipeline *pipeline
	cache    *jwks.Cache // keys, if they are one and hint is of use
	hint     hint
	id       uint64 // no other Verifier has it
	refusals *refusals
}

var _ Authenticator = (*Verifier)(nil)

// NewVerifier returns a Verifier. It does no I/O: the issuer may be down. The
// error reports everything that is wrong with cfg.
func NewVerifier(cfg Config) (*Verifier, error) {
	rules, errs := cfg.compile(jws.Asymmetric)
	keys := cfg.Keys
	if keys == nil && cfg.Issuer != "" && !strings.ContainsAny(cfg.Issuer, "{}") {
		cache, err := cfg.newCache()
		if err != nil {
			errs = append(errs, fmt.Errorf("claims: Config.Issuer %q, KeySetURL %q or KeyCache: %w",
				shownURL(cfg.Issuer), shownURL(cfg.KeySetURL), err))
		}
		keys = cache
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	v := newVerifier(rules, jws.Asymmetric)
	v.keys = keys
	if rules.template == nil {
		// Not what embeds one: its Lookup may find more.
		v.cache, _ = keys.(*jwks.Cache)
		v.hint = newHint(cfg.Issuer)
	}
	return v, nil
}

// newCache returns the cache of keys that a Config asks for.
func (cfg Config) newCache() (*jwks.Cache, error) {
	of := cfg.KeyCache
	of.URL = cfg.KeySetURL
	if len(of.Sources) == 0 {
		of.Issuer = cfg.Issuer
	}
	return jwks.NewCache(of)
}

var lastID atomic.Uint64

// newVerifier returns a Verifier without keys.
func newVerifier(r *rules, accepted jws.Algorithms) *Verifier {
	return &Verifier{
		rules: r, accepted: accepted, id: lastID.Add(1), trials: new(trials),
		pipeline: newPipeline(accepted, r.maxTokens), refusals: new(refusals),
	}
}

// String returns the issuer.
func (v *Verifier) String() string {
	if !v.isMade() {
		return "claims.Verifier{}"
	}
	return "claims.Verifier{" + v.issuer + "}"
}

// Authenticate verifies a token, by the checks and in the order that the
// package comment gives.
func (v *Verifier) Authenticate(ctx context.Context, c Credentials) (*Claims, error) {
	return claimsOf(v.identify(ctx, c))
}

func (v *Verifier) identify(ctx context.Context, c Credentials) (*facts, error) {
	if !v.isMade() {
		return nil, errNotMade
	}
	return v.pipeline.identify(ctx, c, v)
}

// Recheck asks again what each use of a token asks, of claims that this
// Verifier made: whether the issuer is trusted, the key still there, the time,
// and [Config].Check. It returns nil for other claims. [Recheck] calls it.
func (v *Verifier) Recheck(ctx context.Context, caller *Claims) error {
	if !v.isMade() {
		return errNotMade
	}
	return v.pipeline.recheck(ctx, caller, v)
}

func (v *Verifier) isStrict(auth Authenticator) bool { return auth == Authenticator(v) }

func (v *Verifier) route(_ context.Context, issuer string) (*Verifier, error) {
	trusted, err := v.trusts(issuer)
	if err != nil {
		return nil, err
	}
	if !trusted {
		return nil, errIssuer
	}
	return v, nil
}

// trusts reports whether issuer is the Verifier's.
func (v *Verifier) trusts(issuer string) (trusted bool, err error) {
	if v.template == nil {
		return issuer == v.issuer, nil
	}
	tenant := v.template.tenant(issuer)
	if tenant == "" {
		return false, nil
	}
	err = foreign.Call(foreign.Name("claims: Config.TrustTenant"), func() error {
		trusted = v.trustTenant(tenant)
		return nil
	})
	if err != nil {
		return false, NewError(ErrUnavailable, ReasonIssuerUndecided, err)
	}
	return trusted, nil
}

func (v *Verifier) sizes() (maxTokenSize int) { return v.maxTokenSize }

func (v *Verifier) takes(scheme string) (takes, sure bool) {
	for _, c := range v.confirmers {
		if strings.EqualFold(c.scheme, scheme) {
			return true, true
		}
	}
	return false, true
}

// Ready returns nil once the issuer's keys are at hand, fetching them if need
// be, or else an error that matches [ErrUnavailable] and says why they are not:
// it is for operators. It is for readiness probes.
func (v *Verifier) Ready(ctx context.Context) error {
	if !v.isMade() {
		return errNotMade
	}
	source, ok := v.keys.(interface{ Ready(context.Context) error })
	if !ok {
		return nil
	}
	err := foreign.Call(foreign.Name("claims: Config.Keys"), func() error {
		if err := source.Ready(ctx); err != nil {
			return notReady(v.issuer, unavailable(ctx, err))
		}
		return nil
	})
	if _, panicked := err.(*foreign.PanicError); panicked {
		return notReady(v.issuer, unavailable(ctx, err))
	}
	return err
}

// KeyStats returns what the cache of the issuer's keys holds and has done, the
// zero Stats if [Config].Keys is something else. It starts no fetch.
func (v *Verifier) KeyStats() jwks.Stats {
	if v == nil {
		return jwks.Stats{}
	}
	if cache, ok := v.keys.(*jwks.Cache); ok {
		return cache.Stats()
	}
	return jwks.Stats{}
}

// keepKeys goes on with the keys of a Verifier before, which are at hand, if
// they come from the same place.
func (v *Verifier) keepKeys(before *Verifier) {
	if sameKeys(before.keys, v.keys) {
		v.keys, v.cache = before.keys, before.cache
	}
}

// same reports whether two Verifiers accept the same tokens, so that the one
// whose keys are at hand can stay. Functions cannot be compared: two Configs
// that have some differ.
func (v *Verifier) same(other *Verifier) bool {
	a, b := *v.rules, *other.rules
	if !sameConfirmers(a.confirmers, b.confirmers) || !sameKeys(v.keys, other.keys) {
		return false
	}
	a.confirmers, b.confirmers = nil, nil
	return reflect.DeepEqual(a, b)
}

func sameKeys(a, b KeySource) bool {
	switch a := a.(type) {
	case *jwks.Cache:
		b, ok := b.(*jwks.Cache)
		return ok && a.SameConfig(b)
	case *jwks.Set:
		b, ok := b.(*jwks.Set)
		return ok && a.Thumbprint() == b.Thumbprint()
	}
	// Of a value that cannot be compared, == panics.
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

func (v *Verifier) owner() maker { return v }
func (v *Verifier) isMade() bool { return v != nil && v.rules != nil }

func (v *Verifier) wanted() string { return quote(v.issuer) }
