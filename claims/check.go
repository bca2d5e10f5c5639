package claims

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// check is one check of a token of a trusted issuer. They are done in this order:
// cheapest first, and whatever only a verified token should bring about last.
type check uint8

const (
	checkAlgorithm check = iota
	checkType
	checkTime
	checkAudience
	checkClaims
	checkKey
	checkSignature
	checkBinding
	checkClient
	checkOwn
	checkCount
)

// do does one check; those before it have passed.
func (v *Verifier) do(ctx context.Context, c check, t *token, now time.Time) error {
	switch c {
	case checkAlgorithm:
		if len(v.cfg.Algorithms) > 0 && !slices.Contains(v.cfg.Algorithms, t.header.algorithm) {
			return errAlgorithm
		}
		return nil
	case checkType:
		return v.checkType(t)
	case checkTime:
		return v.checkTime(t.claims, now)
	case checkAudience:
		return v.checkAudience(t.claims)
	case checkClaims:
		return v.checkClaims(t)
	case checkKey:
		return v.findKeys(ctx, t)
	case checkSignature:
		return v.checkSignature(ctx, t, now)
	case checkBinding:
		// The token is not the bearer's alone to use, and nothing here can prove
		// the key that it is bound to (RFC 7800 section 3.1, RFC 9449 section 7.1).
		if t.claims.bound {
			return errBinding
		}
		return nil
	case checkClient:
		v.complete(t)
		if len(v.cfg.ClientIDs) > 0 && !slices.Contains(v.cfg.ClientIDs, t.claims.clientID) {
			return errClient
		}
		return nil
	case checkOwn:
		return v.checkOwn(ctx, t.claims)
	}
	return errMalformed // not reached: a check that does not exist must not pass
}

func (v *Verifier) checkType(t *token) error {
	accepted := slices.ContainsFunc(v.cfg.Types, func(typ string) bool {
		return isMediaType(t.header.tokenType, typ)
	})
	if !accepted {
		return errType
	}
	if mark, _ := v.otherKind(t); mark != "" {
		return errType
	}
	return nil
}

// otherKind returns the claim by which a token is seen to be no access token, and
// its value. RFC 8725 section 3.12 asks for rules that exclude each other.
func (v *Verifier) otherKind(t *token) (claim, value string) {
	// A set of events makes a security event token, a logout token included (RFC
	// 8417 section 2.2, OpenID Connect Back-Channel Logout section 2.4).
	if value, ok := t.members.find("events"); ok && value[0] == '{' {
		return "events", value
	}
	for _, name := range v.cfg.ForbiddenClaims {
		if value, ok := t.members.find(name); ok {
			return name, value
		}
	}
	for _, kind := range v.kinds {
		value, ok := t.members.find(kind.claim)
		if !ok || !slices.Contains(kind.values, plain(value)) {
			return kind.claim, value
		}
	}
	return "", ""
}

// plain returns the value of a JSON string, and the text of any other value.
func plain(value string) string {
	if !strings.HasPrefix(value, `"`) {
		return value
	}
	r := newReader(value)
	return r.string()
}

func (v *Verifier) checkAudience(c *Claims) error {
	switch {
	case v.cfg.InsecureSkipAudience:
		return nil
	case len(v.cfg.Audiences) == 0 && len(c.audience) == 0:
		return nil // of Cognito, whose clients are checked
	case overlap(c.audience, v.cfg.Audiences):
		return nil
	}
	return errAudience
}

func (v *Verifier) checkTime(c *Claims, now time.Time) error {
	leeway := v.cfg.Leeway
	limited := v.cfg.MaxTokenAge > 0 || v.cfg.MaxLifetime > 0
	switch {
	case c.expiresAt.IsZero(): // "exp" is required, RFC 9068 section 2.2
		return errMalformed
	case !now.Before(c.expiresAt.Add(leeway)):
		return errExpired
	case now.Add(leeway).Before(c.notBefore), now.Add(leeway).Before(c.issuedAt):
		return errNotYetValid
	case limited && c.issuedAt.IsZero():
		return errMalformed
	case v.cfg.MaxTokenAge > 0 && now.Sub(c.issuedAt)-leeway >= v.cfg.MaxTokenAge:
		return errTooOld
	case v.cfg.MaxLifetime > 0 && c.expiresAt.Sub(c.issuedAt) > v.cfg.MaxLifetime:
		return errLifetime
	}
	return nil
}

func (v *Verifier) checkClaims(t *token) error {
	if (t.members.mixed || v.mixed) && v.hasVariant(t) {
		return errMalformed
	}
	if v.lacking(t) != nil {
		return errClaims
	}
	return nil
}

// hasVariant reports whether a claim differs in case alone from one that the Config
// names: json.Unmarshal, which Decode uses, would take it for the same.
func (v *Verifier) hasVariant(t *token) bool {
	return t.members.any(func(name string) bool {
		return !slices.Contains(v.named, name) && slices.ContainsFunc(v.named, func(named string) bool {
			return strings.EqualFold(name, named)
		})
	})
}

// lacking returns the names of which the token should have one and has none.
func (v *Verifier) lacking(t *token) []string {
	for _, names := range v.required {
		if !slices.ContainsFunc(names, t.has) {
			return names
		}
	}
	return nil
}

// has reports whether the token has a claim that says something.
func (t *token) has(name string) bool {
	value, ok := t.members.find(name)
	if !ok || value == "null" || value == `""` {
		return false
	}
	if value[0] != '[' && value[0] != '{' {
		return true
	}
	r := newReader(value[1:])
	next := r.peek()
	return next != ']' && next != '}'
}

// complete adds what the claims of this issuer mean: once they are verified, and
// before anybody shares them.
func (v *Verifier) complete(t *token) {
	if name := v.cfg.ClientIDClaim; name != "" {
		t.claims.clientID = ""
		if value, _ := t.members.find(name); strings.HasPrefix(value, `"`) {
			t.claims.clientID = plain(value)
		}
	}
	if t.key != nil {
		t.claims.keyID = t.key.ID()
	}
	t.claims.granted = v.permissions.of(t)
	t.claims.until = t.claims.expiresAt.Add(v.cfg.Leeway)
	if v.cfg.MaxTokenAge > 0 {
		oldest := t.claims.issuedAt.Add(v.cfg.MaxTokenAge).Add(v.cfg.Leeway)
		if oldest.Before(t.claims.until) {
			t.claims.until = oldest
		}
	}
}

func (v *Verifier) checkOwn(ctx context.Context, c *Claims) error {
	if v.cfg.Check == nil {
		return nil
	}
	err := v.cfg.Check(ctx, c)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnavailable):
		return NewError(ErrUnavailable, ReasonUndecided, err)
	}
	return NewError(ErrInvalidToken, ReasonRejected, err)
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
