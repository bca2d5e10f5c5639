package main

import (
	"context"
	"database/sql"
	"slices"

	"github.com/sallyport-go/sallyport/claims"
)

// The permissions that there are.
const (
	readOrders  = "orders:read"
	writeOrders = "orders:write"
	readMargins = "margins:read"
	writeGrants = "grants:write"
)

var permissions = []string{readOrders, writeOrders, readMargins, writeGrants}

// grant is a permission of a subject: subjects are unique within their issuer,
// and one that a client's own token names is the client (RFC 9068 section 2.2).
type grant struct {
	Issuer, Subject string
	Workspace       string // empty: everywhere
	Permission      string
}

// Permissions returns the grants of who. With it, the store is a
// [claims.PermissionSource].
func (s *store) Permissions(ctx context.Context, who claims.Principal) (claims.Grants, error) {
	if !isName(who.Subject) { // nobody can have granted it anything
		return claims.Grants{}, nil
	}
	found, err := query(ctx, s.db, func(rows *sql.Rows) (g grant, err error) {
		return g, rows.Scan(&g.Workspace, &g.Permission)
	}, `SELECT workspace, permission FROM grants WHERE issuer = $1 AND subject = $2`,
		who.Issuer, who.Subject)
	if err != nil {
		return claims.Grants{}, err
	}
	grants := claims.Grants{Workspaces: map[string][]string{}}
	for _, g := range found {
		if g.Workspace == "" {
			grants.Permissions = append(grants.Permissions, g.Permission)
		} else {
			grants.Workspaces[g.Workspace] = append(grants.Workspaces[g.Workspace], g.Permission)
		}
	}
	return grants, nil
}

// grant stores a grant, unless it is there.
func (s *store) grant(ctx context.Context, g grant) error {
	return s.change(ctx, g, `INSERT INTO grants (issuer, subject, workspace, permission)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`)
}

// revoke removes a grant, if it is there.
func (s *store) revoke(ctx context.Context, g grant) error {
	return s.change(ctx, g, `DELETE FROM grants
		WHERE issuer = $1 AND subject = $2 AND workspace = $3 AND permission = $4`)
}

func (s *store) change(ctx context.Context, g grant, statement string) error {
	if !isName(g.Subject) || g.Workspace != "" && !isName(g.Workspace) {
		return errBadName
	}
	if !slices.Contains(permissions, g.Permission) {
		return errNoPermission
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	_, err := s.db.ExecContext(ctx, statement, g.Issuer, g.Subject, g.Workspace, g.Permission)
	return err
}
