package claims

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
)

// Examiner decides, by the rules of a [Config], whether claims are accepted
// that something other than a signature vouches for, such as the answer of an
// introspection endpoint. It is for an [Authenticator] of one's own, whose
// callers then are what those of a [Verifier] are. It is immutable and safe for
// concurrent use. [NewExaminer] makes one; a zero Examiner cannot decide.
type Examiner struct{ rules *Verifier }

// NewExaminer returns an Examiner. Of cfg all fields count but those about
// keys, signatures and the size of tokens. "iss" and "exp" may be absent:
// claims without the first are of [Config].Issuer, and those without the second
// do not expire, unless RequiredClaims has it. The error reports everything
// that is wrong with cfg.
func NewExaminer(cfg Config) (*Examiner, error) {
	rules, errs := cfg.compile(jws.Asymmetric)
	if rules != nil && rules.template != nil {
		errs = append(errs, errors.New(
			"claims: Config.Issuer leaves a segment open, as that of an Examiner cannot"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Examiner{&Verifier{trust: newTrust(rules, jws.Asymmetric)}}, nil
}

func (e *Examiner) isMade() bool { return e != nil && e.rules != nil }

// Takes returns nil if a token may be presented under an authentication scheme:
// Bearer, or that of one of [Config].Confirmers. Otherwise it returns the
// refusal, which matches [ErrNoToken] and [ErrUnrecognized].
func (e *Examiner) Takes(scheme string) error {
	c := Credentials{Scheme: scheme}
	if !e.isMade() {
		return errNotMade
	}
	if c.isBearer() || e.rules.confirmers.takes(scheme) {
		return nil
	}
	return errUnsupportedScheme
}

// Examine returns the claims that a JSON object has, if they are accepted. It
// does those checks that have the same outcome each time, and the time's; the
// result may be kept, for [Examiner.Admit] to let in each use of the token. The
// error is an [*Error].
func (e *Examiner) Examine(ctx context.Context, object []byte) (*Claims, error) {
	if !e.isMade() {
		return nil, errNotMade
	}
	w := &work{issuers: e.rules, now: time.Now()}
	f, refusal := parseClaims(string(object), &w.members)
	if refusal != nil {
		return nil, e.rules.ofIssuer(refusal)
	}
	if _, ok := w.members.Find("iss"); !ok {
		f.issuer = e.rules.issuer
	}
	w.claims = f
	if err := e.examine(ctx, w); err != nil {
		return nil, e.rules.ofIssuer(err)
	}
	return f.claims(), nil
}

func (e *Examiner) examine(ctx context.Context, w *work) error {
	if err := checkIssuer(ctx, w); err != nil {
		return err
	}
	if mark, _ := w.otherKind(); mark != "" {
		return errType
	}
	if err := w.v.checkTimes(w.claims, w.now, true); err != nil {
		return err
	}
	for _, check := range []func(context.Context, *work) error{checkAudience, checkClaims} {
		if err := check(ctx, w); err != nil {
			return err
		}
	}
	w.v.meaning.complete(&w.token)
	w.claims.until = w.v.until(w.claims)
	if ids := w.v.clientIDs; len(ids) > 0 && !slices.Contains(ids, w.claims.clientID) {
		return errClient
	}
	return nil
}

// Admit does what each use of a token asks, of claims that this Examiner
// returned: the time, then the binding (each member of "cnf" is proven by one
// of [Config].Confirmers, and a token is presented as it is bound), then
// [Config].Check. The error is an [*Error].
func (e *Examiner) Admit(ctx context.Context, caller *Claims, c Credentials) error {
	return e.admit(ctx, caller.of(), func(f *facts) error {
		return e.rules.confirmers.prove(ctx, f.cnf, c)
	})
}

// Recheck is Admit for a request that lasts, whose binding is not proven again:
// now are the claims that its token has by now. It refuses if they mean
// something else than those that the request goes on with.
func (e *Examiner) Recheck(ctx context.Context, before, now *Claims) error {
	return e.admit(ctx, now.of(), func(f *facts) error {
		of := before.of()
		if f.issuer != of.issuer || f.subject != of.subject || f.clientID != of.clientID ||
			!slices.Equal(f.scopes, of.scopes) || !slices.Equal(f.granted, of.granted) {
			return errSuperseded
		}
		return nil
	})
}

func (e *Examiner) admit(ctx context.Context, f *facts, holds func(*facts) error) error {
	if !e.isMade() {
		return errNotMade
	}
	err := e.rules.checkTimes(f, time.Now(), true)
	if err == nil {
		err = holds(f)
	}
	if err == nil {
		err = e.rules.checkByUser(ctx, f)
	}
	return e.rules.ofIssuer(err)
}

// Schemes returns the authentication schemes beside Bearer under which Takes
// takes tokens, for an [Authenticator] to return by a method of that name. The
// slice is shared and must not be modified.
func (e *Examiner) Schemes() []Scheme {
	if !e.isMade() {
		return nil
	}
	return e.rules.schemes
}
