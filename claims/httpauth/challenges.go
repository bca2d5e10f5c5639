package httpauth

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// Fields returns the field values that go with a refusal where tokens are taken
// under further schemes, such as those of a [claims.Guard]: one for each
// challenge, that of the scheme which the request used first. None goes with
// what has no challenge, as Field says.
//
// The error stands in the challenge of the scheme that was used; the others say
// that they would do as well (RFC 9449 section 7.1), with the scope of the
// refusal. They are left out where the scheme was right and something else was
// not: the scope, the user's authentication, the nonce.
func (c Challenge) Fields(refusal *claims.Error, schemes []claims.Scheme) []string {
	own := c.Field(refusal)
	if own == "" || len(schemes) == 0 || refusal != nil && refusal.Second() != "" {
		return single(own)
	}
	used := -1
	if refusal != nil && refusal.Scheme() != "" {
		used = slices.IndexFunc(schemes, func(s claims.Scheme) bool {
			return strings.EqualFold(s.Name, refusal.Scheme())
		})
	}
	if used >= 0 {
		own = c.as(schemes[used]).Field(refusal)
	}
	if refusal != nil && !isOpen(refusal) {
		return single(own)
	}
	fields := append(make([]string, 0, 1+len(schemes)), own)
	if used >= 0 {
		fields = append(fields, c.unused(refusal))
	}
	for i, scheme := range schemes {
		if i != used {
			fields = append(fields, c.as(scheme).unused(refusal))
		}
	}
	return fields
}

// as returns the challenge for another scheme.
func (c Challenge) as(scheme claims.Scheme) Challenge {
	all := c.bare
	if all == "" {
		all = bare
	}
	_, params, _ := strings.Cut(all, " ")
	field := scheme.Name + " " + params
	if scheme.Algorithms != "" {
		field += ", algs=" + quoted(scheme.Algorithms)
	}
	return Challenge{field, c.realm}
}

// unused returns the field of a scheme that the request did not use.
func (c Challenge) unused(refusal *claims.Error) string {
	field := c.Field(nil)
	if refusal != nil && refusal.Scope() != "" {
		field += ", scope=" + quoted(refusal.Scope())
	}
	return field
}

// isOpen reports whether a client may try again under another scheme.
func isOpen(refusal *claims.Error) bool {
	switch refusal.Class() {
	case claims.ErrNoToken, claims.ErrInvalidRequest:
		return true
	case claims.ErrInvalidToken:
		return refusal.Reason() != claims.ReasonNonce
	}
	return false
}

func single(field string) []string {
	if field == "" {
		return nil
	}
	return []string{field}
}
