package claims

import (
	"bytes"
	"encoding/base64"
)

// hint recognises a payload that names an issuer, as nearly all write it,
// without decoding it.
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
