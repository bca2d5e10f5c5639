package claims

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// checks are all checks of a token, in their order: nothing outside the token
// is looked at before its issuer is trusted, what costs comes after what does
// not, and what only a verified token may bring about comes last. The first
// that returns an error refuses. A remembered token passes again those whose
// outcome can change, on each use.
var checks = [...]struct {
	name string
	each bool // on each use
	run  func(ctx context.Context, w *work) error
}{
	{"form", false, checkForm},           // three segments
	{"header", false, checkHeader},       // an algorithm of the right kind, no "crit"
	{"payload", false, checkPayload},     // claims of the right types
	{"issuer", true, checkIssuer},        // trusted; it picks the rules for what follows
	{"algorithm", false, checkAlgorithm}, // one that the issuer uses
	{"type", false, checkType},           // an access token, and no other kind
	{"time", true, checkTime},            // exp, nbf, iat
	{"audience", false, checkAudience},   // this API
	{"claims", false, checkClaims},       // those that are required
	{"key", true, checkKey},              // of the issuer; still there
	{"signature", false, checkSignature}, // by that key
	{"client", false, checkClient},       // one that may call this API
	{"binding", true, checkBinding},      // the sender holds the key in "cnf"
	{"check", true, checkOwn},            // Config.Check
}

// The checks at which the pipeline does something else between two, by their
// place.
var (
	atIssuer    = placeOf("issuer")
	atKey       = placeOf("key")
	atSignature = placeOf("signature")
	atBinding   = placeOf("binding")
)

func placeOf(name string) int {
	for i := range checks {
		if checks[i].name == name {
			return i
		}
	}
	panic("claims: no check is called " + name)
}

// run does the checks from one place to before another.
func (w *work) run(ctx context.Context, from, until int) error {
	for i := from; i < until; i++ {
		if err := checks[i].run(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// checkIssuer finds whose rules the checks after it follow.
func checkIssuer(ctx context.Context, w *work) error {
	v, err := w.issuers.route(ctx, w.claims.issuer)
	if err == errIssuer { // it returns it bare
		return w.untrusted()
	}
	if err != nil {
		return err
	}
	w.v = v
	if len(w.text()) > v.maxTokenSize { // another issuer's may be longer
		return errTooLarge
	}
	if w.remembered != nil && v.id != w.remembered.origin.verifier {
		return errForgetToken
	}
	return nil
}

func checkAlgorithm(_ context.Context, w *work) error {
	if list := w.v.algorithms; len(list) > 0 && !slices.Contains(list, w.header.algorithm) {
		return errAlgorithm
	}
	return nil
}

func checkType(_ context.Context, w *work) error {
	for _, typ := range w.v.types {
		if isMediaType(w.header.tokenType, typ) {
			if mark, _ := w.otherKind(); mark != "" {
				return errType
			}
			return nil
		}
	}
	return errType
}

// otherKind returns the claim that shows a token to be no access token, and its
// value. RFC 8725 section 3.12 asks for rules that exclude each other.
func (w *work) otherKind() (claim, value string) {
	// A set of events makes a security event token, a logout token included
	// (RFC 8417 section 2.2, OpenID Connect Back-Channel Logout section 2.4).
	if value, ok := w.members.Find("events"); ok && value[0] == '{' {
		return "events", value
	}
	for _, name := range w.v.forbidden {
		if value, ok := w.members.Find(name); ok {
			return name, value
		}
	}
	for _, claim := range w.v.values {
		value, ok := w.members.Find(claim.claim)
		if !ok || !slices.Contains(claim.values, strict.Plain(value)) {
			return claim.claim, value
		}
	}
	return "", ""
}

func checkAudience(_ context.Context, w *work) error {
	switch v := w.v; {
	case v.skipAudience:
		return nil
	case len(v.audiences) == 0 && len(w.claims.audience) == 0:
		return nil // of Cognito, whose clients are checked
	case overlap(w.claims.audience, v.audiences):
		return nil
	}
	return errAudience
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func checkClaims(_ context.Context, w *work) error {
	if w.members.Mixed || w.v.mixed {
		if _, of := w.variant(); of != "" {
			return w.v.variants[of]
		}
	}
	if lacking := w.lacking(); lacking != nil {
		return lacking.refusal
	}
	return nil
}

// variant returns a claim that differs in case alone from one that the Config
// names, and that: json.Unmarshal, which Decode uses, would take it for the
// same.
func (w *work) variant() (name, of string) {
	w.members.Some(func(n string) bool {
		name, of = n, w.v.named.Resembled(n)
		return of != ""
	})
	return name, of
}

// lacking returns the claim that the token should have and has not, nil if
// there is none.
func (w *work) lacking() *requiredClaim {
	for i := range w.v.required {
		if r := &w.v.required[i]; !slices.ContainsFunc(r.names, w.has) {
			return r
		}
	}
	return nil
}

// has reports whether the token has a claim that says something.
func (t *token) has(name string) bool {
	value, ok := t.members.Find(name)
	if !ok || value == "null" || value == `""` {
		return false
	}
	if value[0] != '[' && value[0] != '{' {
		return true
	}
	r := strict.NewReader(value[1:])
	next := r.Peek()
	return next != ']' && next != '}'
}

func checkClient(_ context.Context, w *work) error {
	w.v.complete(w)
	if ids := w.v.clientIDs; len(ids) > 0 && !slices.Contains(ids, w.claims.clientID) {
		return errClient
	}
	return nil
}

func checkOwn(ctx context.Context, w *work) error { return w.v.checkByUser(ctx, w.claims) }

func (v *trust) checkByUser(ctx context.Context, f *facts) error {
	if v.check == nil {
		return nil
	}
	limited := foreign.WithDeadline(ctx, userTimeout)
	defer limited.Release()
	err := foreign.Call(foreign.Name("claims: Config.Check"), func() error {
		err := v.check(limited, f.claims())
		if err == nil || errors.Is(err, ErrUnavailable) || isGone(limited, err) {
			return ownRefusal(ctx, limited, ReasonRejected, err)
		}
		return NewError(ErrInvalidToken, ReasonRejected, err)
	})
	return panicUndecided(ctx, err)
}

// complete adds what the claims of this issuer mean, and where they came from:
// once they are verified, and before anybody shares them.
func (v *trust) complete(w *work) {
	f := w.claims
	v.meaning.complete(&w.token)
	f.origin = origin{
		by: w.issuers.owner(), verifier: v.id, key: w.key,
		keyID: w.header.keyID, algorithm: w.header.algorithm, tokenType: w.header.tokenType,
	}
	if w.key != nil {
		f.keyID = w.key.ID()
	}
	f.until = v.until(f)
}
