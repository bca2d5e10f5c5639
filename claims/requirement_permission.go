package claims

import (
	"fmt"
	"slices"
)

// Permissions needs every one of the permissions, compared exactly. They come
// from the token, as [Config].PermissionClaims says, or else from the
// [PermissionSource], which is asked only if the token lacks one. A refusal is
// [ErrForbidden] and asks for no scope, as another token would not help.
func Permissions(all ...string) Requirement { return valid(newPermissions("Permissions", all)) }

// AnyPermission needs at least one of the permissions.
func AnyPermission(permissions ...string) Requirement {
	alternatives := make([]Requirement, len(permissions))
	for i, permission := range permissions {
		alternatives[i] = valid(newPermissions("AnyPermission", []string{permission}))
	}
	return valid(newAnyOf("AnyPermission", quoted(permissions), alternatives))
}

// permissions is all of a list of permissions.
type permissions struct {
	single
	text text
	name string
	all  []string
}

func newPermissions(name string, all []string) *permissions {
	return &permissions{name: name, all: slices.Clone(all)}
}

func (p *permissions) check(q *query) error {
	for _, permission := range p.all {
		if err := q.permitted(permission); err != nil {
			return err
		}
	}
	return nil
}

func (p *permissions) wants(*query, []string) wants { return wants{} }

func (p *permissions) local() bool { return false }

func (p *permissions) String() string {
	return p.text.or(func() string { return p.name + "(" + quoted(p.all) + ")" })
}

func (p *permissions) equal(other rule) bool {
	o, ok := other.(*permissions)
	return ok && slices.Equal(p.all, o.all)
}

func (p *permissions) validate() error {
	if len(p.all) == 0 || slices.Contains(p.all, "") {
		return fmt.Errorf("claims: %s needs at least one permission, and none that is empty",
			p.name)
	}
	return nil
}
