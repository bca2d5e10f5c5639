package claims

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

const (
	defaultLeeway = 30 * time.Second
	maxLeeway     = 5 * time.Minute
)

var defaultTypes = []string{"at+jwt", "JWT", ""}

// KeySource finds the public keys of one issuer. [*jwks.Cache] and [*jwks.Set]
// are KeySources. It is safe for concurrent use.
//
// Lookup returns the keys that a signature of the algorithm, made by the key
// with the given ID, is to be checked with; at most 4 are tried. The error
// matches [jwks.ErrUnknownKey], [jwks.ErrKeyMismatch] or [jwks.ErrUnavailable];
// the last never because of keyID or algorithm, which the sender of a token
// chooses. Any other error is taken as ErrUnknownKey.
type KeySource interface {
	Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error)
}

// Verifier verifies the access tokens of one issuer. It is immutable and safe
// for concurrent use. [NewVerifier] makes one.
type Verifier struct {
	issuer       string
	template     *template // nil unless issuer leaves a segment open
	tenant       func(string) bool
	audiences    []string
	skipAudience bool
	keys         KeySource
	algorithms   []string
	types        []string
	leeway       time.Duration
	permissions  permissionMapping
}

var _ Authenticator = (*Verifier)(nil)

// NewVerifier returns a Verifier. It does no I/O: the issuer may be down. The
// error reports everything that is wrong with cfg.
func NewVerifier(cfg Config) (*Verifier, error) {
	errs := cfg.validate()
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
	v := &Verifier{
		issuer:       cfg.Issuer,
		template:     open,
		tenant:       cfg.Tenant,
		audiences:    slices.Clone(cfg.Audiences),
		skipAudience: cfg.InsecureSkipAudience,
		keys:         keys,
		algorithms:   slices.Clone(cfg.Algorithms),
		types:        slices.Clone(cfg.Types),
		leeway:       max(cfg.Leeway, 0),
		permissions: permissionMapping{
			claims: slices.Clone(cfg.PermissionClaims),
			table:  cloneTable(cfg.PermissionMap),
		},
	}
	if len(v.types) == 0 {
		v.types = defaultTypes
	}
	if cfg.Leeway == 0 {
		v.leeway = defaultLeeway
	}
	return v, nil
}

// trusts reports whether issuer is the Verifier's.
func (v *Verifier) trusts(issuer string) bool {
	if v.template == nil {
		return issuer == v.issuer
	}
	tenant := v.template.tenant(issuer)
	return tenant != "" && v.tenant(tenant)
}

// Authenticate verifies a Bearer token, by the checks and in the order that the
// package comment gives.
func (v *Verifier) Authenticate(ctx context.Context, r Request) (*Claims, error) {
	t, err := parseRequest(r)
	if err != nil {
		return nil, err
	}
	if !v.trusts(t.claims.issuer) {
		return nil, errIssuer
	}
	if err := v.verify(ctx, t); err != nil {
		return nil, err
	}
	return t.claims, nil
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

// verify checks a token of the issuer: cheapest first, the network last.
func (v *Verifier) verify(ctx context.Context, t *token) error {
	if len(v.algorithms) > 0 && !slices.Contains(v.algorithms, t.header.algorithm) {
		return errAlgorithm
	}
	if !v.acceptsType(t.header.tokenType) {
		return errType
	}
	if err := v.checkTimes(t.claims, time.Now()); err != nil {
		return err
	}
	if !v.skipAudience && !overlap(t.claims.audience, v.audiences) {
		return errAudience
	}
	if err := v.checkSignature(ctx, t); err != nil {
		return err
	}
	// The token is not the bearer's alone to use, and nothing here can prove
	// the key that it is bound to (RFC 7800 section 3.1, RFC 9449 section 7.1).
	if t.claims.bound {
		return errBinding
	}
	t.claims.granted = v.permissions.of(t.claims)
	return nil
}

func (v *Verifier) acceptsType(tokenType string) bool {
	return slices.ContainsFunc(v.types, func(accepted string) bool {
		return isMediaType(tokenType, accepted)
	})
}

func (v *Verifier) checkTimes(c *Claims, now time.Time) error {
	switch {
	case c.expiresAt.IsZero(): // "exp" is required, RFC 9068 section 2.2
		return errMalformed
	case !now.Before(c.expiresAt.Add(v.leeway)):
		return errExpired
	case now.Add(v.leeway).Before(c.notBefore), now.Add(v.leeway).Before(c.issuedAt):
		return errNotYetValid
	}
	return nil
}

func (v *Verifier) checkSignature(ctx context.Context, t *token) error {
	const maxTried = 4 // each costs a signature check
	keys, err := v.keys.Lookup(ctx, t.header.keyID, t.header.algorithm)
	if err != nil {
		return keyError(err)
	}
	input := []byte(t.input)
	tried := 0
	for _, key := range keys {
		if key == nil || !isFor(key, t.claims.issuer) {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		if verifySignature(t.header.algorithm, key.Public(), input, t.signature) {
			return nil
		}
	}
	if tried == 0 {
		return errUnknownKey
	}
	return errSignature
}

// isFor reports whether a key may sign for an issuer. A key that names one is
// that tenant's alone, unless it leaves the tenant open.
func isFor(key *jwks.Key, issuer string) bool {
	of := key.Issuer()
	if of == "" || of == issuer {
		return true
	}
	open, err := parseTemplate(of)
	return err == nil && open != nil && open.tenant(issuer) != ""
}

// same reports whether two Verifiers accept the same tokens, so that the one
// whose keys are at hand can stay.
func (v *Verifier) same(other *Verifier) bool {
	return v.issuer == other.issuer && v.tenant == nil && other.tenant == nil &&
		slices.Equal(v.audiences, other.audiences) && v.skipAudience == other.skipAudience &&
		slices.Equal(v.algorithms, other.algorithms) && slices.Equal(v.types, other.types) &&
		v.leeway == other.leeway && v.permissions.same(other.permissions) && sameKeys(v.keys, other.keys)
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

func keyError(err error) error {
	switch {
	case errors.Is(err, jwks.ErrUnavailable):
		return unavailable(err)
	case errors.Is(err, jwks.ErrKeyMismatch):
		return errAlgorithm
	}
	return errUnknownKey
}

func unavailable(err error) error {
	e := &Error{class: ErrUnavailable, reason: ReasonKeysUnavailable, cause: err}
	var u *jwks.UnavailableError
	if errors.As(err, &u) {
		e.retryAfter = u.RetryAfter
	}
	return e
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
