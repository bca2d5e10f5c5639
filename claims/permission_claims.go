package claims

import "strings"

// permissionMapping finds the caller's permissions in the claims of a token, as
// Config.PermissionClaims and Config.PermissionMap say.
type permissionMapping struct {
	claims []string
	table  map[string][]string // nil if the values are the permissions
}

// of returns the permissions that a token's claims hold, without repetition. A
// claim that is missing, or neither a string nor an array of strings, grants
// nothing. If names put before values would make them far longer than the claims
// are, which no issuer does in earnest, none are granted at all.
func (m permissionMapping) of(t *token) []string {
	if len(m.claims) == 0 {
		return nil
	}
	var permissions []string
	var seen members
	room := 16 * len(t.claims.payload)
	for _, claim := range m.claims {
		for _, value := range t.values(claim, &room) {
			if m.table == nil {
				permissions = seen.appendNew(permissions, value)
				continue
			}
			for _, permission := range m.table[value] {
				permissions = seen.appendNew(permissions, permission)
			}
		}
	}
	if room < 0 {
		return nil
	}
	return permissions
}

// appendNew appends a permission that is not there yet, and not empty.
func (m *members) appendNew(list []string, permission string) []string {
	if permission == "" || !m.add(permission) {
		return list
	}
	return append(list, permission)
}

// values returns the strings at a path in the claims. Values that have names put
// before them take from room.
func (t *token) values(path string, room *int) []string {
	if path == "scope" || path == "scp" { // a string of these is a list
		value, ok := t.members.find(path)
		if !ok {
			return nil
		}
		r := newReader(value)
		return r.scopes()
	}
	return valuesAt(&t.members, path, "", room)
}

// valuesAt returns the strings in the member of that name, or, where there is none,
// those that a path of names joined by "." leads to. A "*" stands for each name; it
// is put before the values, as prefix is, so that those of two names stay apart.
func valuesAt(object *members, path, prefix string, room *int) []string {
	name, rest, nested := strings.Cut(path, ".")
	if name != "*" {
		if value, ok := object.find(path); ok {
			return listed(value, prefix, room)
		}
		if !nested {
			return nil
		}
		value, _ := object.find(name)
		return valuesIn(value, rest, prefix, room)
	}
	var values []string
	for name, value := range object.all() {
		// With a colon in it, one name could speak for another.
		if !strings.Contains(name, ":") {
			values = append(values, valuesIn(value, rest, prefix+name+":", room)...)
		}
	}
	return values
}

// valuesIn is valuesAt for the text of an object; of anything else there are none.
func valuesIn(text, path, prefix string, room *int) []string {
	if !strings.HasPrefix(text, "{") {
		return nil
	}
	var object members
	r := newReader(text)
	for r.enter('{'); r.next('}'); {
		name := r.name(&object)
		object.set(name, r.raw())
	}
	return valuesAt(&object, path, prefix, room)
}

func listed(text, prefix string, room *int) []string {
	if text[0] != '"' && text[0] != '[' {
		return nil
	}
	r := newReader(text)
	values := r.strings()
	if !r.end() { // an element is no string
		return nil
	}
	if prefix == "" {
		return values
	}
	for i, value := range values {
		if *room -= len(prefix) + len(value); *room < 0 {
			return nil
		}
		if value != "" {
			values[i] = prefix + value
		}
	}
	return values
}
