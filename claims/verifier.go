package claims

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/jwks"
)

// Verifier verifies the access tokens of one issuer. It is immutable and safe
// for concurrent use. [NewVerifier] makes one, and [NewSymmetricVerifier]; a
// zero Verifier trusts nobody.
type Verifier struct {
	*trust
	pipeline *pipeline
}

var _ Authenticator = (*Verifier)(nil)

// NewVerifier returns a Verifier. It does no I/O: the issuer may be down. The
// error reports everything that is wrong with cfg.
func NewVerifier(cfg Config) (*Verifier, error) {
	v, err := newMember(cfg)
	if err != nil {
		return nil, err
	}
	v.pipeline = newPipeline(v.accepted, v.maxTokens)
	return v, nil
}

// newMember is NewVerifier for one of several, whose tokens go through a
// pipeline that they share.
func newMember(cfg Config) (*Verifier, error) {
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
	v := &Verifier{trust: newTrust(rules, jws.Asymmetric)}
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

func newVerifier(t *trust) *Verifier {
	return &Verifier{t, newPipeline(t.accepted, t.maxTokens)}
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

func (v *Verifier) recheck(ctx context.Context, caller *Claims) error {
	if !v.isMade() {
		return errNotMade
	}
	return v.pipeline.recheck(ctx, caller, v)
}

func (v *Verifier) freshKeys(ctx context.Context, f *facts, most time.Duration) error {
	return v.pipeline.freshKeys(ctx, f, v, most)
}

func (v *Verifier) isStrict(auth Authenticator) bool { return auth == Authenticator(v) }

func (v *Verifier) route(_ context.Context, issuer string) (*trust, error) {
	trusted, err := v.trusts(issuer)
	if err != nil {
		return nil, err
	}
	if !trusted {
		return nil, errIssuer
	}
	return v.trust, nil
}

func (v *Verifier) sizes() (maxTokenSize int) { return v.maxTokenSize }

// Explain verifies a token as [Verifier.Authenticate] does and says what was
// compared, for operators and tests. It goes on after a refusal, with the
// checks that stand on their own, so that all faults show at once. It looks for
// keys only if the token is of the issuer and its algorithm is accepted, and
// calls [Config].Check only if everything else has passed. Of a token with
// several faults Authenticate may give another reason: that its key is unknown,
// if the key ID was invented and others are as well. Of a token that is bound
// to a key it shows whether a proof could be accepted, and makes none of the
// Confirmers prove it: only a request has the proof.
//
// It never shows the signature, a secret, or a claim other than those checked;
// what it shows is still for those who may see the token. It is no part of
// serving requests: use Authenticate there.
func (v *Verifier) Explain(ctx context.Context, token string) Explanation {
	if !v.isMade() {
		return Explanation{Err: errNotMade}
	}
	return explain(ctx, v.accepted, v, v.trust, token)
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
	if !v.isMade() {
		return jwks.Stats{}
	}
	if cache, ok := v.keys.(*jwks.Cache); ok {
		return cache.Stats()
	}
	return jwks.Stats{}
}

func (v *Verifier) owner() maker { return v }
func (v *Verifier) isMade() bool { return v != nil && v.trust != nil }

func (v *Verifier) wanted() string { return quote(v.issuer) }

func (v *Verifier) early(h header, payload []byte) (*trust, error) {
	return v.refusesEarly(h, payload)
}

func (v *Verifier) each(yield func(*trust) bool) { yield(v.trust) }

func (v *Verifier) nearest(issuer string, _ int) (of *trust, how string) {
	if how = v.differsIn(issuer); how == "" {
		return nil, ""
	}
	return v.trust, how
}

// Schemes returns the authentication schemes beside Bearer that tokens are
// taken under. The slice is shared and must not be modified.
func (v *Verifier) Schemes() []Scheme {
	if !v.isMade() {
		return nil
	}
	return v.schemes
}
