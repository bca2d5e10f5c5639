package claims

import (
	"context"
	"errors"

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

func (v *Verifier) checkSignature(t *token) error {
	const maxTried = 4 // each costs a signature check
	verify := v.accepted[t.header.algorithm]
	for _, secret := range v.secrets {
		if verify(secret, t.input, t.signature) {
			return nil
		}
	}
	tried := 0
	for _, key := range t.keys {
		if !fits(key, t) {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		if verify(key.Public(), t.input, t.signature) {
			t.key = key
			return nil
		}
	}
	return errSignature
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
