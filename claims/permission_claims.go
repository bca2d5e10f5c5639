package claims

import (
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

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
	var seen strict.Members
	room := 16 * len(t.claims.payload)
	for _, claim := range m.claims {
		for _, value := range t.values(claim, &room) {
			if m.table == nil {
				permissions = appendNew(permissions, value, &seen)
				continue
			}
			for _, permission := range m.table[value] {
				permissions = appendNew(permissions, permission, &seen)
			}
		}
	}
	if room < 0 {
		return nil
	}
	return permissions
}

// appendNew appends a permission that is not in seen yet, unless it is empty.
func appendNew(list []string, permission string, seen *strict.Members) []string {
	if permission == "" || !seen.Add(permission) {
		return list
	}
	return append(list, permission)
}

// values returns the strings at a path in the claims. Values that have names put
// before them take from room.
func (t *token) values(path string, room *int) []string {
	if path == "scope" || path == "scp" { // a string of these is a list
		value, ok := t.members.Find(path)
		if !ok {
			return nil
		}
		r := strict.NewReader(value)
		return r.ReadWords()
	}
	return valuesAt(&t.members, path, "", room)
}

// valuesAt returns the strings in the member of that name, or, where there is none,
// those that a path of names joined by "." leads to. A "*" stands for each name; it
// is put before the values, as prefix is, so that those of two names stay apart.
func valuesAt(object *strict.Members, path, prefix string, room *int) []string {
	name, rest, nested := strings.Cut(path, ".")
	if name != "*" {
		if value, ok := object.Find(path); ok {
			return listed(value, prefix, room)
		}
		if !nested {
			return nil
		}
		value, _ := object.Find(name)
		return valuesIn(value, rest, prefix, room)
	}
	var values []string
	for name, value := range object.All() {
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
	var object strict.Members
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&object)
		object.Set(name, r.ReadRaw())
	}
	return valuesAt(&object, path, prefix, room)
}

func listed(text, prefix string, room *int) []string {
	if text[0] != '"' && text[0] != '[' {
		return nil
	}
	r := strict.NewReader(text)
	values := r.ReadStrings()
	if !r.End() { // an element is no string
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
