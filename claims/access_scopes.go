package claims

import (
	"maps"
	"slices"
)

// Scopes returns every scope that an operation of the table may need, once,
// sorted: what a client can ask its token for, the "scopes_supported" of a
// protected resource (RFC 9728 section 2). What a requirement inside
// [ReportOnly] would need is not among them.
func (t AccessTable) Scopes() []string {
	found := map[string]struct{}{}
	for _, o := range t {
		o.Requirement.addScopes(found)
	}
	return slices.Sorted(maps.Keys(found))
}

// addScopes adds the scopes of a token that meets r in any way.
func (r Requirement) addScopes(found map[string]struct{}) {
	switch rule := r.rule.(type) {
	case nil, *reportOnly, *invalid:
	case *scopes:
		for _, scope := range rule.all {
			found[scope] = struct{}{}
		}
	default:
		for _, part := range rule.parts() {
			part.addScopes(found)
		}
	}
}
