package claims

import (
	"errors"
	"slices"
	"strings"
)

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

// meaning is what the claims of an issuer mean.
type meaning struct {
	clientIDClaim string              // empty for "client_id" or "azp"
	implied       map[string][]string // by scope
	permissions   permissionMapping
}

// complete adds what the claims mean: once they are verified, and before
// anybody shares them.
func (m *meaning) complete(t *token) {
	if m.clientIDClaim != "" {
		t.claims.clientID = ""
		if value, _ := t.members.Find(m.clientIDClaim); strings.HasPrefix(value, `"`) {
			t.claims.clientID = plain(value)
		}
	}
	if m.implied != nil {
		t.claims.scopes = m.withImplied(t.claims.scopes)
	}
	t.claims.granted = m.permissions.of(t)
}

// withImplied returns scopes and what they imply, each once.
func (m *meaning) withImplied(scopes []string) []string {
	implies := func(scope string) bool { return len(m.implied[scope]) > 0 }
	if !slices.ContainsFunc(scopes, implies) {
		return scopes
	}
	granted := distinct(scopes) // first, as to repeat one is cheap for whoever asks
	all := slices.Clip(granted)
	for _, scope := range granted {
		all = append(all, m.implied[scope]...)
	}
	return distinct(all)
}
