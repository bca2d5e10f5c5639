package main

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// queryTimeout is how long a database may take to answer.
	queryTimeout = 3 * time.Second

	pageSize = 100
	maxName  = 200
)

// invalid is what is wrong with what a caller sent, for them to read. All other
// errors of the store are for operators.
type invalid string

func (e invalid) Error() string { return string(e) }

const (
	errBadName       = invalid("a name must be of 1 to 200 bytes, without control characters")
	errBadOrder      = invalid("an order needs a quantity of at least 1 and a price of at least 0")
	errBadAfter      = invalid("after must be the number of an order, or 0")
	errNoPermission  = invalid("there is no such permission")
	errTwoWorkspaces = invalid("all orders of an import must be in one workspace")
)

// isName reports whether s can be the name of a workspace, an item or a
// subject. PostgreSQL cannot store every string, and what a caller sends must
// not look like a database that is down.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, unicode.IsControl)
}

// order is one order in a workspace.
type order struct {
	Number      int32
	Item        string
	Quantity    int32
	PriceCents  int32
	MarginCents int32
}

// store keeps orders and grants in a database, with the same statements in
// SQLite and PostgreSQL. It is safe for concurrent use.
type store struct{ db *sql.DB }

// workspaces returns the names of the workspaces that have had an order,
// sorted.
func (s *store) workspaces(ctx context.Context) ([]string, error) {
	names, err := query(ctx, s.db, func(rows *sql.Rows) (name string, err error) {
		return name, rows.Scan(&name)
	}, `SELECT name FROM workspaces`)
	slices.Sort(names) // the databases do not agree on an order of strings
	return names, err
}

// orders returns up to pageSize orders with a number above after, by number.
func (s *store) orders(ctx context.Context, workspace string, after int32) ([]order, error) {
	if !isName(workspace) {
		return nil, errBadName
	}
	if after < 0 {
		return nil, errBadAfter
	}
	return query(ctx, s.db, func(rows *sql.Rows) (o order, err error) {
		return o, rows.Scan(&o.Number, &o.Item, &o.Quantity, &o.PriceCents, &o.MarginCents)
	}, `SELECT number, item, quantity, price_cents, margin_cents FROM orders
		WHERE workspace = $1 AND number > $2 ORDER BY number LIMIT $3`,
		workspace, after, pageSize)
}

// add stores an order under the next number of its workspace and returns it.
func (s *store) add(ctx context.Context, workspace string, o order) (order, error) {
	if !isName(workspace) || !isName(o.Item) {
		return order{}, errBadName
	}
	if o.Quantity < 1 || o.PriceCents < 0 {
		return order{}, errBadOrder
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return order{}, err
	}
	defer func() { _ = tx.Rollback() }() // nothing once committed
	// The row stays locked until the commit: numbers become visible in their
	// order, and who asks for those after the last it saw misses none.
	err = tx.QueryRowContext(ctx, `INSERT INTO workspaces (name, last_order) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET last_order = workspaces.last_order + 1
		RETURNING last_order`, workspace).Scan(&o.Number)
	if err != nil {
		return order{}, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO orders
		(workspace, number, item, quantity, price_cents, margin_cents)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		workspace, o.Number, o.Item, o.Quantity, o.PriceCents, o.MarginCents)
	if err != nil {
		return order{}, err
	}
	return o, tx.Commit()
}

// query returns what scan makes of each row.
func query[T any](
	ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), text string, args ...any,
) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
