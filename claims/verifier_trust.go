package claims

import (
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/jwks"
)

// trust is what tokens of one issuer are verified with. It is immutable.
type trust struct {
	*rules
	keys     KeySource
	secrets  []jws.Secret // in the place of keys
	trials   *trials
	accepted jws.Algorithms
	cache    *jwks.Cache // keys, if they are one and hint is of use
	hint     hint
	id       uint64 // no other trust has it
	refusals *refusals
}

var lastID atomic.Uint64

// newTrust returns a trust without keys.
func newTrust(r *rules, accepted jws.Algorithms) *trust {
	return &trust{
		rules: r, accepted: accepted, id: lastID.Add(1), trials: new(trials),
		refusals: new(refusals),
	}
}

// trusts reports whether issuer is the Verifier's.
func (v *trust) trusts(issuer string) (trusted bool, err error) {
	if v.template == nil {
		return issuer == v.issuer, nil
	}
	tenant := v.template.tenant(issuer)
	if tenant == "" {
		return false, nil
	}
	err = foreign.Call(foreign.Name("claims: Config.TrustTenant"), func() error {
		trusted = v.trustTenant(tenant)
		return nil
	})
	if err != nil {
		return false, NewError(ErrUnavailable, ReasonIssuerUndecided, err)
	}
	return trusted, nil
}

func (v *trust) takes(scheme string) (takes, sure bool) {
	return v.confirmers.takes(scheme), true
}

// keepKeys goes on with the keys of a Verifier before, which are at hand, if
// they come from the same place.
func (v *trust) keepKeys(before *trust) {
	if sameKeys(before.keys, v.keys) {
		v.keys, v.cache = before.keys, before.cache
	}
}

// same reports whether two Verifiers accept the same tokens, so that the one
// whose keys are at hand can stay. Functions cannot be compared: two Configs
// that have some differ.
func (v *trust) same(other *trust) bool {
	a, b := *v.rules, *other.rules
	if !sameConfirmers(a.confirmers, b.confirmers) || !sameKeys(v.keys, other.keys) {
		return false
	}
	a.confirmers, b.confirmers = nil, nil
	return reflect.DeepEqual(a, b)
}

func sameKeys(a, b KeySource) bool {
	switch a := a.(type) {
	case *jwks.Cache:
		b, ok := b.(*jwks.Cache)
		return ok && a.SameConfig(b)
	case *jwks.Set:
		b, ok := b.(*jwks.Set)
		return ok && a.Thumbprint() == b.Thumbprint()
	}
	// Of a value that cannot be compared, == panics.
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// refusesEarly refuses a token for its key, whatever else it says: invented key
// IDs are what floods are made of, and are not to cost as much as a payload
// does. A token that does not look like one of the issuer is left to the checks
// in their order, so that a wrong issuer is called that.
func (v *trust) refusesEarly(h header, payload []byte) (by *trust, err error) {
	if v.cache != nil && v.hint.in(payload) && v.cache.Refuses(h.keyID, h.algorithm) {
		return v, errUnknownKey
	}
	return nil, nil
}

// sameConfirmers compares as == does: what is inside a Confirmer is in use.
func sameConfirmers(a, b []confirmer) bool {
	return slices.EqualFunc(a, b, func(a, b confirmer) bool {
		return reflect.ValueOf(a.Confirmer).Comparable() &&
			reflect.ValueOf(b.Confirmer).Comparable() && a == b
	})
}
