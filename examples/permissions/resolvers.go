package main

import (
	"context"
	"log/slog"

	"github.com/sallyport-go/sallyport/claims"
)

// queries resolves the type Query.
type queries struct {
	store *store
	log   *slog.Logger
}

func (q *queries) Workspaces(
	ctx context.Context, args struct{ After string },
) (*[]*workspaceResolver, error) {
	names, err := q.store.workspaces(ctx)
	if err != nil {
		return nil, fieldErrorOf(q.log, err)
	}
	names, err = claims.Filter(ctx, names, func(name string) claims.Requirement {
		return in(name, readOrders)
	})
	if err != nil {
		return nil, fieldErrorOf(q.log, err)
	}
	page := []*workspaceResolver{}
	for _, name := range names {
		if name > args.After && len(page) < maxWorkspaces {
			page = append(page, &workspaceResolver{q, name})
		}
	}
	return &page, nil
}

func (q *queries) Workspace(
	ctx context.Context, args struct{ Name string },
) (*workspaceResolver, error) {
	if err := claims.Allowed(ctx, in(args.Name, readOrders)); err != nil {
		return nil, fieldErrorOf(q.log, err)
	}
	return &workspaceResolver{q, args.Name}, nil
}

// workspaceResolver resolves the type Workspace, of one whose orders the caller
// may read.
type workspaceResolver struct {
	*queries
	name string
}

func (w *workspaceResolver) Name() string { return w.name }

func (w *workspaceResolver) Orders(
	ctx context.Context, args struct{ After int32 },
) (*[]*orderResolver, error) {
	orders, err := w.store.orders(ctx, w.name, args.After)
	if err != nil {
		return nil, fieldErrorOf(w.log, err)
	}
	page := make([]*orderResolver, len(orders))
	for i, o := range orders {
		page[i] = &orderResolver{w, o}
	}
	return &page, nil
}

// orderResolver resolves the type Order.
type orderResolver struct {
	workspace *workspaceResolver
	order     order
}

func (o *orderResolver) Number() int32     { return o.order.Number }
func (o *orderResolver) Item() string      { return o.order.Item }
func (o *orderResolver) Quantity() int32   { return o.order.Quantity }
func (o *orderResolver) PriceCents() int32 { return o.order.PriceCents }

func (o *orderResolver) MarginCents(ctx context.Context) (*int32, error) {
	if err := claims.Allowed(ctx, in(o.workspace.name, readMargins)); err != nil {
		return nil, fieldErrorOf(o.workspace.log, err)
	}
	return &o.order.MarginCents, nil
}
