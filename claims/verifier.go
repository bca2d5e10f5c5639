package claims

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// Config says which tokens a [Verifier] accepts.
type Config struct {
	// Issuer is the issuer identifier: a token's "iss" must equal it, byte for
	// byte. Required. Where Keys is nil it must be an https URL, or http on a
	// loopback address, at which the issuer's metadata is found.
	Issuer string

	// Audiences are the names of the API that the Verifier guards: a token's
	// "aud" must have one of them, byte for byte (RFC 7519 section 4.1.3).
	// Required, unless InsecureSkipAudience is set.
	Audiences []string

	// InsecureSkipAudience accepts tokens whatever their "aud", and without
	// one. Every token of the issuer then opens this API, also those that it
	// issued for other APIs. Audiences must be empty.
	InsecureSkipAudience bool

	// Keys finds the issuer's keys: a [*jwks.Cache] with settings of its own,
	// such as a key set URL or an HTTP client, or a [*jwks.Set] that never
	// changes. Nil means a jwks.Cache that discovers them from Issuer. It must
	// be the source of this issuer's keys alone: any key in it can sign any
	// token of the issuer.
	Keys KeySource

	// Algorithms are the signature algorithms that are accepted, out of RS256,
	// RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA and its
	// newer name Ed25519. Empty means all of them. Whatever is allowed here, a
	// token's algorithm must also fit the key that it names.
	Algorithms []string

	// Types are the values of the header parameter "typ" that are accepted,
	// without "application/" and without regard to case; "" stands for a token
	// that has none. Empty means at+jwt (RFC 9068 section 2.1), JWT and none,
	// which most issuers need; at+jwt alone keeps ID tokens out (RFC 8725
	// section 3.11).
	Types []string

	// Leeway is how far the issuer's clock may be from ours, at "exp", "nbf"
	// and "iat" alike. Zero means 30 seconds, a negative value none. At most 5
	// minutes.
	Leeway time.Duration
}

// Verifier verifies the access tokens of one issuer. It is immutable and safe
// for concurrent use. [NewVerifier] makes one.
type Verifier struct {
	issuer       string
	audiences    []string
	skipAudience bool
	keys         KeySource
	algorithms   []string
	types        []string
	leeway       time.Duration
}

var _ Authenticator = (*Verifier)(nil)

// NewVerifier returns a Verifier. It does no I/O: the issuer may be down. The
// error reports everything that is wrong with cfg.
func NewVerifier(cfg Config) (*Verifier, error) {
	errs := cfg.validate()
	keys := cfg.Keys
	if keys == nil && cfg.Issuer != "" {
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
		audiences:    slices.Clone(cfg.Audiences),
		skipAudience: cfg.InsecureSkipAudience,
		keys:         keys,
		algorithms:   slices.Clone(cfg.Algorithms),
		types:        slices.Clone(cfg.Types),
		leeway:       max(cfg.Leeway, 0),
	}
	if len(v.types) == 0 {
		v.types = defaultTypes
	}
	if cfg.Leeway == 0 {
		v.leeway = defaultLeeway
	}
	return v, nil
}

func (cfg Config) validate() []error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("claims: Config."+format, args...))
	}
	if cfg.Issuer == "" {
		report("Issuer is required")
	}
	switch {
	case cfg.InsecureSkipAudience && len(cfg.Audiences) > 0:
		report("InsecureSkipAudience contradicts Audiences")
	case !cfg.InsecureSkipAudience && len(cfg.Audiences) == 0:
		report("Audiences is required: the name of this API in a token's \"aud\"")
	case slices.Contains(cfg.Audiences, ""):
		report("Audiences has an empty audience")
	}
	for _, alg := range cfg.Algorithms {
		if _, ok := algorithms[alg]; !ok {
			report("Algorithms: %q is not one of the algorithms accepted", alg)
		}
	}
	for _, typ := range cfg.Types {
		if strings.ContainsRune(typ, '/') {
			report("Types: %q must be written without \"application/\"", typ)
		}
	}
	if cfg.Leeway > maxLeeway {
		report("Leeway of %v is more than %v", cfg.Leeway, maxLeeway)
	}
	return errs
}

// Authenticate verifies a Bearer token, by the checks and in the order that the
// package comment gives.
func (v *Verifier) Authenticate(ctx context.Context, r Request) (*Claims, error) {
	t, err := parseRequest(r)
	if err != nil {
		return nil, err
	}
	if t.claims.issuer != v.issuer {
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
	for _, key := range keys[:min(len(keys), maxTried)] {
		if verifySignature(t.header.algorithm, key.Public(), input, t.signature) {
			return nil
		}
	}
	return errSignature
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
