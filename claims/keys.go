package claims

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

func (v *Verifier) findKeys(ctx context.Context, t *token) error {
	if v.secrets != nil {
		return nil
	}
	keys, err := v.keys.Lookup(ctx, t.header.keyID, t.header.algorithm)
	if err != nil {
		return keyError(err)
	}
	t.keys = keys
	for _, key := range keys {
		if fits(key, t) {
			return nil
		}
	}
	return errUnknownKey
}

// checkSignature looks for the key that verifies a token. since is when its
// verification began.
func (v *Verifier) checkSignature(ctx context.Context, t *token, since time.Time) error {
	verify := v.accepted[t.header.algorithm]
	for _, secret := range v.secrets {
		if verify(secret, t.input, t.signature) {
			return nil
		}
	}
	if t.key = v.tryKeys(t, t.keys); t.key != nil {
		return nil
	}
	// Not what embeds one: its Lookup may leave keys out.
	cache, ok := v.keys.(*jwks.Cache)
	if !ok || v.secrets != nil {
		return errSignature
	}
	more, err := cache.LookupAgain(ctx, since, t.header.keyID, t.header.algorithm, t.keys)
	if err != nil {
		return errSignature // whatever becomes of the fetch: the sender chose the signature
	}
	if t.key = v.tryKeys(t, more); t.key == nil {
		return errSignature
	}
	t.keys = more
	return nil
}

// tryKeys returns the key that verifies a token, nil if none does: those first that
// did so lately.
func (v *Verifier) tryKeys(t *token, keys []*jwks.Key) *jwks.Key {
	verify := v.accepted[t.header.algorithm]
	var lately []*jwks.Key
	if len(keys) > 1 {
		lately = v.trials.lately()
	}
	tried := 0
	for _, late := range [2]bool{true, false} {
		if late && len(lately) == 0 {
			continue
		}
		for _, key := range keys {
			if !fits(key, t) || hasKey(lately, key) != late {
				continue
			}
			if tried++; tried > maxTrials || tried > freeTrials && !v.trials.allow(time.Now()) {
				return nil
			}
			if verify(key.Public(), t.input, t.signature) {
				if len(keys) > 1 {
					v.trials.succeeded(key)
				}
				return key
			}
		}
	}
	return nil
}

// fits reports whether a key may have signed a token, whatever KeySource it is from.
func fits(key *jwks.Key, t *token) bool {
	return key != nil && key.Fits(t.header.algorithm) && isFor(key, t.claims.issuer)
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
