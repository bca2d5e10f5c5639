package main

import (
	"context"
	"database/sql"
)

// What the tests, in package main_test, use.
var (
	Main         = main
	Run          = program.Run
	OpenDatabase = openDatabase
)

type (
	Store = store
	Order = order
	Grant = grant
)

func NewStore(db *sql.DB) *Store { return &store{db} }

func (s *store) Add(ctx context.Context, workspace string, o Order) (Order, error) {
	return s.add(ctx, workspace, o)
}

func (s *store) Orders(ctx context.Context, workspace string, after int32) ([]Order, error) {
	return s.orders(ctx, workspace, after)
}

func (s *store) Grant(ctx context.Context, g Grant) error  { return s.grant(ctx, g) }
func (s *store) Revoke(ctx context.Context, g Grant) error { return s.revoke(ctx, g) }

func (s *store) Seed(ctx context.Context, issuer string) error { return s.seed(ctx, issuer) }
