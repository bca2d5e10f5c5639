package claims

import "github.com/sallyport-go/sallyport/claims/internal/foreign"

// Schemes returns the authentication schemes beside Bearer that the
// Authenticator takes, for the challenges of a transport. The slice is shared
// and must not be modified.
func (g *Guard) Schemes() []Scheme {
	if g == nil {
		return nil
	}
	return schemesOf(g.auth)
}

// schemer is an Authenticator that takes tokens under other schemes than
// Bearer.
type schemer interface{ Schemes() []Scheme }

func schemesOf(auth Authenticator) (schemes []Scheme) {
	by, ok := auth.(schemer)
	if !ok {
		return nil
	}
	if identifierOf(auth) != nil {
		return by.Schemes()
	}
	_ = foreign.Call(foreign.Name("claims: Authenticator"), func() error {
		schemes = by.Schemes()
		return nil
	}) // a challenge less is no reason to answer nothing
	return schemes
}
