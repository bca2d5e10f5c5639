package claims

import (
	"slices"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// AuthorizationServers returns the issuers that an [Authenticator] trusts now,
// sorted, without those that leave a segment open: the "authorization_servers"
// of a protected resource (RFC 9728 section 2). It reports false if there may
// be others, as [Tenants] and an Authenticator of somebody else's cannot list
// theirs.
//
// An Authenticator of one's own can, by a method of this name,
//
//	AuthorizationServers() []string
//
// If that panics, it has not.
func AuthorizationServers(auth Authenticator) (issuers []string, all bool) {
	if faultOf(auth) != "" {
		return nil, false
	}
	issuers, all = authorizationServers(auth)
	slices.Sort(issuers)
	return slices.Compact(issuers), all
}

func authorizationServers(auth Authenticator) (issuers []string, all bool) {
	switch a := auth.(type) {
	case interface{ AuthorizationServers() []string }:
		err := foreign.Call(foreign.Name("claims: Authenticator"), func() error {
			issuers = slices.Clone(a.AuthorizationServers())
			return nil
		})
		return issuers, err == nil
	case interface{ issuers() ([]string, bool) }:
		return a.issuers()
	}
	return nil, false
}

func (v *Verifier) issuers() (issuers []string, all bool) {
	if v.template != nil {
		return nil, false
	}
	return []string{v.issuer}, true
}

func (i *Issuers) issuers() (issuers []string, all bool) {
	all = true
	for issuer, v := range i.trusted.Load().verifiers.All() {
		if v.template == nil {
			issuers = append(issuers, issuer)
		} else {
			all = false
		}
	}
	return issuers, all
}

func (f *firstOf) issuers() (issuers []string, all bool) {
	all = true
	for _, auth := range f.auths {
		more, known := authorizationServers(auth)
		issuers, all = append(issuers, more...), all && known
	}
	return issuers, all
}
