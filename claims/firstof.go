package claims

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// FirstOf returns an Authenticator that has several kinds of token verified,
// each by the first of the Authenticators that recognises its form: put those
// first that tell by a prefix. It is never a trial: whoever recognises a token
// and refuses it ends the matter, and so does a panic. For several issuers of
// one kind of token use [Issuers].
//
// A [Verifier] recognises a JWT whose algorithm is of its kind, HMAC or public
// keys, under a scheme that it takes: two of them divide the tokens of an
// issuer that changes over. A token that none recognises is refused by the
// first of them that understands its scheme. A token longer than the
// MaxTokenSize of a Verifier is refused by that one.
//
// It panics if there is no Authenticator, or one is nil or was not made by its
// constructor.
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
	return claimsOf(f.identify(ctx, c))
}

func (f *firstOf) identify(ctx context.Context, c Credentials) (*facts, error) {
	var refusal reply
	for _, auth := range f.auths {
		r := askOne(ctx, auth, c)
		if !r.unrecognized {
			return r.facts, r.err
		}
		// That a scheme is unknown says less than that a token is.
		if refusal.err == nil || refusal.noToken && !r.noToken {
			refusal = r
		}
	}
	return nil, refusal.err
}

// reply is what an Authenticator says, and what its error matches.
type reply struct {
	facts                 *facts
	err                   error
	unrecognized, noToken bool
}

func askOne(ctx context.Context, auth Authenticator, c Credentials) (r reply) {
	err := foreign.Call(foreign.Name("claims: Authenticator"), func() error {
		if own := identifierOf(auth); own != nil {
			r.facts, r.err = own.identify(ctx, c)
		} else if caller, err := auth.Authenticate(ctx, c); err != nil {
			r.err = err
		} else if r.facts = caller.of(); r.facts == noFacts {
			r.facts, r.err = nil, errNoToken // it breaks its word
		}
		// An error of the user's has methods of the user's.
		var panicked *foreign.PanicError // the value may be any error
		r.unrecognized = r.err != nil && errors.Is(r.err, ErrUnrecognized) &&
			!errors.As(r.err, &panicked)
		r.noToken = r.unrecognized && errors.Is(r.err, ErrNoToken)
		return nil
	})
	if err != nil {
		return reply{err: panicUndecided(ctx, err)}
	}
	return r
}

// Recheck asks all: each returns nil for claims that it did not make.
func (f *firstOf) Recheck(ctx context.Context, caller *Claims) error {
	for _, auth := range f.auths {
		if r, ok := auth.(rechecker); ok {
			if err := recheckBy(ctx, r.Recheck, caller); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *firstOf) asksAgain() bool { return slices.ContainsFunc(f.auths, asksAgain) }

func (f *firstOf) isStrict(auth Authenticator) bool {
	return auth == Authenticator(f) && !slices.ContainsFunc(f.auths, func(part Authenticator) bool {
		return identifierOf(part) == nil
	})
}

// Schemes returns those of all.
func (f *firstOf) Schemes() []Scheme {
	var all []Scheme
	for _, auth := range f.auths {
		all = union(all, schemesOf(auth))
	}
	return all
}
