package claims

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// confirmer is a Confirmer with what it confirms.
type confirmer struct {
	Confirmer
	member, scheme string
	algorithms     string // of proofs, space-separated
}

// confirmers prove the members of "cnf", each one of them.
type confirmers []confirmer

func (list confirmers) of(member string) *confirmer {
	for i := range list {
		if list[i].member == member {
			return &list[i]
		}
	}
	return nil
}

// takes reports whether tokens may be presented under a scheme.
func (list confirmers) takes(scheme string) bool {
	for i := range list {
		if strings.EqualFold(list[i].scheme, scheme) {
			return true
		}
	}
	return false
}

// schemes returns those beside Bearer.
func (list confirmers) schemes() (schemes []Scheme) {
	for _, c := range list {
		if !strings.EqualFold(c.scheme, "Bearer") {
			schemes = union(schemes, []Scheme{{c.scheme, c.algorithms}})
		}
	}
	return schemes
}

func compileConfirmers(list []Confirmer, report reporter) confirmers {
	var compiled confirmers
	for i, c := range list {
		if isNil(c) {
			report("Confirmers[%d] is nil", i)
			continue
		}
		var member, scheme, algorithms string
		err := foreign.Call(foreign.Name("Confirms"), func() error {
			member, scheme = c.Confirms()
			if by, ok := c.(interface{ Algorithms() []string }); ok {
				algorithms = strings.Join(by.Algorithms(), " ")
			}
			return nil
		})
		if err != nil {
			report("Confirmers[%d], a %T: %w", i, c, err)
			continue
		}
		for _, other := range compiled {
			if other.member == member {
				report("Confirmers[%d] proves %q of cnf, as another does", i, member)
			}
		}
		if member == "" || !isScheme(scheme) {
			report("Confirmers[%d], a %T, has %q for the member of cnf and %q for the scheme",
				i, c, member, scheme)
		}
		compiled = append(compiled, confirmer{c, member, scheme, algorithms})
	}
	return compiled
}

// String names the Confirmer.
func (c *confirmer) String() string { return fmt.Sprintf("Confirmer %T", c.Confirmer) }

// confirm asks the user's Confirmer.
func (c *confirmer) confirm(ctx context.Context, value string, credentials Credentials) error {
	if credentials.Proof == nil {
		credentials.Proof = noProof{}
	}
	limited := foreign.WithDeadline(ctx, userTimeout)
	defer limited.Release()
	err := foreign.Call(c, func() error {
		err := c.Confirm(limited, strict.Plain(value), credentials)
		return ownRefusal(ctx, limited, ReasonBinding, err)
	})
	return panicUndecided(ctx, err)
}

func bindingRefusal(cause string) *Error {
	return NewError(ErrInvalidToken, ReasonBinding, errors.New("claims: "+cause))
}

// Confirmer proves that the sender of a request holds the key that their token
// is bound to (RFC 7800 section 3.1). It is safe for concurrent use.
//
// A Confirmer may have a third method,
//
//	Algorithms() []string
//
// by which the challenge of its scheme says how proofs may be signed (RFC 9449
// section 7.1, "algs").
type Confirmer interface {
	// Confirms returns the member of "cnf" that it proves, such as "jkt" or
	// "x5t#S256", and the authentication scheme under which a token that has it
	// must be presented: "Bearer", or another, such as "DPoP" (RFC 9449 section
	// 7.1), under which no token is accepted then that is not bound so. It
	// always returns the same.
	Confirms() (member, scheme string)

	// Confirm returns nil if the credentials prove possession of the key that
	// value stands for: the member's text if it is a string, its JSON
	// otherwise. c.Proof is never nil. Any error refuses: with the class that
	// it matches, [ErrInvalidToken] otherwise. One that matches
	// [ErrUnavailable] must not be brought about by what the request holds. ctx
	// ends after 5 seconds.
	Confirm(ctx context.Context, value string, c Credentials) error
}
