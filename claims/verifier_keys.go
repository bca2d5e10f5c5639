package claims

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/jwks"
)

// checkKey finds the keys that may have signed the token; of a remembered
// token, whether its key is still there. The latter counts as a use of the
// keys: those that are due are fetched.
func checkKey(ctx context.Context, w *work) error {
	if w.v.secrets != nil {
		return nil
	}
	keyID, algorithm := w.header.keyID, w.header.algorithm
	if f := w.remembered; f != nil {
		keyID, algorithm = f.origin.keyID, f.origin.algorithm
		// One that was found without its ID may have another beside it now.
		if w.v.cache != nil && keyID == f.keyID && keyID != "" &&
			w.v.cache.Holds(f.origin.key, w.now) {
			return nil
		}
	}
	w.asked = w.now
	keys, err := w.v.lookUp(ctx, keyID, algorithm)
	if _, panicked := err.(*foreign.PanicError); panicked {
		return undecided(ctx, ReasonKeysUnavailable, err)
	} else if err != nil {
		return err
	}
	if w.remembered != nil {
		if !slices.ContainsFunc(keys, w.remembered.origin.key.Equal) {
			return errForgetToken
		}
		return nil
	}
	w.keys = keys
	for _, key := range keys {
		if w.fits(key) {
			return nil
		}
	}
	return errUnknownKey
}

// lookUp asks the KeySource, which may be the user's. Its error is a refusal,
// or a panic.
func (v *trust) lookUp(ctx context.Context, keyID, algorithm string) (keys []*jwks.Key, err error) {
	if cache := v.cache; cache != nil {
		if keys, err = cache.Lookup(ctx, keyID, algorithm); err != nil {
			err = keyError(ctx, err)
		}
		return keys, err
	}
	defer foreign.Recover(foreign.Name("claims: Config.Keys"), &err)
	if keys, err = v.keys.Lookup(ctx, keyID, algorithm); err != nil {
		err = keyError(ctx, err) // here, as the error's methods are the user's, too
	}
	return keys, err
}

// checkSignature looks for the key that verifies the token. Where none does, it
// may have been replaced under its ID, or have none: the keys are asked for
// again, once.
func checkSignature(ctx context.Context, w *work) error {
	for _, secret := range w.v.secrets {
		if w.v.accepted.Verify(w.header.algorithm, secret, w.input, w.signature) {
			return nil
		}
	}
	if w.key = w.try(w.keys); w.key != nil {
		return nil
	}
	// Not what embeds one: its Lookup may leave keys out.
	cache, ok := w.v.keys.(*jwks.Cache)
	if !ok {
		return errSignature
	}
	more, err := cache.LookupAgain(ctx, w.asked, w.header.keyID, w.header.algorithm, w.keys)
	if err != nil {
		return errSignature // whatever became of the fetch: the sender chose the signature
	}
	if w.key = w.try(more); w.key == nil {
		return errSignature
	}
	w.now = time.Now() // the fetch was waited for
	return checkTime(ctx, w)
}

// try returns the key that verifies the token, nil if none does: those first
// that did so lately.
func (w *work) try(keys []*jwks.Key) *jwks.Key {
	var lately []*jwks.Key
	if len(keys) > 1 {
		lately = w.v.trials.lately()
	}
	tried := 0
	for _, late := range [2]bool{true, false} {
		if late && len(lately) == 0 {
			continue
		}
		for _, key := range keys {
			if !w.fits(key) || hasKey(lately, key) != late {
				continue
			}
			if tried++; tried > maxTrials || tried > freeTrials && !w.v.trials.allow(time.Now()) {
				return nil
			}
			if w.v.accepted.Verify(w.header.algorithm, key.Public(), w.input, w.signature) {
				if len(keys) > 1 {
					w.v.trials.succeeded(key)
				}
				return key
			}
		}
	}
	return nil
}

// fits reports whether a key may have signed a token, whatever KeySource it is
// from.
func (w *work) fits(key *jwks.Key) bool {
	return key != nil && key.Fits(w.header.algorithm) && w.v.mayUse(key, w.claims.issuer)
}

// mayUse reports whether a key may sign for an issuer. A key that names one is
// that tenant's alone, unless it leaves the tenant open.
func (v *trust) mayUse(key *jwks.Key, issuer string) bool {
	of := key.Issuer()
	if of == "" || of == issuer {
		return true
	}
	open, err := parseTemplate(of)
	return err == nil && open != nil && open.tenant(issuer) != "" || v.profile.lets(of, issuer)
}

func keyError(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, jwks.ErrUnavailable):
		return unavailable(ctx, err)
	case errors.Is(err, jwks.ErrKeyMismatch):
		return errAlgorithm
	}
	return errUnknownKey
}
