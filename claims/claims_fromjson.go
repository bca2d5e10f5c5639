package claims

import "errors"

// FromJSON returns the claims that a JSON object has, by the strict rules that
// a token's payload is read with. It verifies nothing: it is for claims that
// are trusted for another reason, such as the answer of an introspection
// endpoint, or a test of a handler.
//
// Of cfg those fields count that say what claims mean: Profile, ClientIDClaim,
// ScopeMap, PermissionClaims and PermissionMap. The zero Config maps nothing.
// The error names the claim that is not well-formed, or what is wrong with cfg.
func FromJSON(object []byte, cfg Config) (*Claims, error) {
	meaning, errs := cfg.compileMeaning()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	var t token
	f, fault := parseClaims(string(object), &t.members)
	if f == nil {
		return nil, &plainRefusal{fault, "claims: FromJSON: " + textBehind(fault)}
	}
	t.claims = f
	meaning.complete(&t)
	return f.claims(), nil
}
