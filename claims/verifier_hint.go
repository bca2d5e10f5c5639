package claims

import (
	"bytes"
	"encoding/base64"
)

// hint recognises a payload that names an issuer, as nearly all write it, without
// decoding it.
type hint [3][]byte // by the place of the member's first byte in a group of three

func newHint(issuer string) (h hint) {
	member := `"iss":"` + issuer + `","` // so that the issuer's end is in a whole group
	for place := range h {
		whole := member[(3-place)%3:] // from the next group on
		whole = whole[:len(whole)/3*3]
		h[place] = []byte(base64.RawURLEncoding.EncodeToString([]byte(whole)))
	}
	return h
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
	if v.cache != nil && v.hint.in(payload) && v.cache.Refuses(h.keyID, h.algorithm) {
		return errUnknownKey
	}
	return nil
}

// Of several issuers, which one a token is of is not known before it is read.
