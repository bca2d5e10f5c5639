package claims

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

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
			t.claims.clientID = strict.Plain(value)
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
