package claims

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

// KeySource finds the public keys of one issuer. [*jwks.Cache] and [*jwks.Set]
// are KeySources. It is safe for concurrent use.
//
// Lookup returns the keys that a signature of the algorithm, made by the key
// with the given ID, is to be checked with; at most 32 are tried. The error
// matches [jwks.ErrUnknownKey], [jwks.ErrKeyMismatch] or [jwks.ErrUnavailable];
// the last never because of keyID or algorithm, which the sender of a token
// chooses. Any other error is taken as ErrUnknownKey.
type KeySource interface {
	Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error)
}

// Verifier verifies the access tokens of one issuer. It is immutable and safe
// for concurrent use. [NewVerifier] makes one, and [NewSymmetricVerifier].
type Verifier struct {
	cfg         Config    // with nothing left to default, and its slices our own
	template    *template // nil unless Issuer leaves a segment open
	keys        KeySource
	secrets     []secret // in the place of keys
	trials      *trials
	accepted    algorithmSet
	gate        *gate
	cache       *jwks.Cache // keys, if they are one and hint is of use
	hint        hint
	id          uint64     // no other Verifier has it
	required    [][]string // of each, one
	kinds       []kind
	named       []string // claims that cfg names
	mixed       bool     // some of them are not all in lower case
	permissions permissionMapping
}

var _ Authenticator = (*Verifier)(nil)

// NewVerifier returns a Verifier. It does no I/O: the issuer may be down. The
// error reports everything that is wrong with cfg.
func NewVerifier(cfg Config) (*Verifier, error) {
	errs := cfg.validate(algorithms)
	open, err := parseTemplate(cfg.Issuer)
	if err != nil {
		errs = append(errs, fmt.Errorf("claims: Config.Issuer %w", err))
	}
	errs = append(errs, cfg.validateTenant(open != nil)...)
	keys := cfg.Keys
	if keys == nil && cfg.Issuer != "" && open == nil && err == nil {
		cache, err := jwks.NewCache(jwks.Config{Issuer: cfg.Issuer})
		if err != nil {
			errs = append(errs, fmt.Errorf("claims: Config.Issuer: %w", err))
		}
		keys = cache
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	v := newVerifier(cfg, algorithms)
	v.template, v.keys = open, keys
	if open == nil {
		// Not what embeds one: its Lookup may find more.
		v.cache, _ = keys.(*jwks.Cache)
		v.hint = newHint(cfg.Issuer)
	}
	return v, nil
}

var lastID atomic.Uint64

// newVerifier makes a Verifier of a Config that is valid, without keys.
func newVerifier(cfg Config, accepted algorithmSet) *Verifier {
	cfg = cfg.effective()
	v := &Verifier{
		cfg:         cfg,
		accepted:    accepted,
		gate:        newGate(accepted, cfg.TokenCache),
		required:    alternatives(cfg.RequiredClaims),
		kinds:       kinds(cfg.ClaimValues),
		named:       namesOf(cfg),
		permissions: permissionMapping{cfg.PermissionClaims, cfg.PermissionMap},
		trials:      new(trials),
		id:          lastID.Add(1),
	}
	v.mixed = slices.ContainsFunc(v.named, func(name string) bool { return !isLower(name) })
	return v
}

// String returns the issuer.
func (v *Verifier) String() string { return "claims.Verifier{" + v.cfg.Issuer + "}" }

// trusts reports whether issuer is the Verifier's.
func (v *Verifier) trusts(issuer string) bool {
	if v.template == nil {
		return issuer == v.cfg.Issuer
	}
	tenant := v.template.tenant(issuer)
	return tenant != "" && v.cfg.Tenant(tenant)
}

// Authenticate verifies a Bearer token, by the checks and in the order that the
// package comment gives.
func (v *Verifier) Authenticate(ctx context.Context, r Request) (*Claims, error) {
	caller, _, err := v.authenticate(ctx, r)
	return caller, err
}

func (v *Verifier) authenticate(ctx context.Context, r Request) (*Claims, CacheState, error) {
	return v.gate.authenticate(ctx, r, v)
}

func (v *Verifier) route(_ context.Context, issuer string) (*Verifier, error) {
	if !v.trusts(issuer) {
		return nil, errIssuer
	}
	return v, nil
}

// verify does the checks of a token of the issuer from one on and until another.
func (v *Verifier) verify(
	ctx context.Context, t *token, now time.Time, from, until check,
) error {
	for check := from; check < until; check++ {
		if err := v.do(ctx, check, t, now); err != nil {
			return err
		}
	}
	return nil
}

// Ready returns nil once the issuer's keys are at hand, fetching them if need
// be, or [ErrUnavailable]. It is for readiness probes.
func (v *Verifier) Ready(ctx context.Context) error {
	source, ok := v.keys.(interface{ Ready(context.Context) error })
	if !ok {
		return nil
	}
	if err := source.Ready(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}

// keepKeys goes on with the keys of a Verifier before, which are at hand, if they
// come from the same place.
func (v *Verifier) keepKeys(before *Verifier) {
	if sameKeys(before.keys, v.keys) {
		v.keys, v.cache = before.keys, before.cache
	}
}

// same reports whether two Verifiers accept the same tokens, so that the one
// whose keys are at hand can stay. Functions can not be compared.
func (v *Verifier) same(other *Verifier) bool {
	a, b := v.cfg, other.cfg
	if a.Tenant != nil || b.Tenant != nil || a.Check != nil || b.Check != nil {
		return false
	}
	a.Keys, b.Keys = nil, nil
	return reflect.DeepEqual(a, b) && sameKeys(v.keys, other.keys)
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
	// Of a value that can not be compared, == panics.
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
