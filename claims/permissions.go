package claims

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// permissionMapping finds the caller's permissions in the claims of a token, as
// Config.PermissionClaims and Config.PermissionMap say.
type permissionMapping struct {
	claims []string
	table  map[string][]string // nil if the values are the permissions
}

func cloneTable(table map[string][]string) map[string][]string {
	clone := maps.Clone(table)
	for value, permissions := range clone {
		clone[value] = slices.Clone(permissions)
	}
	return clone
}

func (m permissionMapping) same(other permissionMapping) bool {
	return slices.Equal(m.claims, other.claims) && (m.table == nil) == (other.table == nil) &&
		maps.EqualFunc(m.table, other.table, slices.Equal[[]string])
}

// of returns the permissions that a token's claims hold, without repetition. A
// claim that is missing, or neither a string nor an array of strings, grants
// nothing.
func (m permissionMapping) of(c *Claims) []string {
	if len(m.claims) == 0 {
		return nil
	}
	var payload map[string]json.RawMessage
	if json.Unmarshal([]byte(c.payload), &payload) != nil { // parseClaims has read it
		return nil
	}
	var permissions []string
	for _, claim := range m.claims {
		for _, value := range m.values(c, payload, claim) {
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

func (m permissionMapping) values(
	c *Claims, payload map[string]json.RawMessage, claim string,
) []string {
	if claim == "scope" || claim == "scp" {
		return c.scopes // a string of these is a list
	}
	raw := find(payload, claim)
	var one string
	if json.Unmarshal(raw, &one) == nil && len(raw) > 0 && raw[0] == '"' {
		return []string{one}
	}
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var values []string
	for _, element := range list {
		value, ok := element.(string)
		if !ok {
			return nil
		}
		values = append(values, value)
	}
	return values
}

// find returns the member of that name, or, where there is none, what a path of
// names joined by "." leads to.
func find(object map[string]json.RawMessage, path string) json.RawMessage {
	if raw, ok := object[path]; ok {
		return raw
	}
	name, rest, ok := strings.Cut(path, ".")
	if !ok {
		return nil
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(object[name], &inner) != nil {
		return nil
	}
	return find(inner, rest)
}
