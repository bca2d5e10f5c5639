package claims

import (
	"bytes"
	"encoding/base64"
)

// refuser is a KeySource that can tell without waiting that it has no such key:
// [*jwks.Cache], while it makes no fetch for it.
type refuser interface {
	Refuses(keyID, algorithm string) bool
}

// hint recognises a payload that has an issuer in it, nearly always, without
// decoding it.
type hint [3][]byte // by the place of the issuer's first byte in a group of three

// minHint is so long that nothing else looks like it.
const minHint = 12

func newHint(issuer string) (h hint, ok bool) {
	for place := range h {
		whole := issuer[min((3-place)%3, len(issuer)):] // from the next group on
		whole = whole[:len(whole)/3*3]
		h[place] = []byte(base64.RawURLEncoding.EncodeToString([]byte(whole)))
	}
	return h, len(h[1]) >= minHint
}

func (h *hint) in(payload []byte) bool {
	return bytes.Contains(payload, h[0]) || bytes.Contains(payload, h[1]) ||
		bytes.Contains(payload, h[2])
}

// early refuses a token for its key, whatever else it says: invented key IDs are
// what floods are made of, and are not to cost as much as a payload does. A token
// that does not look like one of the issuer is left to the checks in their order,
// so that a wrong issuer is called that.
func (v *Verifier) early(h header, payload []byte) error {
	if v.refuser != nil && v.hint.in(payload) && v.refuser.Refuses(h.keyID, h.algorithm) {
		return errUnknownKey
	}
	return nil
}

// Of several issuers, which one a token is of is not known before it is read.

func (table *issuerTable) early(header, []byte) error { return nil }
func (t *Tenants) early(header, []byte) error         { return nil }
