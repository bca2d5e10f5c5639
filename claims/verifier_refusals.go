package claims

import "sync"

// refusals are those that name the issuer of a Verifier, by the refusals that
// do not: made when each is needed first, so that to refuse costs no
// allocation.
type refusals struct{ byBare sync.Map } // *Error to *Error

// fixed are the refusals that are made once, whatever the token: those that are
// worth keeping.
var fixed = func() map[*Error]bool {
	set := map[*Error]bool{
		errTooLarge: true, errAlgorithm: true, errType: true, errExpired: true,
		errNotYetValid: true, errTooOld: true, errLifetime: true, errAudience: true,
		errClient: true, errUnknownKey: true, errSignature: true,
		errSuperseded: true, errNoExpiry: true, errNoAge: true,
	}
	return set
}()

// ofIssuer returns a refusal of a token that says it is of the Verifier's
// issuer as one that names it, by the text of its Config: an operator of
// several has to know whose token it was. Of no Verifier it returns err.
func (v *trust) ofIssuer(err error) error {
	e, _ := err.(*Error)
	if v == nil || e == nil || e.issuer != "" {
		return err
	}
	if known, ok := v.refusals.byBare.Load(e); ok {
		return known.(*Error)
	}
	named := *e
	named.issuer = v.issuer
	if fixed[e] || v.isOwn(e) {
		v.refusals.byBare.Store(e, &named)
	}
	return &named
}

// isOwn reports whether a refusal was made with the Verifier.
func (v *trust) isOwn(e *Error) bool {
	for i := range v.required {
		if v.required[i].refusal == e {
			return true
		}
	}
	for _, refusal := range v.variants {
		if refusal == e {
			return true
		}
	}
	return false
}

// Refusals for claims that a field of the Config asks for.
var (
	errNoExpiry = missingClaim("exp", "")
	errNoAge    = missingClaim("iat", " by Config.MaxTokenAge or Config.MaxLifetime")
)
