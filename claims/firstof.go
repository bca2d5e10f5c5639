package claims

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrUnrecognized is what the error of an [Authenticator] matches, beside the class
// of its refusal, if the token has a form that it does not know: [FirstOf] asks the
// next one then.
var ErrUnrecognized = errors.New("claims: token of another form")

// FirstOf returns an Authenticator that has several kinds of token verified, each by
// the first of the Authenticators that recognises its form: put those first that tell
// by a prefix. It is never a trial: whoever recognises a token and refuses it ends
// the matter. A [Verifier] recognises a JWT with one of its algorithms; two that
// accept HMAC and public keys divide the tokens of an issuer that changes over. For
// several issuers of the same kind of token use [Issuers]. A token that none
// recognises is refused by the first of them.
//
// It panics if there is none, or one is nil.
func FirstOf(auths ...Authenticator) Authenticator {
	if len(auths) == 0 {
		panic("claims: FirstOf of no Authenticator")
	}
	for i, auth := range auths {
		if fault := faultOf(auth); fault != "" {
			panic(fmt.Sprintf("claims: FirstOf: Authenticator %d %s", i, fault))
		}
	}
	return &firstOf{slices.Clone(auths)}
}

type firstOf struct{ auths []Authenticator }

func (f *firstOf) Authenticate(ctx context.Context, c Credentials) (*Claims, error) {
	var refusal error
	for _, auth := range f.auths {
		caller, err := auth.Authenticate(ctx, c)
		if err == nil || !errors.Is(err, ErrUnrecognized) {
			return caller, err
		}
		// That a scheme is unknown says less than that a token is.
		if refusal == nil || errors.Is(refusal, ErrNoToken) && !errors.Is(err, ErrNoToken) {
			refusal = err
		}
	}
	return nil, refusal
}

// Recheck asks all: each returns nil for claims that it did not make.
func (f *firstOf) Recheck(ctx context.Context, caller *Claims) error {
	for _, auth := range f.auths {
		if r, ok := auth.(rechecker); ok {
			if err := r.Recheck(ctx, caller); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *firstOf) isStrict(auth Authenticator) bool {
	return auth == Authenticator(f) && !slices.ContainsFunc(f.auths, func(part Authenticator) bool {
		return !isStrict(part)
	})
}
