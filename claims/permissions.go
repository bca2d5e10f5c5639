package claims

import (
	"slices"
	"strings"
)

// permissionMapping finds the caller's permissions in the claims of a token, as
// Config.PermissionClaims and Config.PermissionMap say.
type permissionMapping struct {
	claims []string
	table  map[string][]string // nil if the values are the permissions
}

// of returns the permissions that a token's claims hold, without repetition. A
// claim that is missing, or neither a string nor an array of strings, grants
// nothing.
func (m permissionMapping) of(t *token) []string {
	var permissions []string
	for _, claim := range m.claims {
		for _, value := range t.values(claim) {
			granted := []string{value}
			if m.table != nil {
				granted = m.table[value]
			}
			for _, permission := range granted {
				if permission != "" && !slices.Contains(permissions, permission) {
					permissions = append(permissions, permission)
				}
			}
		}
	}
	return permissions
}

// values returns the strings at a path in the claims.
func (t *token) values(path string) []string {
	if path == "scope" || path == "scp" {
		return t.claims.scopes // a string of these is a list
	}
	return valuesAt(&t.members, path, "")
}

// valuesAt returns the strings in the member of that name, or, where there is none,
// those that a path of names joined by "." leads to. A "*" stands for each name; it
// is put before the values, as prefix is, so that those of two names stay apart.
func valuesAt(object *members, path, prefix string) []string {
	if value, ok := object.find(path); ok {
		return listed(value, prefix)
	}
	name, rest, ok := strings.Cut(path, ".")
	if !ok {
		return nil
	}
	if name != "*" {
		value, _ := object.find(name)
		return valuesIn(value, rest, prefix)
	}
	var values []string
	for name, value := range object.all() {
		// With a colon in it, one name could speak for another.
		if !strings.Contains(name, ":") {
			values = append(values, valuesIn(value, rest, prefix+name+":")...)
		}
	}
	return values
}

// valuesIn is valuesAt for the text of an object; of anything else there are none.
func valuesIn(text, path, prefix string) []string {
	if !strings.HasPrefix(text, "{") {
		return nil
	}
	var object members
	r := newReader(text)
	for r.enter('{'); r.next('}'); {
		name := r.name(&object)
		object.set(name, r.raw())
	}
	return valuesAt(&object, path, prefix)
}

func listed(text, prefix string) []string {
	if text[0] != '"' && text[0] != '[' {
		return nil
	}
	r := newReader(text)
	values := r.strings()
	if !r.end() { // an element is no string
		return nil
	}
	for i, value := range values {
		if value != "" {
			values[i] = prefix + value
		}
	}
	return values
}
